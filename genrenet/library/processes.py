"""Processes that share a scan, on one or several machines, started or found by Lightning."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from genrenet.utils.errors import GenrenetError
from genrenet.utils.hardware import end_with_parent

T = TypeVar("T")

PATIENCE = timedelta(days=7)
"""Maximum time that processes wait for each other: song lengths differ."""


class TeamError(GenrenetError):
    """Processes that cannot work together any more."""


class Team:
    """The processes of a scan: only this one.

    Attributes
    ----------
    rank : int
        Index of this process, from 0.
    size : int
        Number of processes.
    """

    rank = 0
    size = 1

    def share(self, value: T) -> T:
        """Return the value of the first process."""
        return value

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes; waits for all of them."""
        return [value]

    def end(self) -> None:
        """Kill the processes that this one has started."""


class LightningTeam(Team):
    """Processes of Lightning's distributed strategy: its own, or those of ``torchrun`` or SLURM.

    Parameters
    ----------
    processes : int > 0
        Number of processes on each machine.
    nodes : int > 0
        Number of machines.

    Notes
    -----
    Only text is exchanged between the processes, so the backend is gloo even if the networks run on
    GPUs.
    """

    def __init__(self, processes: int, nodes: int) -> None:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy

        strategy = DDPStrategy(process_group_backend="gloo", timeout=PATIENCE)
        fabric = Fabric(accelerator="cpu", devices=processes, num_nodes=nodes, strategy=strategy)
        fabric.launch()
        self.rank, self.size = fabric.global_rank, fabric.world_size
        self.local_rank = fabric.local_rank
        self._launcher = fabric.strategy.launcher
        if self.local_rank and launched() is None:
            end_with_parent()

    def share(self, value: T) -> T:
        """Return the value of the first process."""
        from torch import distributed

        held = [value]
        with _together():
            distributed.broadcast_object_list(held, src=0)
        return value if self.rank == 0 else held[0]

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes; waits for all of them."""
        from torch import distributed

        found: list[T] = [value] * self.size
        with _together():
            distributed.all_gather_object(found, value)
        return found

    def end(self) -> None:
        """Kill the processes that this one has started."""
        kill = getattr(self._launcher, "kill", None)  # `torchrun` and SLURM end theirs themselves
        if kill is not None:
            kill(signal.SIGTERM)


@contextmanager
def _together() -> Iterator[None]:
    """Convert all failures of waiting for a lost process to one clear error."""
    try:
        yield
    except RuntimeError as error:
        raise TeamError(
            "another process of this scan has ended",
            remedy="its error is above; the same command resumes the scan",
        ) from error


def launched() -> tuple[int, int] | None:
    """Return the numbers of processes per machine and of machines, if ``torchrun`` or SLURM has
    started this process.
    """
    environment = os.environ
    if "TORCHELASTIC_RUN_ID" in environment:
        here = int(environment["LOCAL_WORLD_SIZE"])
        return here, int(environment["WORLD_SIZE"]) // here
    tasks = int(environment.get("SLURM_NTASKS", 1))
    if "SLURM_PROCID" in environment and tasks > 1:
        nodes = int(environment.get("SLURM_NNODES", 1))
        return tasks // nodes, nodes
    return None


def own_device(team: Team, device: str | None) -> str | None:
    """Return the device of this process: on a machine with several GPUs, each has its own."""
    if not isinstance(team, LightningTeam) or device not in (None, "cuda"):
        return device
    import torch

    if torch.cuda.is_available():
        return f"cuda:{team.local_rank % torch.cuda.device_count()}"
    return device
