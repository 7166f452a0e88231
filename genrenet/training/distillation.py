"""Distillation: train a student on the outputs of teachers for the same audio, without labels.

Conventions
-----------
A teacher's *lesson* is its embedding and its logits for every frame of every song, in consecutive
frames from the beginning of the sound. The student's output is trained on the first teacher's
scores; a linear layer on top of the student's embedding is trained to predict the embeddings and
logits of all teachers, standardised over the training songs. That layer is not stored in
checkpoints for inference.

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
"""Prefix of the names of the dropped layer's weights."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """The outputs of one teacher for a set of songs.

    Attributes
    ----------
    teacher : str
        Its name.
    labels : list of str
        Labels of its outputs.
    seconds : float
        Length of its frames, which are consecutive, in seconds.
    said : Tensor of float32, shape (frames, features)
        Embedding and logits of all songs' frames; in memory, or memory-mapped.
    first : Tensor of int64, shape (songs + 1,)
        Row of each song's first frame; for a song without frames, that of the next song.
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
        """Return the logits in values of shape (..., features)."""
        return values[..., -len(self.labels) :]

    def scores(self, values: Tensor) -> Tensor:
        """Return the scores for the logits in values of shape (frames, features)."""
        return log_scores(self.logits(values), self.activation).exp()

    def known(self) -> Tensor:
        """Return which songs have frames: bool, shape (songs,)."""
        return self.first[1:] > self.first[:-1]

    def scale(self, songs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and deviation of the values over songs' frames, shape (features,) each."""
        learnt = torch.zeros(len(self.first) - 1, dtype=torch.bool)
        learnt[songs] = True
        values = self.said[learnt.repeat_interleave(self.first.diff())]
        return values.mean(dim=0), values.std(dim=0) + 1e-3

    def decisions(self) -> Tensor:
        """Return the label of every song, shape (songs,); 0 for songs without frames."""
        found = torch.zeros(len(self.first) - 1, dtype=torch.int64)
        for song, (begin, end) in enumerate(zip(self.first[:-1], self.first[1:], strict=True)):
            if begin < end:
                scores = song_scores(self.scores(self.said[begin:end]), self.aggregation)
                found[song] = scores.argmax()
        return found

    def of(self, songs: Tensor, starts: Tensor, seconds: float) -> Tensor:
        """Return the teacher's mean outputs for intervals of songs.

        Parameters
        ----------
        songs : Tensor of int64, shape (batch,)
            Songs that have frames.
        starts : Tensor, shape (batch,)
            Start of the intervals, in seconds.
        seconds : float > 0
            Length of the intervals, in seconds.

        Returns
        -------
        Tensor, shape (batch, features)
            Mean over the teacher's frames, weighted by their overlap with the interval; the last
            frame is also used beyond its end.
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
    """Songs of a collection, of any genres, with the outputs of teachers for each frame.

    Batches have ``told``, standardised embeddings and logits of all teachers, and ``soft``, scores
    of the first teacher, in addition to the entries of `GenreDataModule`; ``label`` is the first
    teacher's prediction for the song.

    Parameters
    ----------
    teachers : sequence of str
        Names or files of the teachers; the student gets the labels of the first.
    settings
        Of `GenreDataModule`.

    Attributes
    ----------
    lessons : list of Lesson
        For the songs of the catalog, in its order.
    """

    def __init__(self, teachers: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(**settings)
        self.teachers = [teachers] if isinstance(teachers, str) else list(teachers)
        self.outputs = []  # the collection's own genres are not used
        self.lessons: list[Lesson] = []

    @cached_property
    def catalog(self) -> Catalog:
        """The collection with a single genre: songs are split by artist, or randomly."""
        found = super().catalog
        return replace(found, table=found.table.assign(genre=""))

    def learn_from(
        self, lessons: Sequence[Lesson], errors: Mapping[str, str] | None = None
    ) -> None:
        """Set the teachers' outputs for all songs; songs without any are skipped.

        Parameters
        ----------
        lessons : sequence of Lesson
            For the songs of the catalog, in its order.
        errors : mapping of str to str, optional
            Errors of songs, by path.
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
        """Return the songs of a part for which there are outputs of the teachers."""
        table = super().part(name)
        return table[table["path"].map(self._known).astype(bool)] if self.lessons else table

    def setup(self, stage: str) -> None:
        """Make the datasets of a stage, and the standardisation from the training songs."""
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
        """Add the teachers' outputs, while the batch is still in CPU memory."""
        batch = super().on_before_batch_transfer(batch, dataloader_idx)
        songs = self._rows[self._part_in_use()][batch["song"]]
        said = [lesson.of(songs, batch["start"], self.frames.seconds) for lesson in self.lessons]
        pairs = zip(said, self._scales, strict=True)
        told = torch.cat([(values - mean) / spread for values, (mean, spread) in pairs], dim=1)
        soft = self.lessons[0].scores(said[0])
        return {**batch, "told": told, "soft": soft, "label": self._decided[songs]}


class DistilledClassifier(GenreClassifier):
    """A student, trained on the outputs of teachers.

    Parameters
    ----------
    labels : sequence of str
        Those of the first teacher.
    told : sequence of int
        Number of outputs of each teacher for a frame: the length of its embedding plus its logits.
    telling : float >= 0
        Weight of the regression error of these outputs (standardised; mean square for each teacher,
        mean over the teachers); the cross-entropy with the first teacher's scores has weight 1.
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
        """Store the teachers' names in checkpoints, too."""
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
        """Store the regression layer apart from the other weights."""
        super().on_save_checkpoint(checkpoint)
        state = checkpoint["state_dict"]
        checkpoint["tell"] = {name: state.pop(name) for name in list(state) if name[:5] == TELL}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the regression layer."""
        super().on_load_checkpoint(checkpoint)
        checkpoint["state_dict"].update(checkpoint.get("tell", {}))
