"""Metrics of one stage (train, validation or test), per frame and per song, on the device.

Conventions
-----------
Scores are rows that sum to one, unless the output is ``sigmoid``. Padded entries of a batch
(``counted`` false) are excluded from all metrics, as are scores that are NaN or infinite. Song
metrics count a song once, however many frames it has and whichever process scored them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)

from genrenet.data.frames import Aggregation, aggregate, frame_statistics


class SongScores(Metric):
    """Aggregate frame scores to song scores.

    Parameters
    ----------
    n_songs, n_labels : int > 0
        Number of songs of the stage, and of labels.
    aggregation : {"mean", "vote", "geometric"}
        How the scores of frames are aggregated; see `genrenet.data.frames.aggregate`.
    multi_label : bool
        Whether the target of a song has a boolean for each label.
    """

    full_state_update = False
    totals: Tensor
    counts: Tensor
    target: Tensor

    def __init__(
        self,
        n_songs: int,
        n_labels: int,
        aggregation: Aggregation = "mean",
        multi_label: bool = False,
    ) -> None:
        super().__init__()
        self.aggregation: Aggregation = aggregation
        self.add_state("totals", torch.zeros(n_songs, 3, n_labels), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(n_songs, dtype=torch.long), dist_reduce_fx="sum")
        shape = (n_songs, n_labels) if multi_label else (n_songs,)
        self.add_state("target", torch.full(shape, -1), dist_reduce_fx="max")

    def update(self, scores: Tensor, target: Tensor, song: Tensor, counted: Tensor) -> None:
        """Add a batch of frames.

        Parameters
        ----------
        scores : Tensor, shape (batch, labels)
        target, song : Tensor of int64, shape (batch,)
            Label and row of each frame's song; for several labels per song, (batch, labels) of
            bool.
        counted : Tensor of bool, shape (batch,)
            False for padding.
        """
        weight = counted.to(self.totals.dtype)[:, None, None]
        self.totals.index_add_(0, song, frame_statistics(scores.to(self.totals.dtype)) * weight)
        self.counts.index_add_(0, song, counted.long())
        if target.ndim == 2:
            song, counted = song[:, None].expand_as(target), counted[:, None]
        known = torch.where(counted, target.long(), -1)
        self.target.scatter_reduce_(0, song, known, "amax")

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return song scores of shape (songs, labels), and targets; -1 marks songs without frames,
        for several labels per song in all columns.
        """
        return aggregate(self.totals, self.counts, self.aggregation), self.target


def _collection(n_labels: int) -> MetricCollection:
    # A target of -1 (padding, or a song without frames) is left out.
    metrics: dict[str, Metric | MetricCollection] = {
        "accuracy": MulticlassAccuracy(n_labels, average="micro", ignore_index=-1),
        "f1": MulticlassF1Score(n_labels, average="macro", ignore_index=-1),
    }
    if n_labels > 2:
        metrics["top2"] = MulticlassAccuracy(n_labels, top_k=2, average="micro", ignore_index=-1)
    return MetricCollection(metrics, compute_groups=False)


class StageMetrics(nn.Module):
    """All metrics of one stage.

    Parameters
    ----------
    labels : sequence of str
        Names of the labels.
    n_songs : int > 0
        Number of songs of the stage.
    aggregation : {"mean", "vote", "geometric"}
        How the scores of a song's frames are aggregated.
    """

    def __init__(self, labels: Sequence[str], n_songs: int, aggregation: Aggregation) -> None:
        super().__init__()
        n_labels = len(labels)
        self.frame = _collection(n_labels)
        self.song = _collection(n_labels)
        self.frame_confusion = MulticlassConfusionMatrix(n_labels, ignore_index=-1)
        self.song_confusion = MulticlassConfusionMatrix(n_labels, ignore_index=-1)
        self.songs = SongScores(n_songs, n_labels, aggregation)

    def update(self, scores: Tensor, target: Tensor, song: Tensor, counted: Tensor) -> None:
        """Add a batch of frames; see `SongScores.update`."""
        known = torch.where(counted & scores.isfinite().all(dim=-1), target, -1)
        self.frame.update(scores, known)
        self.frame_confusion.update(scores, known)
        self.songs.update(scores, target, song, counted)

    def compute(self) -> dict[str, Tensor]:
        """Return frame and song metrics by name: ``frame_accuracy``, ``song_f1``,
        ``song_top2`` ...
        """
        scores, target = self.songs.compute()
        target = torch.where(scores.isfinite().all(dim=-1), target, -1)
        results = {f"frame_{name}": value for name, value in self.frame.compute().items()}
        # The songs' scores are already gathered from every process: each computes separately from
        # here.
        for metric in (*self.song.values(), self.song_confusion):
            metric.reset()
            metric.sync_on_compute = False
            metric.update(scores, target)
        results |= {f"song_{name}": value for name, value in self.song.compute().items()}
        return results

    def reset(self) -> None:
        """Reset all metrics."""
        for metric in (self.frame, self.song, self.frame_confusion, self.song_confusion):
            metric.reset()
        self.songs.reset()
