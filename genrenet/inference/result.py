"""The result for one file: its genre, its scores, and how they change over its length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from genrenet.inference.answers import AnswerRule
from genrenet.inference.sections import Section, sections
from genrenet.utils.errors import printable


def score_columns(labels: Iterable[str]) -> dict[str, str]:
    """Return the column names of a wide table of scores, by genre.

    Returns
    -------
    dict of str to str
        ``score_<genre>``; no other column begins with "score_". Databases compare column names
        without case, so the later of two genres that differ only in case has a number at its end.

    Examples
    --------
    >>> score_columns(["rock", "path", "Rock"])
    {'rock': 'score_rock', 'path': 'score_path', 'Rock': 'score_Rock_2'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label in labels:
        name, number = f"score_{label}", 1
        while name.casefold() in taken:
            number += 1
            name = f"score_{label}_{number}"
        found[label] = name
        taken.add(name.casefold())
    return found


@dataclass
class SongResult:
    """Prediction for one file.

    Attributes
    ----------
    path : str
    genre : str or None
        The label with the highest score, which may be "not music"; None if an error prevented
        scoring.
    confidence : float
        Score of that genre, from 0 to 1.
    genres, subgenres, unsure
        See `genrenet.inference.answers.Answer`.
    scores : dict
        Score of every genre; they sum to one, unless the model is a tagger (output ``sigmoid``).
    frames : int
        Number of frames scored.
    duration : float or None
        Length of the file in seconds; None where it could not be opened.
    timeline : list of dict
        ``start`` and ``end`` in seconds, ``genre`` and ``scores`` of each frame.
    checkpoint : str
        Where the model came from: a file, or the name of a model.
    error : str or None
        The error in reading the file, if any.
    notes : list of str
        Remarks for the reader of the result, such as a shortened trim.
    """

    path: str
    checkpoint: str
    genre: str | None = None
    confidence: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    frames: int = 0
    duration: float | None = None
    timeline: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    genres: dict[str, float] = field(default_factory=dict)
    subgenres: dict[str, float] = field(default_factory=dict)
    unsure: bool = False

    def decide(self, scores: dict[str, float], rule: AnswerRule) -> None:
        """Set the scores of all genres, and the answer that a rule derives from them."""
        self.scores = scores
        self.genre, self.confidence, self.genres, self.subgenres, self.unsure = rule.answer(scores)

    def as_dict(self, *, timeline: bool = False) -> dict[str, Any]:
        """Return the result as JSON-compatible values; timeline and sections only on request."""
        result: dict[str, Any] = {
            "path": printable(self.path),
            "genre": self.genre,
            "confidence": self.confidence,
            "genres": self.genres,
            "subgenres": self.subgenres,
            "unsure": self.unsure,
            "scores": self.scores,
            "frames": self.frames,
            "duration": self.duration,
            "checkpoint": printable(self.checkpoint),
            "error": self.error,
            "notes": self.notes,
        }
        if timeline:
            result["timeline"] = self.timeline
            result["sections"] = [asdict(section) for section in self.sections()]
        return result

    def sections(self) -> list[Section]:
        """Return the timeline as a few sections; see `genrenet.inference.sections`."""
        labels = list(self.scores)
        scores = [[frame["scores"][label] for label in labels] for frame in self.timeline]
        spans = [(frame["start"], frame["end"]) for frame in self.timeline]
        return sections(scores, spans, labels)


def named(genres: Iterable[str]) -> str:
    """Return genres as the text of a table cell, in their order.

    Examples
    --------
    >>> named({"rock": 0.6, "pop": 0.3})
    'rock; pop'
    """
    return "; ".join(genres)


def named_scores(labels: Sequence[str], scores: Any) -> dict[str, float]:
    """Return scores by label, rounded to six decimals.

    Parameters
    ----------
    labels : sequence of str
    scores : Tensor or ndarray, shape (labels,)
    """
    return {label: round(value, 6) for label, value in zip(labels, scores.tolist(), strict=True)}
