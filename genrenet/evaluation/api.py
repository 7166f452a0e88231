"""Evaluate methods in one call: the same songs, folds and metrics for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrenet.audio.deforming import deformations
from genrenet.evaluation import multi_label_results
from genrenet.evaluation.across import join
from genrenet.evaluation.datasets import DatasetError, read_dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.protocols.curves import with_curves
from genrenet.evaluation.report import multi_label_page
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.robustness import robustness
from genrenet.evaluation.runner import contenders, judge
from genrenet.evaluation.tasks import EvaluationError


@dataclass(frozen=True)
class Evaluation:
    """The results of `evaluate`.

    Attributes
    ----------
    results : dict
        Content of ``results.json``: figures with intervals, paired comparisons, per protocol; see
        `genrenet.evaluation.results.summarise`, and for several genres per song
        `genrenet.evaluation.multi_label_results.summarise`.
    page : Path
        Path of the report.
    complete : bool
        Whether every model was evaluated under every protocol.
    """

    results: dict[str, Any]
    page: Path
    complete: bool


def evaluate(
    data: str | os.PathLike[str],
    models: Sequence[str],
    *,
    protocol: Sequence[str] = (),
    seeds: int = 1,
    learning_curve: str | None = None,
    sizes: Sequence[str] = (),
    shots: Sequence[str] = (),
    test_on: str | os.PathLike[str] | None = None,
    genre_map: str | None = None,
    genres: Sequence[str] = (),
    out: str | os.PathLike[str] = "runs/evaluate",
    segments: str = "auto",
    labels: str = "auto",
    multi_label: bool | None = None,
    fit_options: Sequence[str] = (),
    reference: Sequence[Any] = (),
    deform: Sequence[str] = (),
    jobs: int = 1,
    dask: str | None = None,
    tell: Callable[[str], None] = print,
) -> Evaluation:
    """Evaluate methods on the same songs, folds and metrics.

    Parameters
    ----------
    data : path
        A collection of songs, or a table of features.
    models : sequence of str
        Baselines, ``NAME@FEATURES``, ``cnn``, ``crnn``, ``transfer:BACKBONE``, ``config:FILE``.
    protocol : sequence of str
        See `genrenet.evaluation.protocols.protocols`; by default ``artist-5fold``, and with
        ``test_on`` ``across``.
    seeds : int > 0
        Repetitions with other folds and other random numbers.
    learning_curve, sizes, shots : str, sequence of str, sequence of str
        Also train on parts of the training set: see
        `genrenet.evaluation.protocols.curves.with_curves`.
    test_on : path, optional
        Another collection (or table of the same features): models are trained on all songs of
        ``data``, and tested on those of this one.
    genre_map : str, optional
        Map from its genres to those of ``data``; see `genrenet.evaluation.across.mapped_genres`.
    genres : sequence of str
        Use songs of these genres only; by default of all.
    out : path
        Folder of the run. An interrupted run is resumed.
    segments, labels, multi_label
        See `genrenet.evaluation.datasets.read_dataset`.
    fit_options : sequence of str
        Options of ``genrenet fit`` for the networks.
    reference : sequence
        Published results, shown in the report for comparison.
    deform : sequence of str
        Deformations of the test songs, such as ``mp3:64k``; see `genrenet.audio.deforming`. The
        models are the ones trained on the original songs.
    jobs : int > 0
        Number of processes for folds, seeds and models.
    dask : str, optional
        Address of a Dask scheduler, whose workers are used instead.
    tell : callable
        Called with each line of progress.

    Returns
    -------
    Evaluation

    Raises
    ------
    GenrenetError
        Unknown names, or data that cannot be used.

    Examples
    --------
    >>> found = evaluate("features_30_sec.csv", ["svm", "forest"])  # doctest: +SKIP
    >>> found.results["models"][0]["accuracy"]  # doctest: +SKIP
    """
    names = list(protocol) or ["artist-5fold" if test_on is None else "across"]
    judges = protocols(with_curves(names, learning_curve, sizes, shots), seeds)
    if other := [one.name for one in judges if (one.base == "across") != (test_on is not None)]:
        raise DatasetError(
            "only the protocol 'across' tests on a second collection",
            found=", ".join(other) + (" with --test-on" if test_on is not None else ""),
            remedy="omit --protocol with --test-on; the protocol 'across' needs --test-on",
        )
    if genre_map is not None and test_on is None:
        raise DatasetError("--genre-map", wanted="--test-on with a collection whose genres it maps")
    methods = contenders(models, fit_options)
    deformed = deformations(list(deform))
    for method in methods:
        method.deformations = deformed
    dataset = read_dataset(data, segments=segments, labels=labels, multi_label=multi_label)
    if deformed and dataset.multi_label:
        raise EvaluationError(
            "deformed songs need one genre each",
            found="songs of several genres",
            remedy="leave out --deform",
        )
    if genres:
        dataset = dataset.only(list(genres))
    if test_on is not None:
        judged_on = read_dataset(test_on, segments=segments, labels=labels)
        dataset = join(dataset, judged_on, genre_map)
    if dataset.features is not None:
        columns = ", ".join(dataset.columns)
        tell(f"columns of features ({len(dataset.columns)}): {columns}")
    for note in dataset.notes:
        tell(note)
    for problem in dataset.problems[:20]:
        tell(f"left out: {problem}")
    if len(dataset.problems) > 20:
        tell(f"and {len(dataset.problems) - 20} more")
    judged = judge(dataset, methods, judges, out, jobs=jobs, dask=dask, tell=tell)
    if dataset.multi_label:
        results = multi_label_results.summarise(judged)
        decided = multi_label_results.predictions(judged)
        page = multi_label_page.write_run(Path(out), results, decided)
        return Evaluation(results, page, not judged.errors)
    decided = predictions(judged)
    results = summarise(judged, decided)
    results["robustness"] = robustness(judged, decided, deformed)
    page = write_run(Path(out), {**results, "reference": list(reference)}, decided)
    return Evaluation(results, page, not judged.errors)
