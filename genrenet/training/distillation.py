"""Distillation: a student learns what teachers say of the same seconds, and needs no labels.

Conventions
-----------
A teacher's *lesson* is its embedding and its logits of every frame of every song, frame after frame
from the beginning of what sounds. The first teacher's scores are what the student's output learns;
the embeddings and logits of all teachers, standardised over the training songs, are what a linear
layer on top of the student's embedding learns to tell. That layer stays out of the checkpoints that
name genres.

Sources
-------
Scores: Hinton, Vinyals and Dean (2015), "Distilling the knowledge in a neural network". Embeddings:
Romero et al. (2015), "FitNets: hints for thin deep nets".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from genrenet.data.catalog import Catalog
from genrenet.data.collection import DataError
from genrenet.data.datamodule import GenreDataModule
from genrenet.data.datasets import Item
from genrenet.data.frames import Aggregation, song_scores
from genrenet.models.outputs import Activation, log_scores
from genrenet.training.module import ClassifierError, GenreClassifier
from genrenet.utils.errors import printable

TELL = "tell."
"""What the names of the dropped layer's weights begin with."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one teacher says of songs.

    Attributes
    ----------
    teacher : str
        Its name.
    labels : list of str
        Of its outputs.
    seconds : float
        Length of its frames, which follow each other without a gap.
    said : Tensor of float32, shape (frames, features)
        Embedding and logits of all songs' frames; in memory, or mapped.
    first : Tensor of int64, shape (songs + 1,)
        Row of each song's first frame; a song without frames has that of the next.
    activation, aggregation : str
        As `genrenet.models.model.GenreModel` has them.
    """

    teacher: str
    labels: list[str]
    seconds: float
    said: Tensor
    first: Tensor
    activation: Activation = "softmax"
    aggregation: Aggregation = "mean"

    def logits(self, values: Tensor) -> Tensor:
        """Return the logits among values of shape (..., features)."""
        return values[..., -len(self.labels) :]

    def scores(self, values: Tensor) -> Tensor:
        """Return the scores that values of shape (frames, features) hold the logits of."""
        return log_scores(self.logits(values), self.activation).exp()

    def known(self) -> Tensor:
        """Return which songs there are frames of: bool, shape (songs,)."""
        return self.first[1:] > self.first[:-1]

    def scale(self, songs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and spread of the values over songs' frames, each of shape (features,)."""
        learnt = torch.zeros(len(self.first) - 1, dtype=torch.bool)
        learnt[songs] = True
        values = self.said[learnt.repeat_interleave(self.first.diff())]
        return values.mean(dim=0), values.std(dim=0) + 1e-3

    def decisions(self) -> Tensor:
        """Return the label of every song, shape (songs,); 0 where there is no frame."""
        found = torch.zeros(len(self.first) - 1, dtype=torch.int64)
        for song, (begin, end) in enumerate(zip(self.first[:-1], self.first[1:], strict=True)):
            if begin < end:
                scores = song_scores(self.scores(self.said[begin:end]), self.aggregation)
                found[song] = scores.argmax()
        return found

    def of(self, songs: Tensor, starts: Tensor, seconds: float) -> Tensor:
        """Return the mean of what the teacher says of stretches of songs.

        Parameters
        ----------
        songs : Tensor of int64, shape (batch,)
            Songs that there are frames of.
        starts : Tensor, shape (batch,)
            Where the stretches begin, in seconds.
        seconds : float > 0
            Their length.

        Returns
        -------
        Tensor, shape (batch, features)
            The teacher's frames weighted by how much of the stretch they cover; the last one stands
            for what follows it.
        """
        begin = (starts.double() / self.seconds)[:, None]
        end = begin + seconds / self.seconds
        frame = begin.floor() + torch.arange(math.ceil(seconds / self.seconds) + 1)
        weight = (torch.minimum(frame + 1, end) - torch.maximum(frame, begin)).clamp_min(0)
        weight = (weight / weight.sum(dim=1, keepdim=True)).to(self.said.dtype)
        first, last = self.first[songs][:, None], self.first[songs + 1][:, None] - 1
        rows = torch.minimum(first + frame.long(), last)
        return torch.einsum("bf,bfv->bv", weight, self.said[rows])


class TaughtData(GenreDataModule):
    """Songs of a collection, whatever their genres, with what teachers say of each frame.

    Batches have ``told``, standardised embeddings and logits of all teachers, and ``soft``, scores
    of the first teacher, besides what `GenreDataModule` gives; ``label`` is the first teacher's
    decision of the song.

    Parameters
    ----------
    teachers : sequence of str
        Names or files of the models to learn from, the one whose labels are wanted first.
    settings
        Of `GenreDataModule`.

    Attributes
    ----------
    lessons : list of Lesson
        Of the songs of the catalog, in its order.
    """

    def __init__(self, teachers: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(**settings)
        self.teachers = [teachers] if isinstance(teachers, str) else list(teachers)
        self.outputs = []  # the collection's own genres are nobody's business
        self.lessons: list[Lesson] = []

    @cached_property
    def catalog(self) -> Catalog:
        """The collection as one genre: songs are split by artist or by chance alone."""
        found = super().catalog
        return replace(found, table=found.table.assign(genre=""))

    def learn_from(
        self, lessons: Sequence[Lesson], errors: Mapping[str, str] | None = None
    ) -> None:
        """Take what the teachers say of all songs; those they say nothing of are skipped.

        Parameters
        ----------
        lessons : sequence of Lesson
            Of the songs of the catalog, in its order.
        errors : mapping of str to str, optional
            What was wrong with songs, by path.
        """
        self.lessons, self.outputs = list(lessons), lessons[0].labels
        paths = list(self.catalog.table["path"])
        known = torch.stack([lesson.known() for lesson in lessons]).all(dim=0).tolist()
        self._known = dict(zip(paths, known, strict=True))
        for path in (path for path in paths if not self._known[path]):
            silent = f"'{printable(path)}' has no frame that a teacher could judge"
            self.skip(path, (errors or {}).get(path, silent))
        self._decided = lessons[0].decisions()

    def part(self, name: str) -> pd.DataFrame:
        """Return the songs of a part that the teachers say something of."""
        table = super().part(name)
        return table[table["path"].map(self._known).astype(bool)] if self.lessons else table

    def setup(self, stage: str) -> None:
        """Make the datasets of a stage, and the scale of what is told from the training songs."""
        if not self.lessons:
            raise DataError("there is no teacher", remedy="name one: --teacher genres")
        super().setup(stage)
        place = {path: row for row, path in enumerate(self.catalog.table["path"])}
        self._rows = {
            name: torch.tensor([place[path] for path in dataset.paths], dtype=torch.int64)
            for name, dataset in self._datasets.items()
        }
        rows = torch.from_numpy(self.split.indices(self.catalog.table, "train"))
        self._scales = [lesson.scale(rows) for lesson in self.lessons]

    def on_before_batch_transfer(self, batch: Item, dataloader_idx: int) -> Item:
        """Add what the teachers say, while the batch is still in memory."""
        batch = super().on_before_batch_transfer(batch, dataloader_idx)
        songs = self._rows[self._part_in_use()][batch["song"]]
        said = [lesson.of(songs, batch["start"], self.frames.seconds) for lesson in self.lessons]
        pairs = zip(said, self._scales, strict=True)
        told = torch.cat([(values - mean) / spread for values, (mean, spread) in pairs], dim=1)
        soft = self.lessons[0].scores(said[0])
        return {**batch, "told": told, "soft": soft, "label": self._decided[songs]}


class DistilledClassifier(GenreClassifier):
    """A student of teachers.

    Parameters
    ----------
    labels : sequence of str
        Those of the first teacher.
    told : sequence of int
        How many numbers each teacher says of a frame: those of its embedding and its logits.
    telling : float >= 0
        Weight of the error of telling these numbers (standardised; mean square of each teacher's,
        mean over the teachers); the cross-entropy with the first teacher's scores weighs 1.
    settings
        Of `GenreClassifier`.

    Raises
    ------
    ClassifierError
        A weight below zero, or a network without embeddings.
    """

    def __init__(
        self,
        labels: Sequence[str],
        told: Sequence[int] = (),
        telling: float = 2.0,
        **settings: Any,
    ) -> None:
        super().__init__(labels, **settings)
        if not telling >= 0:
            raise ClassifierError("telling", found=f"{telling:g}", wanted="a weight >= 0")
        if not self.network.has_embedding:
            raise ClassifierError(
                "the student has no embedding to learn with",
                found=type(self.network.owner).__name__,
                wanted="a network with embed(logmel); see genrenet.models.plain",
            )
        self.told, self.telling = list(told), telling
        self.tell = torch.nn.Linear(self.network.embedding_size, sum(self.told))

    def setup(self, stage: str) -> None:
        """Name the teachers in checkpoints, too."""
        super().setup(stage)
        data: Any = getattr(self.trainer, "datamodule", None)
        if isinstance(data, TaughtData):
            self.provenance["teachers"] = list(data.teachers)

    def _target(self, batch: Item) -> Tensor:
        return batch["soft"]

    def _training_step(self, batch: Item) -> Tensor:
        target = torch.cat([batch["soft"], batch["told"]], dim=1)
        logmel, target = self._augmented(batch, target)
        soft, told = target.split([len(self.labels), sum(self.told)], dim=1)
        embedding = self.network.embed(logmel)
        headed = self.network.is_headed
        logits = (self.network.head(embedding) if headed else self.network(logmel)).float()
        errors = (self.tell(embedding).float() - told).square().split(self.told, dim=1)
        wrong = torch.stack([error.mean(dim=1) for error in errors]).mean(dim=0)
        total, weight = self._loss(logits, soft, batch["counted"])
        total = total + self.telling * (wrong * batch["counted"]).sum()
        return self._learn(logits, total, weight, batch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the layer that tells apart, so that the rest names genres as any checkpoint."""
        super().on_save_checkpoint(checkpoint)
        state = checkpoint["state_dict"]
        checkpoint["tell"] = {name: state.pop(name) for name in list(state) if name[:5] == TELL}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the layer that tells back."""
        super().on_load_checkpoint(checkpoint)
        checkpoint["state_dict"].update(checkpoint.get("tell", {}))
