"""From a song's scores to what is said of it: genres, subgenres, or that none is sure.

A score is taken for the probability that the genre is right, which it is where a model was
calibrated. A checkpoint may bring limits of its own, chosen on songs that it did not learn from, in
the entry ``answers`` of its description; others are judged by `SOFTMAX` or `SIGMOID`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from genrenet.utils.errors import GenrenetError

if TYPE_CHECKING:
    from genrenet.models.model import GenreModel


class AnswerError(GenrenetError):
    """Limits that no score can be held against."""


class Answer(NamedTuple):
    """What a song's scores say.

    Attributes
    ----------
    genre : str
        The label with the highest score; of labels with thresholds, among those that reach theirs.
    confidence : float
        Its score.
    genres : dict of str to float
        All genres whose scores reach the limit, the highest first; the first alone where none does,
        and none of what is no music.
    subgenres : dict of str to float
        The same of genres that lie under others.
    unsure : bool
        Whether no genre has a score that is to be believed.
    """

    genre: str
    confidence: float
    genres: dict[str, float]
    subgenres: dict[str, float]
    unsure: bool


@dataclass(frozen=True)
class AnswerRule:
    """Which of a song's scores are answers.

    Parameters
    ----------
    several : float, from 0 to 1
        The score from which on a genre is named beside the first.
    unsure : float, from 0 to 1
        The score below which the first genre is not to be believed.
    not_music : tuple of str
        Labels that are no genres, such as "not music": a song with one of them first has no genre.
    parents : mapping of str to list of str
        The genres that a label lies under; labels that are not named are genres themselves.
    thresholds : mapping of str to float
        The scores from which on labels are named, of models that learnt several genres per song:
        instead of ``several``, and a song with none of them is ``unsure``.

    Raises
    ------
    AnswerError
        A limit out of range.
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
        """Return what scores say.

        Parameters
        ----------
        scores : mapping of str to float
            By label, of which there is one at least.

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
        """Return what reaches the limit, with the genres it lies under; the first in any case."""
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
"""The label of noise, tones and speech."""

SOFTMAX = AnswerRule(several=0.25, unsure=0.4, not_music=(NOT_MUSIC,))
"""Of models that share out a score of one among their genres."""

SIGMOID = AnswerRule(several=0.3, unsure=0.2, not_music=(NOT_MUSIC,))
"""Of models that score each genre or tag by itself."""


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
