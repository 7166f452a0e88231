"""Judge methods in one call: the same songs, folds and metrics for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import contenders, judge


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    results : dict
        What ``results.json`` holds: accuracies with intervals, paired comparisons, per protocol.
    page : Path
        The report for people.
    complete : bool
        Whether every model was judged under every protocol.
    """

    results: dict[str, Any]
    page: Path
    complete: bool


def evaluate(
    data: str | os.PathLike[str],
    models: Sequence[str],
    *,
    protocol: Sequence[str] = ("artist-5fold",),
    seeds: int = 1,
    genres: Sequence[str] = (),
    out: str | os.PathLike[str] = "runs/evaluate",
    segments: str = "auto",
    labels: str = "auto",
    fit_options: Sequence[str] = (),
    reference: Sequence[Any] = (),
    jobs: int = 1,
    dask: str | None = None,
    tell: Callable[[str], None] = print,
) -> Evaluation:
    """Judge methods on the same songs, folds and metrics.

    Parameters
    ----------
    data : path
        A collection of songs, or a table of features.
    models : sequence of str
        Baselines, ``NAME@FEATURES``, ``cnn``, ``crnn``, ``transfer:BACKBONE``, ``config:FILE``.
    protocol : sequence of str
        See `genrenet.evaluation.protocols.protocols`.
    seeds : int > 0
        Repetitions with other folds and other random numbers.
    genres : sequence of str
        Judge songs of these alone; of all where there are none.
    out : path
        Folder of the run. One that was interrupted goes on where it stopped.
    segments, labels : str
        See `genrenet.evaluation.datasets.read_dataset`.
    fit_options : sequence of str
        More options of ``genrenet fit``, for the networks.
    reference : sequence
        Published figures that the report shows beside the run's own.
    jobs : int > 0
        Processes of this machine that folds, seeds and models are spread over.
    dask : str, optional
        Address of a Dask scheduler, whose workers judge in their place.
    tell : callable
        Called with each line of progress.

    Returns
    -------
    Evaluation

    Raises
    ------
    GenrenetError
        Names that stand for nothing, or data that cannot be used.

    Examples
    --------
    >>> found = evaluate("features_30_sec.csv", ["svm", "forest"])  # doctest: +SKIP
    >>> found.results["models"][0]["accuracy"]  # doctest: +SKIP
    """
    judges = protocols(list(protocol), seeds)
    methods = contenders(models, fit_options)
    dataset = read_dataset(data, segments=segments, labels=labels)
    if genres:
        dataset = dataset.only(list(genres))
    if dataset.features is not None:
        tell(f"{len(dataset.columns)} columns of features: {', '.join(dataset.columns)}")
    for note in dataset.notes:
        tell(note)
    for problem in dataset.problems[:20]:
        tell(f"left out: {problem}")
    if len(dataset.problems) > 20:
        tell(f"and {len(dataset.problems) - 20} more")
    judged = judge(dataset, methods, judges, out, jobs=jobs, dask=dask, tell=tell)
    decided = predictions(judged)
    results = summarise(judged, decided)
    page = write_run(Path(out), {**results, "reference": list(reference)}, decided)
    return Evaluation(results, page, not judged.errors)
