"""Contenders: every kind of model with the same interface, so that one run can judge them all.

How they are named
------------------
``svm``
    A baseline, on its own features.
``svm@short-term``, ``svm@spectral-stats+short-term``, ``svm@musicnn-msd:mean_pool``
    The same on other features; see `genrenet.baselines.song_features`.
``cnn``, ``crnn``, ``config:my.yaml``
    A network trained by a packaged configuration, or by one of your own; or a baseline with the
    settings of a file (`genrenet.baselines.settings`).
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
    """A model that does not exist, or that cannot be trained or judged."""


@dataclass
class FoldResult:
    """What a contender said of the songs of one fold.

    Attributes
    ----------
    track_ids : list of str
        Songs that were decided.
    scores : list of list of float, shape (songs, labels)
        A row a song, in the order of the dataset's labels; rows sum to one, unless songs have
        several genres.
    fit_seconds, predict_seconds : float
        Learning with the choice of settings, and answering; features and stores that are made once
        for all folds are not in them.
    settings : dict
        Chosen inside the training songs.
    frame_confusion : list of list of int or None
        Counts over frames, where the method has frames.
    skipped : dict of str to str
        Songs that could not be decided, and why.
    truncated : dict of str to str
        Songs that were decided by what could be read of them, and what is wrong with their files.
    deformed : dict of str to dict
        By the name of each of the contender's deformations: ``track_ids``, ``scores`` and
        ``skipped`` of the same songs, deformed.
    thresholds : list of float, shape (labels,), or None
        Where songs have several genres: the score from which on each is named, chosen on validation
        songs.
    curves : dict of str to list of (int, float)
        What was measured while a network was trained, by names such as ``val/loss``: training steps
        and values, one an epoch.
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
    """A model to be judged.

    Parameters
    ----------
    name : str
        As it was asked for.

    Attributes
    ----------
    deformations : sequence of Deformation
        What the test songs are answered for besides as they are.
    uses_gpu : bool
        Whether it learns from the songs themselves, on a graphics card where there is one: where
        several processes judge models, one at a time does on each card.
    """

    uses_gpu: bool = False
    deformations: Sequence[Deformation] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Return what makes its results what they are, in plain values: a change makes them
        stale.
        """

    @abstractmethod
    def check(self, dataset: Dataset) -> None:
        """Raise `ContenderError` where a dataset is none for it, before any work is done."""

    def prepare(self, dataset: Dataset, folder: Path) -> float:
        """Do what all folds need once, such as decoding the songs, and say how long it took.

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
        """Learn from a split's songs, and decide on its test songs.

        Parameters
        ----------
        dataset : Dataset
        split : Split
        seed : int
        folder : Path
            Where it may keep what it needs to go on after an interruption.
        own_validation : bool
            Whether who made the split chose the validation songs, to be as unlike those that are
            learnt from as the test songs are: settings are best chosen on them.
        """


def validation_rows(dataset: Dataset, split: Split) -> tuple[Any, Any]:
    """Return rows to learn from, validation songs among them, and rows to judge."""
    parts = [split.indices(dataset.table, part) for part in ("train", "validation")]
    return np.sort(np.concatenate(parts)), split.indices(dataset.table, "test")
