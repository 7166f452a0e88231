"""Tasks on the workers of a Dask cluster, by joblib's backend for it.

Workers need the same release of genrenet and torch as the machine that starts the run, and see the
run's folder (and, for networks, the songs) under the same paths. Start them with one thread each:
``dask worker tcp://HOST:8786 --nthreads 1``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import joblib
from joblib._dask import DaskDistributedBackend

from genrenet.evaluation.stored_json import read_json
from genrenet.evaluation.tasks import EvaluationError, Shared, Task, carry_out, machine, reason
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra
from genrenet.version import __version__

PATIENCE = 10
"""Seconds within which a scheduler, and the first worker, must answer."""
LOOKED_AT = 20  # songs, of which a worker must see one

Done = tuple[Task, dict[str, Any]]


def on_workers(address: str, shared: Shared, tasks: Iterable[Task]) -> Iterator[Done]:
    """Run tasks on a cluster; see `genrenet.evaluation.spreading.spread`.

    Raises
    ------
    EvaluationError
        The extra is not installed, there is no scheduler or no worker, or a worker cannot run the
        tasks; the message names it and the reason.
    """
    distributed = import_extra("distributed", "--dask", error=EvaluationError)
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"no Dask scheduler responds at '{address}'",
            found=" ".join(str(error).split())[:200],
            wanted="an address such as tcp://HOST:8786",
            remedy="start one with 'dask scheduler'",
        ) from error
    with client:
        _check_workers(client, address, shared)
        backend = _Backend(client=client, scatter=[shared])
        parallel = joblib.Parallel(backend=backend, return_as="generator_unordered", batch_size=1)
        yield from parallel(joblib.delayed(_on_worker)(shared, task) for task in tasks)


class _Backend(DaskDistributedBackend):
    """joblib's backend, which would wait forever for a task whose workers died."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of tasks sent at once; joblib would run a single one here."""
        return max(2, int(super().effective_n_jobs(n_jobs)))

    def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
        """Send a batch of one task, and call back with its failure if there is no answer."""
        (_, (_, task), _), *_ = func.items

        def failed(answer: Future[Any]) -> None:
            if (error := answer.exception()) is not None:
                callback([(task, {"error": f"its worker died, or could not run it: {error}"})])

        answer = super().submit(func, callback)
        answer.add_done_callback(failed)
        return answer


def _check_workers(client: Any, address: str, shared: Shared) -> None:
    """Raise an error for workers that would fail on every task, before any is sent."""
    from distributed import TimeoutError as NoWorker

    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except (NoWorker, TimeoutError) as error:
        raise EvaluationError(
            f"the Dask scheduler at '{address}' has no worker",
            remedy=f"start some with 'dask worker {address} --nthreads 1'",
        ) from error
    audio = []
    if shared.dataset.features is None and any(model.uses_gpu for model in shared.models.values()):
        audio = list(shared.dataset.table["path"][:LOOKED_AT])
    digest = shared.dataset.digest
    answers = client.run(
        _problem, str(shared.folder), digest, audio, shared.machine, __version__, on_error="return"
    )
    for worker, answer in answers.items():
        if answer is not None:
            raise EvaluationError(
                f"the Dask worker {worker} cannot evaluate models",
                found=reason(answer) if isinstance(answer, BaseException) else answer,
                wanted=f"genrenet {__version__}, the same torch and kind of device as here, and "
                "the folder of --out and the songs under the paths that they have here",
                remedy="pass DATA and --out as full paths in a folder that all machines share",
            )


def _problem(
    folder: str, digest: str, audio: list[str], wanted: dict[str, str], release: str
) -> str | None:
    """Return why this process cannot run tasks of a run; None if it can."""
    where = f"on {socket.gethostname()}"
    if (read_json(Path(folder) / "run.json") or {}).get("digest") != digest:
        return f"{where} there is no run in '{printable(folder)}'"
    if audio and not any(Path(path).exists() for path in audio):
        return f"{where} there is no '{printable(audio[0])}'"
    found = {"genrenet": __version__, **machine()}
    if found != {"genrenet": release, **wanted}:
        return f"{where} there is {', '.join(f'{name} {value}' for name, value in found.items())}"
    return None


def _on_worker(shared: Shared, task: Task) -> Done:
    """Run a task, unless this worker, which may have joined late, does not see the run."""
    digest = shared.dataset.digest
    why = _problem(str(shared.folder), digest, [], shared.machine, __version__)
    return task, {"error": f"its worker cannot: {why}"} if why else carry_out(
        shared, task, alone=False
    )
