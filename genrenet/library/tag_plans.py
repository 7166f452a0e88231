"""Decide which tags of a song change, and why others are kept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from genrenet.data.catalog.genre_tree import relation
from genrenet.data.catalog.tags import named_genres
from genrenet.inference.taxonomy import taxonomy
from genrenet.library.corrections import answered
from genrenet.library.genre_tags import GenreTagError, Held, read_fields
from genrenet.library.table import Row, file_of
from genrenet.library.tag_values import GENRE
from genrenet.utils.file_stamp import FileStamp

Genre = list[str] | None
Changes = list[tuple[Genre, Genre]]

FAILED = ("gone", "changed", "failed")
"""Kinds of `Outcome` that carry an error."""


@dataclass(frozen=True)
class Wish:
    """Which songs are tagged, and how.

    Attributes
    ----------
    min_confidence : float, from 0 to 1
        Songs below it are not changed.
    names : mapping of str to tuple of str
        Genres to write for a genre, none if songs of this genre are not to be changed; genres that
        are missing are written unchanged.
    keep_existing : bool
        Do not change files that have a genre in any of their tags.
    force : bool
        Also tag files that have changed since they were scored.
    genres : int, 1 or more
        Maximum number of genres to write, the most likely ones first. One by default: it is the
        most reliable, and many players show no other.
    subgenres : {"", "grouping", "style"}
        The field that subgenres are written to.
    parents : mapping of str to str
        The parent genre of a name. If subgenres are written, a name with a parent is a subgenre,
        and its parent is the genre.
    refine : bool
        Compare with the genres that files have: one that is a subgenre of the new one is kept and
        placeholders are replaced; for others see `keep_existing`.
    skip : bool
        Do not change the song, whatever it is.
    """

    min_confidence: float = 0.5
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep_existing: bool = True
    force: bool = False
    genres: int = 1
    subgenres: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)
    refine: bool = False
    skip: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result, or planned result, for one song.

    Attributes
    ----------
    path : str
        As in the table.
    kind : str
        "tagged"; "same": already has the genre; not changed because "unsure", "unmapped" (by the
        map), "skipped" (by a rule), "kept" (has a genre), "agrees" (has the same, or a subgenre of
        it), "wider" (has a parent of it), "against" (has another one) or "nothing" (the table has
        none, or it is not music); or one of `FAILED`. When undoing: "tagged", "same" or one of
        `FAILED`.
    old, new : list of str, or None
        The genre before and after, for "tagged" songs; for "against", the present genre, possibly
        in a tag that is not written, and the new one.
    error : str
        The error, '' if there is none.
    confidence : float or None
        Of the genre.
    also : dict of str to (list of str or None, list of str or None)
        Other fields that change, before and after.
    """

    path: str
    kind: str
    old: Genre = None
    new: Genre = None
    error: str = ""
    confidence: float | None = None
    also: dict[str, tuple[Genre, Genre]] = field(default_factory=dict)

    def changes(self) -> dict[str, tuple[Genre, Genre]]:
        """Return the fields that change, before and after."""
        genre = {GENRE: (self.old, self.new)} if self.old != self.new else {}
        return {**genre, **self.also} if self.kind == "tagged" else {}


def plan(row: Row, wish: Wish) -> Outcome:
    """Return the plan for a song of a table, without changing its file."""
    if row.get("correction"):  # by the user, unlike a prediction
        wish = replace(wish, keep_existing=False, refine=True)
    row, path = answered(row), row["path"]
    sure = row["confidence"]
    if wish.skip:
        return Outcome(path, "skipped")
    if row["genre"] is None or row["error"] or row["genres"] == "":
        return Outcome(path, "nothing")
    if not (sure or 0) >= wish.min_confidence:
        return Outcome(path, "unsure")
    if not wish.names.get(row["genre"], (row["genre"],)):
        return Outcome(path, "unmapped")
    file = file_of(path)
    if not os.path.lexists(file):
        return Outcome(path, "gone", error=f"'{path}' has been deleted or moved since the scan")
    try:
        held = read_fields(file, (GENRE, wish.subgenres) if wish.subgenres else (GENRE,))
        now = FileStamp.now(file, sampled=True)
    except (GenreTagError, OSError) as error:
        return Outcome(path, "failed", error=str(error))
    labels, genres, subgenres = ours_of(row, wish)
    old: Genre = held.values[GENRE]
    new: Genre = held.stored(genres)
    # Checked first: a file written by an interrupted run differs from the table's state.
    kind = (
        "same"
        if old == new
        else verdict(
            [*(old or ()), *held.others],
            [*labels, *genres],
            keep_existing=wish.keep_existing,
            refine=wish.refine,
        )
    )
    if kind in ("kept", "wider", "against"):
        if kind != "against":
            return Outcome(path, kind, confidence=sure)
        stands = any(value.strip() for value in old or ())
        return Outcome(path, kind, old if stands else [*held.others], new, confidence=sure)
    if kind == "agrees" and old:
        new = [value for value in old if any(named_genres([value]))] or old
    elif kind == "agrees":  # in another of its tags
        new = old
    also = _subgenres(held, subgenres, wish)
    if old == new and not also:
        return Outcome(path, kind)
    if not wish.force and not is_scored(row, now):
        what = f"'{path}' has changed since the scan: scan again, or pass --force"
        return Outcome(path, "changed", error=what)
    return Outcome(path, "tagged", old, new, confidence=sure, also=also)


def ours_of(row: Row, wish: Wish) -> tuple[list[str], list[str], list[str]]:
    """Return the labels of a song's genres, and the genres and subgenres to write."""
    listed = (row.get("genres") or row["genre"]).split("; ")
    below = (row.get("subgenres") or "").split("; ") if wish.subgenres else []
    if row["genre"] not in [*listed, *below]:  # the song's label itself
        listed.insert(0, row["genre"])
    genres, subgenres = dict[str, None](), dict[str, None]()
    for label in (labels := listed[: wish.genres]):
        for name in wish.names.get(label, (label,)):
            parent = wish.parents.get(name) if wish.subgenres else None
            genres[parent or name] = None
            if parent:
                subgenres[name] = None
    for label in filter(None, below):
        subgenres |= dict.fromkeys(wish.names.get(label, (label,)))
    return labels, [*genres], [name for name in subgenres if name not in genres]


def verdict(found: Iterable[str], ours: Sequence[str], *, keep_existing: bool, refine: bool) -> str:
    """Return how the existing genres of a song are treated.

    Parameters
    ----------
    found : iterable of str
        As they are stored.
    ours : sequence of str
        The genres to write, under any of their names.
    keep_existing, refine : bool
        See `Wish`.

    Returns
    -------
    str
        "tagged" if ours replace them; "kept", "agrees", "wider" or "against" as in `Outcome`.

    Examples
    --------
    >>> verdict(["Shoegaze"], ["rock"], keep_existing=True, refine=True)
    'agrees'
    >>> verdict(["Other"], ["rock"], keep_existing=True, refine=True)
    'tagged'
    """
    found = [value for value in found if value.strip()]
    if refine:
        found = list(named_genres(found))
        called = [*ours, *map(taxonomy("ours").rename, ours)]
        relations = {relation(name, called) for name in found}
        if relations & {"same", "below"}:
            return "agrees"
        if found and keep_existing:
            return "wider" if "above" in relations else "against"
    return "kept" if found and keep_existing else "tagged"


def _subgenres(held: Held, subgenres: Sequence[str], wish: Wish) -> dict[str, tuple[Genre, Genre]]:
    """Return the change of the field for subgenres; none if it was set by another program."""
    if not subgenres or wish.subgenres not in held.values:
        return {}
    old, new = held.values[wish.subgenres], held.stored(subgenres)
    if old == new or (wish.keep_existing and any(value.strip() for value in old or ())):
        return {}
    return {wish.subgenres: (old, new)}


def plan_back(path: str, changes: Mapping[str, Changes]) -> Outcome:
    """Return the plan to undo changes of a file, by field, the last change first."""
    file = file_of(path)
    if not os.path.lexists(file):
        return Outcome(
            path, "gone", error=f"'{path}' has been deleted or moved since it was tagged"
        )
    try:
        held = read_fields(file, changes)
    except GenreTagError as error:
        return Outcome(path, "failed", error=str(error))
    told, back = "", dict[str, tuple[Genre, Genre]]()
    for field_, lines in changes.items():
        found = held.values.get(field_)
        known, former = _former(found, lines)
        if known:
            back[field_] = (found, former)
        else:
            what = f"the {field_} of '{path}' is no longer what was written"
            told = f"{what}: {found}; it is left alone"
    if not back:
        return Outcome(path, "changed", error=told)
    old, new = back.pop(GENRE, (None, None))
    also = {one: pair for one, pair in back.items() if pair[0] != pair[1]}
    if old == new and not also:
        return Outcome(path, "changed" if told else "same", error=told)
    return Outcome(path, "tagged", old, new, told, also=also)


def _former(found: Genre, changes: Iterable[tuple[Genre, Genre]]) -> tuple[bool, Genre]:
    """Return whether a field is as it was written, and its earlier value."""
    known, former = False, found
    for old, new in changes:
        if former == new:
            former = old
        elif former != old:  # neither written nor, after an interruption, unwritten
            break
        known = True
    return known, former


def is_scored(row: Row, now: FileStamp) -> bool:
    """Return whether a file's content is the same as for the table's row."""
    was = FileStamp.of(row)
    if was.sample is None:  # from an older table
        return was[:2] == now[:2]
    return was.sample == now.sample
