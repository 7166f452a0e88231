"""Classify a song, with limits on its length and on the number of songs at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genrenet import audio
from genrenet.data.heard import Heard
from genrenet.inference.answers import rule_of
from genrenet.inference.classify import SongResult, score_songs
from genrenet.inference.scorers import SongScorer
from genrenet.inference.taxonomy import Taxonomy
from genrenet.models.model import GenreModel
from genrenet.utils.errors import GenrenetError, printable
from genrenet.web.errors import NotUsable, RequestError
from genrenet.web.paths import song_file
from genrenet.web.request_queue import Turns

Model = GenreModel | SongScorer

HEARTBEAT = 5.0
"""Seconds after which a silent stream sends something, to detect that a client has left."""


@dataclass(frozen=True)
class Song:
    """A song to be scored.

    Attributes
    ----------
    file : str
        Where it is.
    name : str
        Name for the client: its relative path, or an upload's name.
    root : str, optional
        The served folder, if the name is a path relative to it.
    """

    file: str
    name: str
    root: str | None = None

    @property
    def in_library(self) -> bool:
        """Whether it is a song of the served folder."""
        return self.root is not None

    def check(self) -> None:
        """Check again that a song of the folder may be read: it may have waited for long.

        Raises
        ------
        RequestError
            It has been deleted, or leads elsewhere now.
        """
        if self.root is not None:
            song_file(self.root, self.name)


class Gone(Exception):
    """The client has left."""


class Scoring:
    """Scores songs, a few at a time.

    Parameters
    ----------
    models : mapping of str to model
        By name; the first is the default.
    turns : Turns
    max_seconds : float > 0
        Maximum length of a song.
    trim, frames, device, workers, taxonomy
        See `genrenet.inference.classify.score_songs`.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        turns: Turns,
        *,
        max_seconds: float = 4 * 3600.0,
        trim: float | None = None,
        frames: Heard | None = None,
        device: str | None = None,
        workers: int | None = None,
        taxonomy: Taxonomy | None = None,
    ) -> None:
        self.models, self.turns, self.max_seconds = dict(models), turns, max_seconds
        self.trim, self.frames, self.device, self.workers = trim, frames, device, workers
        self.taxonomy = taxonomy
        for model in self.models.values():
            score_songs(
                (), model, trim=trim, frames=frames
            )  # raises an error for numbers out of range

    def labels(self, name: str) -> list[str]:
        """Return the genres of a model, by their names here."""
        labels = list(self.models[name].labels)
        return self.taxonomy.labels(labels) if self.taxonomy else labels

    def kind(self, name: str) -> str:
        """Return the kind of a model's labels: "genres", or "tags", several of which may apply."""
        model = self.models[name]
        if isinstance(model, SongScorer) or model.activation != "sigmoid":
            return "genres"
        return "genres" if rule_of(model).parents else "tags"

    def model_named(self, name: str | None) -> str:
        """Return the name of a served model, the default's for None.

        Raises
        ------
        RequestError
            There is no such model.
        """
        chosen = next(iter(self.models)) if name is None else name
        if chosen not in self.models:
            raise RequestError(
                f"no model {chosen[:200]!r}", wanted=f"one of {', '.join(self.models)}"
            )
        return chosen

    def frames_of(self, timeline: bool) -> Heard | None:
        """Return which frames are used: all for a timeline, unless the server has a number."""
        return "all" if timeline and self.frames is None else self.frames

    def classify(
        self, song: Song, model: str, gone: Callable[[], bool], *, timeline: bool = False
    ) -> SongResult:
        """Return a model's result for a song.

        Parameters
        ----------
        song : Song
        model : str
            From `model_named`.
        gone : callable
            Returns whether the client has left: then the work stops, except for a baseline, which
            scores whole songs.
        timeline : bool
            Use all frames; see `frames_of`.

        Raises
        ------
        TooMany
            The queue is full.
        NotUsable
            The song is too long, or not audio.
        """
        self.length(song)
        with self.turns.join() as turn:
            while not turn.wait(HEARTBEAT):
                if gone():
                    raise NotUsable("the client has left")
            try:
                return self.score(song, model, gone, timeline=timeline)
            except Gone:
                raise NotUsable("the client has left") from None

    def score(
        self,
        song: Song,
        model: str,
        gone: Callable[[], bool],
        watch: Callable[[int, list[dict[str, Any]]], None] | None = None,
        *,
        timeline: bool = False,
    ) -> SongResult:
        """Score a song now, without waiting for a turn.

        Parameters
        ----------
        song, model, gone, timeline
            As for `classify`.
        watch : callable, optional
            Called with the number of a frame and the timeline from that frame on.

        Raises
        ------
        Gone
            The client has left.
        NotUsable
            The song is longer than its header says, and than the limit; or it cannot be scored.
        """
        if gone():
            raise Gone
        song.check()

        def seen(path: str, first: int, frames: list[dict[str, Any]]) -> None:
            if gone():
                raise Gone
            if frames[-1]["start"] > self.max_seconds:  # regardless of its header
                raise self._too_long(song, frames[-1]["end"])
            if watch is not None:
                watch(first, frames)

        try:
            (result,) = score_songs(
                [song.file],
                self.models[model],
                checkpoint=model,
                trim=self.trim,
                frames=self.frames_of(timeline),
                taxonomy=self.taxonomy,
                device=self.device,
                workers=self.workers,
                watch=seen,
            )
        except RequestError:
            raise
        except GenrenetError as error:  # a problem of this song, not a bug
            raise NotUsable(self._outside(str(error), song)) from error
        result.path = song.name
        if result.error is not None:
            result.error = self._outside(result.error, song)
        return result

    def length(self, song: Song) -> float:
        """Return the length of a song in seconds.

        Raises
        ------
        NotUsable
            It is too long, or not audio.
        """
        try:
            duration = audio.probe(song.file).duration
        except audio.AudioError as error:
            raise NotUsable(self._outside(str(error), song)) from error
        if duration > self.max_seconds:
            raise self._too_long(song, duration)
        return duration

    def _too_long(self, song: Song, seconds: float) -> NotUsable:
        return NotUsable(
            f"'{song.name}' is too long",
            found=f"{seconds / 60:.0f} minutes",
            wanted=f"at most {self.max_seconds / 60:.0f}",
        )

    @staticmethod
    def _outside(text: str, song: Song) -> str:
        """Return a message with the client's name for the file, without the server's."""
        return text.replace(printable(os.path.realpath(song.file)), song.name).replace(
            printable(song.file), song.name
        )
