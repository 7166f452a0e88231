"""Metrics of one stage for songs with several genres: mAP and ROC-AUC of songs, by torchmetrics.

The counterpart of `genrenet.training.metrics.StageMetrics`. A label that all or none of the stage's
songs have cannot be ranked and is left out of the means.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchmetrics.functional.classification import multilabel_auroc, multilabel_average_precision

from genrenet.data.frames import Aggregation
from genrenet.models.thresholds import choose_thresholds
from genrenet.training.metrics import SongScores


class MultiLabelMetrics(nn.Module):
    """All metrics of one stage.

    Parameters
    ----------
    labels : sequence of str
    n_songs : int > 0
        Number of songs of the stage.
    aggregation : {"mean", "vote", "geometric"}
        How the scores of a song's frames are aggregated.
    """

    def __init__(self, labels: Sequence[str], n_songs: int, aggregation: Aggregation) -> None:
        super().__init__()
        self.labels = list(labels)
        self.songs = SongScores(n_songs, len(self.labels), aggregation, multi_label=True)

    def update(self, scores: Tensor, target: Tensor, song: Tensor, counted: Tensor) -> None:
        """Add a batch of frames; see `SongScores.update`."""
        self.songs.update(scores, target, song, counted)

    def judged(self) -> tuple[Tensor, Tensor]:
        """Return scores and targets, of shape (songs, labels), of the songs that have frames."""
        scores, target = self.songs.compute()
        known = (target[:, 0] >= 0) & scores.isfinite().all(dim=-1)
        return scores[known].clamp(0, 1), target[known]

    def compute(self) -> dict[str, Tensor]:
        """Return ``song_map`` and ``song_roc_auc``; NaN if there is no label to rank."""
        scores, target = self.judged()
        told = (target.amax(dim=0) > target.amin(dim=0)) if len(target) else target.new_zeros(0)
        if not bool(told.any()):
            nothing = scores.new_full((), torch.nan)
            return {"song_map": nothing, "song_roc_auc": nothing}
        few, count = (scores[:, told], target[:, told]), int(told.sum())
        precision = multilabel_average_precision(*few, num_labels=count, average="macro")
        return {
            "song_map": precision,
            "song_roc_auc": multilabel_auroc(*few, num_labels=count, average="macro"),
        }

    def thresholds(self) -> dict[str, float]:
        """Return the score threshold of each genre, chosen on the stage's songs."""
        scores, target = self.judged()
        found = choose_thresholds(target.cpu().numpy(), scores.cpu().numpy())
        return dict(zip(self.labels, found.tolist(), strict=True))

    def reset(self) -> None:
        """Reset all metrics."""
        self.songs.reset()
