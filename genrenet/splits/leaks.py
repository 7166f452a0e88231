"""Whether a split leaks: artists, or the very same audio, on more than one side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from genrenet import audio
from genrenet.catalog import in_threads
from genrenet.splits.base import PARTS, Split, artist_key, require_columns

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

# Two equal files' headers may differ by what `audio` lets pass as intact, on either side.
_TOLERANCE = 2 * (audio.SLACK + 0.1)


@dataclass(frozen=True)
class Leakage:
    """What a split has on more than one side; true in a condition if there is anything.

    Parameters
    ----------
    split : str
        The split's name.
    n_songs : int
        Songs in the split.
    artists : dict of str to tuple of str
        Artists on more than one side -> their parts, in the order train, validation, test.
    songs : tuple of dict of str to str
        Groups of songs with the same samples on more than one side: `track_id` -> part.
    unreadable : dict of str to str
        `track_id` of songs whose audio could not be compared -> why.
    unknown_artists : int
        Songs that no artist is known of; they could not be compared by artist.
    audio : bool
        Whether audio was compared.
    """

    split: str
    n_songs: int
    artists: dict[str, tuple[str, ...]]
    songs: tuple[dict[str, str], ...]
    unreadable: dict[str, str]
    unknown_artists: int
    audio: bool

    def __bool__(self) -> bool:
        return bool(self.artists or self.songs)

    def report(self) -> str:
        """The findings as text: one line, then one for each artist and group of songs."""
        verdict = "leaks" if self else "no leak was found"
        lines = [f"{self.split}: {verdict} ({self.n_songs} songs)"]
        if self.artists:
            lines.append(f"  artists on more than one side: {len(self.artists)}")
            lines += [f"    {name}: {', '.join(parts)}" for name, parts in self.artists.items()]
        if self.songs:
            lines.append(f"  same audio on more than one side: {len(self.songs)}")
            lines += [
                "    " + " = ".join(f"{track} ({part})" for track, part in group.items())
                for group in self.songs
            ]
        if self.unreadable:
            lines.append(f"  audio not compared, unreadable: {len(self.unreadable)}")
            lines += [f"    {track}: {why}" for track, why in self.unreadable.items()]
        if self.unknown_artists:
            lines.append(f"  not compared by artist, none known: {self.unknown_artists} songs")
        if not self.audio:
            lines.append("  audio was not compared")
        return "\n".join(lines)


def leakage(
    table: pd.DataFrame,
    split: Split,
    *,
    audio: bool = True,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Leakage:
    """Look for artists and for identical audio on more than one side of a split.

    Audio is compared sample by sample (`genrenet.audio.fingerprint`), so a copy under another name
    or in another lossless format is found, another encoding of the same recording is not. Songs
    whose length no song on another side shares need not be decoded.

    Parameters
    ----------
    table : pandas.DataFrame
        With `track_id`, `artist` and `path`.
    split : Split
    audio : bool
        Compare the audio, too: decodes nearly every file.
    progress : callable, optional
        Called with (files decoded, files to decode).
    workers : int >= 1, optional
        Threads; by default one per core, at most 4.

    Returns
    -------
    Leakage

    Raises
    ------
    SplitError
        If the table lacks a column.
    """
    require_columns(table, "track_id", "artist", *(["path"] if audio else []))
    parts = split.parts.reindex(table["track_id"]).to_numpy()
    inside = np.flatnonzero(np.isin(parts.astype(object), PARTS))
    ids, names = table["track_id"].to_numpy()[inside], table["artist"].to_numpy()[inside]
    part_of = dict(zip(ids, parts[inside], strict=True))
    sides: dict[str, set[str]] = defaultdict(set)
    spelling: dict[str, str] = {}
    for track, name in zip(ids, names, strict=True):
        sides[artist_key(name)].add(part_of[track])
        spelling.setdefault(artist_key(name), name)
    artists = {
        spelling[key]: tuple(part for part in PARTS if part in found)
        for key, found in sorted(sides.items())
        if key and len(found) > 1
    }
    songs: tuple[dict[str, str], ...] = ()
    unreadable: dict[str, str] = {}
    if audio:
        paths = dict(zip(ids, table["path"].to_numpy()[inside], strict=True))
        songs, unreadable = _same_audio(paths, part_of, progress, workers)
    unknown = sum(not artist_key(name) for name in names)
    return Leakage(split.name, len(ids), artists, songs, unreadable, unknown, audio)


def _same_audio(
    paths: dict[str, str],
    part_of: dict[str, str],
    progress: Callable[[int, int], None] | None,
    workers: int | None,
) -> tuple[tuple[dict[str, str], ...], dict[str, str]]:
    """Groups of songs with the same samples on more than one side, and songs not compared."""
    unreadable: dict[str, str] = {}

    def attempt(function: Callable[[str], T], track: str) -> T | None:
        try:
            return function(paths[track])
        except audio.AudioError as error:
            unreadable[track] = str(error)
            return None

    ids = list(paths)
    infos = in_threads(lambda track: attempt(audio.probe, track), ids, workers=workers)
    known = {track: info for track, info in zip(ids, infos, strict=True) if info is not None}
    candidates = _candidates(known, part_of)
    prints = in_threads(
        lambda track: attempt(audio.fingerprint, track),
        candidates,
        workers=workers,
        progress=progress,
    )
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for track, digest in zip(candidates, prints, strict=True):
        if digest is not None:
            groups[digest][track] = part_of[track]
    found = tuple(group for group in groups.values() if len(set(group.values())) > 1)
    return found, {track: unreadable[track] for track in ids if track in unreadable}


def _candidates(infos: dict[str, audio.AudioInfo], part_of: dict[str, str]) -> list[str]:
    """The songs that may have a twin on another side, by the number of samples."""
    lengths = {track: info.duration * info.sample_rate for track, info in infos.items()}
    gap = _TOLERANCE * max((info.sample_rate for info in infos.values()), default=0)
    runs: list[list[str]] = []
    last = -np.inf
    for track in sorted(infos, key=lengths.__getitem__):
        if lengths[track] - last > gap:
            runs.append([])
        runs[-1].append(track)
        last = lengths[track]
    shared = (run for run in runs if len({part_of[track] for track in run}) > 1)
    found = {track for run in shared for track in run}
    return [track for track in infos if track in found]
