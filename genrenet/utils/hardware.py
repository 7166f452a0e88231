"""Hardware and process settings: cores, fast half precision, memory, signals."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def cores() -> int:
    """Return the number of CPU cores for this process: those of its container, shared with
    siblings.

    Processes that one launcher started on a machine share its cores (``LOCAL_WORLD_SIZE``).
    """
    import joblib

    siblings = os.environ.get("LOCAL_WORLD_SIZE", "1")
    share = int(siblings) if siblings.isdigit() and int(siblings) else 1
    return max(1, int(joblib.cpu_count()) // share)


def best_device() -> str:
    """Return the best available device: ``cuda``, else ``mps`` (Apple's), else ``cpu``."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def fast_half(device: str | torch.device) -> torch.dtype | None:
    """Return the half precision in which a device is faster than in single precision, if any.

    Parameters
    ----------
    device : str or torch.device

    Returns
    -------
    torch.bfloat16, torch.float16 or None
        bfloat16 if there are instructions for it, as it has the range of float32. Without them a
        CPU is many times slower in bfloat16 than in float32.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return (
            torch.bfloat16
            if torch.cuda.is_bf16_supported(including_emulation=False)
            else torch.float16
        )
    if kind == "cpu":
        native = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
        return torch.bfloat16 if native() else None
    return None


_SETTING_THREADS = threading.Lock()


def compute_threads(count: int) -> None:
    """Set the number of torch's CPU threads for the calling thread only.

    ``torch.set_num_threads`` also sets the default of threads that are created later, so that
    number is restored, by a thread that ends at once.

    Parameters
    ----------
    count : int > 0
    """
    import torch

    with _SETTING_THREADS, ThreadPoolExecutor(1) as probe, ThreadPoolExecutor(1) as setter:
        default = probe.submit(torch.get_num_threads).result()
        torch.get_num_threads()  # a thread's first query of torch's number would use the default
        torch.set_num_threads(count)
        setter.submit(torch.set_num_threads, default).result()


@contextmanager
def one_gpu() -> Iterator[None]:
    """Wait for a GPU that no other process has locked in this way, and make only that one visible.

    This applies to processes started in the context; without a GPU it does not wait.
    """
    import tempfile

    import torch
    from filelock import FileLock, Timeout

    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    cards = before.split(",") if before else [str(n) for n in range(torch.cuda.device_count())]
    if not torch.cuda.is_available():
        yield
        return
    name = os.path.join(tempfile.gettempdir(), f"genrenet-{getattr(os, 'getuid', int)()}-gpu")
    locks = {card: FileLock(f"{name}{card}.lock") for card in cards}
    while True:
        for card, lock in locks.items():
            with suppress(Timeout), lock.acquire(timeout=0.2):
                os.environ["CUDA_VISIBLE_DEVICES"] = card
                try:
                    yield
                finally:
                    del os.environ["CUDA_VISIBLE_DEVICES"]
                    if before is not None:
                        os.environ["CUDA_VISIBLE_DEVICES"] = before
                return


def keep_freed_memory() -> None:
    """Make the C library keep freed memory for the next batch.

    glibc returns large blocks to the system when they are freed and gets them zeroed, page by page,
    for the next batch: on a CPU that costs about a third of the training time. Without glibc this
    does nothing. See ``man mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        trim_threshold, top_pad, mmap_max = -1, -2, -4
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, -1)
        mallopt(top_pad, 1 << 28)


def give_back_memory() -> None:
    """Return freed memory to the system, after `keep_freed_memory` too; glibc only."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def step_back(nice: int = 10) -> None:
    """Lower the priority of the calling thread and those it starts; on Linux only."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))


@contextmanager
def stoppable() -> Iterator[None]:
    """Handle a request to end (``kill``, a cluster's time limit) like Ctrl-C."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def end_with_parent() -> None:
    """Request that this process is ended when its parent ends; on Linux only."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
    if prctl is not None:
        set_parent_death_signal = 1
        prctl(set_parent_death_signal, signal.SIGTERM)


def leave_siblings() -> None:
    """Close the connection to other processes while they exist: at exit it may abort them."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
