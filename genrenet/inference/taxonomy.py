"""Map genres to the names of other taxonomies: renamed, and merged where names coincide.

The built-in tables map each genre to its name at Discogs (https://www.discogs.com, genres and
styles), at MusicBrainz (https://musicbrainz.org/genres) and in beets' genre tree (https://beets.io,
plugin ``lastgenre``).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from genrenet.inference.answers import AnswerRule
from genrenet.inference.result import SongResult
from genrenet.utils.errors import GenrenetError, printable

BUILT_IN = ("ours", "discogs", "musicbrainz", "beets")


class TaxonomyError(GenrenetError):
    """A taxonomy that cannot be read."""


@dataclass(frozen=True)
class Taxonomy:
    """Names of genres, and their parents.

    Attributes
    ----------
    name : str
    names : mapping of str to str
        Name of each of a model's labels, in lower case. Labels that are missing keep their names.
    parents : mapping of str to str
        The parent of a name; top-level genres are not included.
    """

    name: str
    names: Mapping[str, str]
    parents: Mapping[str, str]

    def rename(self, label: str) -> str:
        """Return the name of a label."""
        return self.names.get(label.casefold(), label)

    def labels(self, labels: Iterable[str]) -> list[str]:
        """Return the names of labels and of their parents, each once, parents first.

        A parent precedes its subgenres, so that it comes first where both have the same score.
        """
        found: dict[str, None] = {}
        for name in map(self.rename, labels):
            above = self.parents.get(name)
            found |= dict.fromkeys([name] if above is None else [above, name])
        return list(found)

    def group(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Return scores by this taxonomy's names.

        Scores that sum to one are added up under their common name, and subgenres also count for
        their parent; of independent scores, such as a tagger's, the highest counts.
        """
        exclusive = abs(sum(scores.values()) - 1.0) < 1e-3
        found = dict.fromkeys(self.labels(scores), 0.0)
        for label, score in scores.items():
            name = self.rename(label)
            for one in (name, self.parents.get(name)):
                if one is not None:
                    found[one] = found[one] + score if exclusive else max(found[one], score)
        return {name: round(min(score, 1.0), 6) for name, score in found.items()}

    def rule(self, rule: AnswerRule, labels: Iterable[str]) -> AnswerRule:
        """Return a model's answer rule for the names that `labels` returns."""
        named = self.labels(labels)
        limits: dict[str, float] = {}
        for label, limit in rule.thresholds.items():  # the lowest of labels that are merged
            name = self.rename(label)
            limits[name] = min(limit, limits.get(name, limit))
        return replace(
            rule,
            thresholds=limits,
            not_music=tuple(map(self.rename, rule.not_music)),
            parents={name: [self.parents[name]] for name in named if name in self.parents},
        )

    def apply(self, result: SongResult, rule: AnswerRule) -> SongResult:
        """Rename the genres of a result to this taxonomy's names, in place, its timeline included.

        Parameters
        ----------
        result : SongResult
        rule : AnswerRule
            The model's rule; see `genrenet.inference.answers.rule_of`.
        """
        if not result.scores:
            return result
        self.frames(result.timeline)
        was, likeliest = result.genre, max(result.scores, key=result.scores.__getitem__)
        result.decide(self.group(result.scores), self.rule(rule, result.scores))
        if was is not None and was != likeliest:  # a model may decide otherwise than by scores
            result.genre = self.rename(was)
            result.confidence = result.scores.get(result.genre, result.confidence)
        return result

    def frames(self, timeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rename the genres of a timeline to this taxonomy's names, in place."""
        for frame in timeline:
            frame["scores"] = scores = self.group(frame["scores"])
            frame["genre"] = max(scores, key=scores.__getitem__)
        return timeline


def taxonomy(name_or_file: str | os.PathLike[str]) -> Taxonomy:
    """Return a taxonomy of the package, or of a CSV file.

    Parameters
    ----------
    name_or_file : str or path
        One of `BUILT_IN`, or a file with columns ``genre`` (a model's label) and ``name``, which is
        the new name, or "genre > name" for a subgenre.

    Raises
    ------
    TaxonomyError
        No such name or file, a file without these columns, or more than two levels.

    Examples
    --------
    >>> taxonomy("discogs").rename("metal"), taxonomy("discogs").parents["Heavy Metal"]
    ('Heavy Metal', 'Rock')
    """
    column, what = os.fspath(name_or_file), printable(name_or_file)
    if column in BUILT_IN:
        text = (resources.files("genrenet.inference") / "taxonomies.csv").read_text("utf-8")
    else:
        try:
            text, column = Path(name_or_file).read_text("utf-8-sig"), "name"
        except (OSError, UnicodeDecodeError) as error:
            raise TaxonomyError(
                f"no taxonomy '{what}'",
                found=str(error),
                wanted=f"{', '.join(BUILT_IN)}, or a CSV file with the columns genre and name",
            ) from error
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or not {"genre", column} <= rows[0].keys():
        raise TaxonomyError(
            f"'{what}' is not a taxonomy",
            found=", ".join(map(str, rows[0])) if rows else "no rows",
            wanted="a CSV file with the columns genre and name",
        )
    names, parents = dict[str, str](), dict[str, str]()
    for row in rows:
        *above, name = (part.strip() for part in (row[column] or "").split(" > "))
        if name:
            names[str(row["genre"]).strip().casefold()] = name
            if above:
                parents[name] = above[-1]
    if nested := sorted(parents.keys() & parents.values()):
        raise TaxonomyError(
            f"'{what}' is not a taxonomy",
            found=f"'{nested[0]}' under another genre, and others under it",
            wanted="genres at the top, and one level of others under them",
        )
    return Taxonomy(column if column in BUILT_IN else what, names, parents)
