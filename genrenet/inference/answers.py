"""Turn a song's scores into an answer: genres, subgenres, or "unsure".

A score is read as the probability that the genre is right, which holds for calibrated models. A
checkpoint may define its own thresholds, chosen on songs outside its training set, in the entry
``answers`` of its description; the defaults are `SOFTMAX` and `SIGMOID`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from genrenet.utils.errors import GenrenetError

if TYPE_CHECKING:
    from genrenet.models.model import GenreModel


class AnswerError(GenrenetError):
    """Thresholds that are invalid."""


class Answer(NamedTuple):
    """The answer for one song.

    Attributes
    ----------
    genre : str
        The label with the highest score; with per-label thresholds, the highest that reaches its
        own.
    confidence : float
        The score of ``genre``, from 0 to 1.
    genres : dict of str to float
        All genres whose scores reach the threshold, in descending order of score; only the first
        where none does. Labels in ``not_music`` are left out.
    subgenres : dict of str to float
        The same for subgenres (labels with a parent genre).
    unsure : bool
        Whether no genre's score is high enough to rely on.
    """

    genre: str
    confidence: float
    genres: dict[str, float]
    subgenres: dict[str, float]
    unsure: bool


@dataclass(frozen=True)
class AnswerRule:
    """Thresholds that turn a song's scores into an answer.

    Parameters
    ----------
    several : float, from 0 to 1
        Minimum score of a genre to be named in addition to the first.
    unsure : float, from 0 to 1
        Minimum score of the first genre; below it the song is ``unsure``.
    not_music : tuple of str
        Labels that are not genres, such as "not music": a song whose top label is one has no genre.
    parents : mapping of str to list of str
        The parent genres of a label; labels that are missing here are top-level genres.
    thresholds : mapping of str to float
        Minimum score of each label, for models trained with several genres per song. They replace
        ``several``, and a song that reaches none of them is ``unsure``.

    Raises
    ------
    AnswerError
        A threshold is out of range.
    """

    several: float
    unsure: float
    not_music: tuple[str, ...] = ()
    parents: Mapping[str, list[str]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = {"several": self.several, "unsure": self.unsure, **self.thresholds}
        for name, found in limits.items():
            if not isinstance(found, int | float) or not 0 <= found <= 1:
                raise AnswerError(
                    f"the limit '{name}' of answers", found=repr(found), wanted="0 to 1"
                )

    def answer(self, scores: Mapping[str, float]) -> Answer:
        """Return the answer for a song's scores.

        Parameters
        ----------
        scores : mapping of str to float
            Score of each label, from 0 to 1; at least one label.

        Examples
        --------
        >>> SOFTMAX.answer({"pop": 0.3, "rock": 0.6, "jazz": 0.1}).genres
        {'rock': 0.6, 'pop': 0.3}
        """
        ranked = dict(sorted(scores.items(), key=lambda pair: -pair[1]))
        reached = [label for label in ranked if self._reached(label, ranked[label])]
        genre, confidence = next(iter(ranked.items()))
        if self.thresholds and reached:
            genre, confidence = reached[0], ranked[reached[0]]
        unsure = not reached if self.thresholds else confidence < self.unsure
        named = {} if genre in self.not_music else self._named(ranked)
        return Answer(
            genre,
            confidence,
            {label: score for label, score in named.items() if not self.parents.get(label)},
            {label: score for label, score in named.items() if self.parents.get(label)},
            genre not in self.not_music and unsure,
        )

    def _reached(self, label: str, score: float) -> bool:
        return score >= self.thresholds.get(label, self.several)

    def _named(self, ranked: Mapping[str, float]) -> dict[str, float]:
        """Return the labels that reach their thresholds and their parents; at least the first."""
        music = {label: score for label, score in ranked.items() if label not in self.not_music}
        high = {label for label, score in music.items() if self._reached(label, score)}
        high = high or set(list(music)[:1])
        for label in tuple(high):
            high |= self._above(label) & music.keys()
        return {label: score for label, score in music.items() if label in high}

    def _above(self, label: str) -> set[str]:
        found = set(self.parents.get(label, ()))
        return found.union(*map(self._above, found)) if found else found


NOT_MUSIC = "not music"
"""The label of everything that is not music: noise, tones, speech."""

SOFTMAX = AnswerRule(several=0.25, unsure=0.4, not_music=(NOT_MUSIC,))
"""Default rule of models whose scores sum to one."""

SIGMOID = AnswerRule(several=0.3, unsure=0.2, not_music=(NOT_MUSIC,))
"""Default rule of models that score each genre or tag independently."""


def rule_of(model: GenreModel) -> AnswerRule:
    """Return the rule of a model: its checkpoint's own, or the usual one.

    Raises
    ------
    AnswerError
        The checkpoint's entry ``answers`` is damaged.
    """
    usual = SIGMOID if model.activation == "sigmoid" else SOFTMAX
    own: Any = model.provenance.get("answers", {})
    hierarchy = model.provenance.get("hierarchy", usual.parents)
    try:
        return AnswerRule(
            own.get("several", usual.several),
            own.get("unsure", usual.unsure),
            tuple(own.get("not_music", usual.not_music)),
            hierarchy,
            dict(own.get("thresholds", {})),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise AnswerError("the entry 'answers' of a checkpoint", found=repr(own)) from error
