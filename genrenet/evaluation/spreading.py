"""Distribute tasks over processes of this machine, or over machines, with joblib."""

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
    """Run tasks, and yield each with its result as soon as it is done, in any order.

    Parameters
    ----------
    shared : Shared
    tasks : iterable of Task
        Consumed one by one and in order, as processes become free.
    jobs : int > 0
        Number of processes on this machine; with 1 everything runs in this one. Each gets its share
        of the cores. Large arrays, such as features, are memory-mapped by all of them instead of
        copied.
    dask : str, optional
        Address of a Dask scheduler, whose workers run the tasks instead; see
        `genrenet.evaluation.dask_workers`.

    Yields
    ------
    (Task, dict)
        See `genrenet.evaluation.tasks.carry_out`.

    Raises
    ------
    EvaluationError
        No scheduler, workers that cannot run the tasks, or a process that was killed.
    """
    # Another thread pickles the tasks for the processes, while the caller may use results with the
    # dataset, which caches what it has computed: objects must not change while they are pickled.
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
    """Run a task on some of the machine's cores."""
    import torch

    end_with_parent()
    # Read by `genrenet.utils.hardware.cores`, here and in child processes.
    os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
    torch.set_num_threads(threads)
    return task, carry_out(shared, task, alone=False)
