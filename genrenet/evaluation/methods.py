"""Contenders: a common interface of all models, so that one run can evaluate any of them.

Names
------------------
``svm``
    A baseline, with its own features.
``svm@short-term``, ``svm@spectral-stats+short-term``, ``svm@musicnn-msd:mean_pool``
    The same with other features; see `genrenet.baselines.song_features`.
``cnn``, ``crnn``, ``config:my.yaml``
    A network trained with a packaged configuration, or with your own; or a baseline with the
    settings in a file (`genrenet.baselines.settings`).
``transfer:musicnn-msd``
    A published network with a new head.
``transfer:hf:ORG/NAME``, ``svm@hf:ORG/NAME:layer5``, ``svm@onnx:FILE``
    The same with a backbone that an adapter opens; see `genrenet.models.adapters`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genrenet.audio.deforming import Deformation
from genrenet.data.splits import Split
from genrenet.evaluation.datasets import Dataset
from genrenet.utils.errors import GenrenetError


class ContenderError(GenrenetError):
    """A model that does not exist, or that cannot be trained or evaluated."""


@dataclass
class FoldResult:
    """A contender's predictions for the songs of one fold.

    Attributes
    ----------
    track_ids : list of str
        Songs with a prediction.
    scores : list of list of float, shape (songs, labels)
        A row per song, in the order of the dataset's labels; rows sum to one, unless songs have
        several genres.
    fit_seconds, predict_seconds : float
        Time for training, including the choice of settings, and for prediction; features and stores
        that are computed once for all folds are not included.
    settings : dict
        Chosen on the training songs.
    frame_confusion : list of list of int or None
        Counts over frames, if the method has frames.
    skipped : dict of str to str
        Songs without a prediction, and why.
    truncated : dict of str to str
        Songs that were classified from the readable part of their files, and the files' faults.
    deformed : dict of str to dict
        For each of the contender's deformations, by name: ``track_ids``, ``scores`` and ``skipped``
        of the same songs, deformed.
    thresholds : list of float, shape (labels,), or None
        For several genres per song: the score threshold of each label, chosen on validation songs.
    curves : dict of str to list of (int, float)
        Curves recorded during the training of a network, by names such as ``val/loss``: training
        steps and values, one per epoch.
    """

    track_ids: list[str]
    scores: list[list[float]]
    fit_seconds: float
    predict_seconds: float
    settings: dict[str, Any] = field(default_factory=dict)
    frame_confusion: list[list[int]] | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    truncated: dict[str, str] = field(default_factory=dict)
    deformed: dict[str, dict[str, Any]] = field(default_factory=dict)
    thresholds: list[float] | None = None
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


class Contender(ABC):
    """A model to be evaluated.

    Parameters
    ----------
    name : str
        The requested name.

    Attributes
    ----------
    deformations : sequence of Deformation
        Deformations of the test songs that are predicted in addition to the original songs.
    uses_gpu : bool
        Whether it is trained on the audio, on a GPU if there is one: if several processes evaluate
        models, one at a time runs on each GPU.
    """

    uses_gpu: bool = False
    deformations: Sequence[Deformation] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Return all that determines its results, as plain values: if it changes, stored results
        become stale.
        """

    @abstractmethod
    def check(self, dataset: Dataset) -> None:
        """Raise `ContenderError` for a dataset that it cannot be evaluated on, before any work."""

    def prepare(self, dataset: Dataset, folder: Path) -> float:
        """Do the work shared by all folds once, such as decoding the songs, and return its
        duration.

        Parameters
        ----------
        dataset : Dataset
        folder : Path
            Where small files may be written.

        Returns
        -------
        float
            Seconds; they are in no fold's `FoldResult.fit_seconds`.
        """
        return 0.0

    @abstractmethod
    def judge(
        self, dataset: Dataset, split: Split, seed: int, folder: Path, *, own_validation: bool
    ) -> FoldResult:
        """Train on a split's training songs, and predict its test songs.

        Parameters
        ----------
        dataset : Dataset
        split : Split
        seed : int
        folder : Path
            Where it may store files for resuming after an interruption.
        own_validation : bool
            Whether the validation songs are part of the given split, as different from the training
            songs as the test songs are: they are then best for choosing settings.
        """


def validation_rows(dataset: Dataset, split: Split) -> tuple[Any, Any]:
    """Return training rows, including validation songs, and test rows."""
    parts = [split.indices(dataset.table, part) for part in ("train", "validation")]
    return np.sort(np.concatenate(parts)), split.indices(dataset.table, "test")
