"""Detect leakage: artists, segments of one song, or identical audio in several parts of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from genrenet import audio
from genrenet.data.catalog import in_threads
from genrenet.data.splits.base import PARTS, Split, artist_key, require_columns

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

# Headers of two equal files may each be off by as much as `audio` accepts for an intact file.
_TOLERANCE = 2 * (audio.SLACK + 0.1)
NOT_FOUND = (
    "only identical samples are found, under any tags and in any lossless coding: a recording "
    "coded again with loss, at another sample rate or cut at another start is not"
)
"""Limits of the comparison of audio."""


@dataclass(frozen=True)
class Leakage:
    """Artists, segments and songs in more than one part of a split; true if there are any.

    Parameters
    ----------
    split : str
        The split's name.
    n_songs : int
        Songs in the split; segments of a song are one.
    artists : dict of str to tuple of str
        Artists in more than one part -> their parts, in the order train, validation, test.
    segments : dict of str to tuple of str
        Songs with segments in more than one part -> their parts.
    songs : tuple of dict of str to str
        Groups of songs with the same samples in more than one part: `track_id` -> part.
    unreadable : dict of str to str
        `track_id` of songs whose audio could not be compared -> reason.
    unknown_artists : int
        Number of songs without a known artist; they could not be compared by artist.
    audio : bool
        Whether audio was compared.
    """

    split: str
    n_songs: int
    artists: dict[str, tuple[str, ...]]
    segments: dict[str, tuple[str, ...]]
    songs: tuple[dict[str, str], ...]
    unreadable: dict[str, str]
    unknown_artists: int
    audio: bool

    def __bool__(self) -> bool:
        return bool(self.artists or self.segments or self.songs)

    def report(self) -> str:
        """Return the findings as text: a summary line, then one for each artist and song."""
        verdict = "leaks" if self else "no leak was found"
        lines = [f"{self.split}: {verdict} ({self.n_songs} songs)"]
        for what, found in (
            ("artists in more than one part", self.artists),
            ("songs with segments in more than one part", self.segments),
        ):
            if found:
                lines.append(f"  {what}: {len(found)}")
                lines += [f"    {name}: {', '.join(parts)}" for name, parts in found.items()]
        if self.songs:
            lines.append(f"  same audio in more than one part: {len(self.songs)}")
            lines += [
                "    " + " = ".join(f"{track} ({part})" for track, part in group.items())
                for group in self.songs
            ]
        return "\n".join([*lines, *self.limits()])

    def limits(self) -> list[str]:
        """Return lines on songs that could not be compared."""
        lines = []
        if self.unreadable:
            lines.append(f"  audio not compared, unreadable: {len(self.unreadable)}")
            lines += [f"    {track}: {why}" for track, why in self.unreadable.items()]
        if self.unknown_artists:
            lines.append(f"  not compared by artist, none known: {self.unknown_artists} songs")
        lines.append(f"  {NOT_FOUND}" if self.audio else "  audio was not compared")
        return lines


def leakage(
    table: pd.DataFrame,
    split: Split,
    *,
    audio: bool = True,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Leakage:
    """Check one split for leakage; see `leakages`."""
    return leakages(table, [split], audio=audio, progress=progress, workers=workers)[0]


def leakages(
    table: pd.DataFrame,
    splits: Sequence[Split],
    *,
    audio: bool = True,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> list[Leakage]:
    """Check splits for artists, songs and identical audio in more than one part.

    Audio is compared sample by sample (`genrenet.audio.fingerprint`), so a copy under another name
    or in another lossless format is found; another encoding of the same recording is not. Every
    file is decoded once, however many splits there are; songs with a length that no song in another
    part of any split has need not be decoded.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id`, `artist` and `path`; `song` where rows are segments of songs.
    splits : sequence of Split
        Splits of these songs: for example all folds of all seeds.
    audio : bool
        Also compare the audio: decodes nearly every file.
    progress : callable, optional
        Called with (files decoded, files to decode).
    workers : int >= 1, optional
        Threads; by default one per core, at most 4.

    Returns
    -------
    list of Leakage
        One for each split, in their order.

    Raises
    ------
    SplitError
        If the table lacks a column.
    """
    require_columns(table, "track_id", "artist", *(["path"] if audio else []))
    tracks = table["track_id"].tolist()
    artists = dict(zip(tracks, table["artist"], strict=True))
    songs = dict(zip(tracks, table.get("song", tracks), strict=True))
    sides = [_sides(split, tracks) for split in splits]
    twins: list[list[str]] = []
    unreadable: dict[str, str] = {}
    if audio:
        paths = dict(zip(tracks, table["path"], strict=True))
        twins, unreadable = _same_audio(paths, sides, progress, workers)
    found = []
    for split, part_of in zip(splits, sides, strict=True):
        groups = ({t: part_of[t] for t in group if t in part_of} for group in twins)
        found.append(
            Leakage(
                split.name,
                len({songs[track] for track in part_of}),
                _crossing(part_of, artists, artist_key),
                _crossing(part_of, songs, str),
                tuple(group for group in groups if len(set(group.values())) > 1),
                {track: why for track, why in unreadable.items() if track in part_of},
                len({songs[track] for track in part_of if not artist_key(artists[track])}),
                audio,
            )
        )
    return found


def _sides(split: Split, tracks: Sequence[str]) -> dict[str, str]:
    """Return the part of each song that is in the split."""
    parts = split.parts.reindex(tracks).tolist()
    return {track: part for track, part in zip(tracks, parts, strict=True) if part in PARTS}


def _crossing(
    part_of: dict[str, str], names: dict[str, str], key: Callable[[str], Hashable]
) -> dict[str, tuple[str, ...]]:
    """Return names that are in more than one part, in their first spelling, with their parts."""
    sides: dict[Hashable, set[str]] = defaultdict(set)
    spelling: dict[Hashable, str] = {}
    for track, part in part_of.items():
        name = key(names[track])
        sides[name].add(part)
        spelling.setdefault(name, names[track])
    return {
        spelling[name]: tuple(part for part in PARTS if part in sides[name])
        for name in sorted(filter(None, sides), key=str)
        if len(sides[name]) > 1
    }


def _same_audio(
    paths: dict[str, str],
    sides: Sequence[dict[str, str]],
    progress: Callable[[int, int], None] | None,
    workers: int | None,
) -> tuple[list[list[str]], dict[str, str]]:
    """Return groups of songs with the same samples, and songs that could not be compared."""
    unreadable: dict[str, str] = {}

    def attempt(function: Callable[[str], T], track: str) -> T | None:
        try:
            return function(paths[track])
        except audio.AudioError as error:
            unreadable[track] = str(error)
            return None

    ids = [track for track in paths if any(track in part_of for part_of in sides)]
    infos = in_threads(lambda track: attempt(audio.probe, track), ids, workers=workers)
    known = {track: info for track, info in zip(ids, infos, strict=True) if info is not None}
    candidates = _candidates(known, sides)
    prints = in_threads(
        lambda track: attempt(audio.fingerprint, track),
        candidates,
        workers=workers,
        progress=progress,
    )
    groups: dict[str, list[str]] = defaultdict(list)
    for track, digest in zip(candidates, prints, strict=True):
        if digest is not None:
            groups[digest].append(track)
    found = [group for group in groups.values() if len(group) > 1]
    return found, {track: unreadable[track] for track in ids if track in unreadable}


def _candidates(infos: dict[str, audio.AudioInfo], sides: Sequence[dict[str, str]]) -> list[str]:
    """Return the songs that may have a duplicate in another part of some split, by the number of
    samples.
    """
    lengths = {track: info.duration * info.sample_rate for track, info in infos.items()}
    gap = _TOLERANCE * max((info.sample_rate for info in infos.values()), default=0)
    runs: list[list[str]] = []
    last = -np.inf
    for track in sorted(infos, key=lengths.__getitem__):
        if lengths[track] - last > gap:
            runs.append([])
        runs[-1].append(track)
        last = lengths[track]

    def crosses(run: Iterable[str], part_of: dict[str, str]) -> bool:
        return len({part_of[track] for track in run if track in part_of}) > 1

    shared = (run for run in runs if any(crosses(run, part_of) for part_of in sides))
    found = {track for run in shared for track in run}
    return [track for track in infos if track in found]
