"""Tasks spread over processes of this machine, or over machines, by joblib."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from genrenet.evaluation.tasks import EvaluationError, Shared, Task, carry_out
from genrenet.utils.hardware import cores, end_with_parent

Done = tuple[Task, dict[str, Any]]


def spread(
    shared: Shared, tasks: Iterable[Task], jobs: int = 1, dask: str | None = None
) -> Iterator[Done]:
    """Carry out tasks, and give each with its result as soon as it is done, in any order.

    Parameters
    ----------
    shared : Shared
    tasks : iterable of Task
        Asked for one by one and in their order, as processes become free.
    jobs : int > 0
        Processes of this machine; with 1 everything is done in this one. Each gets its share of the
        cores. Large arrays, such as features, are mapped into all of them and not copied.
    dask : str, optional
        Address of a Dask scheduler, whose workers carry out the tasks instead; see
        `genrenet.evaluation.dask_workers`.

    Yields
    ------
    (Task, dict)
        See `genrenet.evaluation.tasks.carry_out`.

    Raises
    ------
    EvaluationError
        No scheduler, workers that cannot do it, or a process that was ended from outside.
    """
    # Another thread writes the tasks for the processes, while the caller may look at results with
    # the dataset, which keeps what it has computed once: what is being written must not change.
    shared = replace(shared, dataset=copy.copy(shared.dataset))
    if dask is not None:
        from genrenet.evaluation.dask_workers import on_workers

        yield from on_workers(dask, shared, tasks)
    elif jobs == 1:
        yield from ((task, carry_out(shared, task)) for task in tasks)
    else:
        yield from _in_processes(shared, tasks, jobs)


def _in_processes(shared: Shared, tasks: Iterable[Task], jobs: int) -> Iterator[Done]:
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    threads = max(1, cores() // jobs)
    work = joblib.delayed(_in_this_process)
    with joblib.parallel_config("loky", n_jobs=jobs, inner_max_num_threads=threads):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
        try:
            yield from parallel(work(shared, task, threads) for task in tasks)
        except TerminatedWorkerError as error:
            raise EvaluationError(
                "an evaluation process has died",
                found=" ".join(str(error).split())[:200],
                remedy="usually it ran out of memory: run the same command with fewer --jobs; "
                "finished folds are kept",
            ) from error


def _in_this_process(shared: Shared, task: Task, threads: int) -> Done:
    """Carry out a task with some of the machine's cores."""
    import torch

    end_with_parent()
    # What `genrenet.utils.hardware.cores` counts, here and in the processes that this one starts.
    os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
    torch.set_num_threads(threads)
    return task, carry_out(shared, task, alone=False)
