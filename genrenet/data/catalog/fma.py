"""The Free Music Archive's data set.

M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for music analysis", ISMIR
2017, https://github.com/mdeff/fma (metadata: fma_metadata.zip; audio: fma_small.zip and others).
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator

from genrenet.data.catalog.base import (
    PART_NAMES,
    CatalogError,
    MissingColumnsError,
    Reader,
    Reading,
    Song,
    SourceNotFoundError,
    UnreadableTableError,
    clean,
)
from genrenet.data.catalog.tags import read_tags
from genrenet.utils.errors import printable

FMA_SUBSETS = ("small", "medium", "large", "full")
FMA_CLIP_SECONDS = 30.0


def fma_table(source: str) -> str | None:
    """Return the path of FMA's tracks.csv (two header rows) in `source`, None if there is none."""
    names = ("tracks.csv", os.path.join("fma_metadata", "tracks.csv"))
    paths = [os.path.join(source, name) for name in names] if os.path.isdir(source) else [source]
    for path in paths:
        if path.lower().endswith(".csv") and os.path.isfile(path):
            first, second = _head(path, 2)
            if {("set", "subset"), ("track", "genre_top")} <= set(zip(first, second, strict=False)):
                return path
    return None


def _head(path: str, n: int) -> list[list[str]]:
    """Return the first `n` rows of a CSV file, [] if it has fewer; invalid UTF-8 is ignored."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        try:
            return [next(rows, []) for _ in range(n)]
        except csv.Error:
            return [[] for _ in range(n)]


def read_fma(source: str, subset: str = "small") -> Reading:
    """Read the Free Music Archive's tracks.csv and find the MP3s of its tracks.

    Files are searched as `000/000002.mp3` in fma_small, fma_medium, fma_large and fma_full next to
    the table (or next to its fma_metadata folder) and in the folder itself. Subsets are cumulative:
    medium contains small, large contains both, and full is large with untrimmed audio. Tracks
    without a top genre are counted in one problem; tracks without a file are reported one by one.

    The table has the length of the *whole* track. If the files are the 30-s clips of all sets
    except fma_full, the duration is at most 30 s.

    Parameters
    ----------
    source : str
        A folder with tracks.csv or fma_metadata/tracks.csv, or that file.
    subset : {"small", "medium", "large", "full"}
        Which tracks.

    Returns
    -------
    Reading

    Raises
    ------
    CatalogError
        If the subset is unknown or there is no such table.
    MissingColumnsError, UnreadableTableError
        If the table is not FMA's.
    """
    if subset not in FMA_SUBSETS:
        raise CatalogError("unknown FMA subset", found=repr(subset), wanted=", ".join(FMA_SUBSETS))
    table = fma_table(source)
    if table is None:
        raise SourceNotFoundError(
            f"no FMA tracks in {printable(source)!r}",
            wanted="tracks.csv or fma_metadata/tracks.csv, with FMA's two header rows",
            remedy="unpack fma_metadata.zip beside fma_small",
        )
    root = os.path.dirname(table)
    if os.path.basename(root) == "fma_metadata":
        root = os.path.dirname(root)
    reading = Reading("fma", root)
    at = FMA_SUBSETS.index(subset)
    # Of several copies of a track, prefer the requested subset's, then a larger, then a smaller
    # set's.
    order = (*FMA_SUBSETS[at:], *reversed(FMA_SUBSETS[:at]))
    folders = [os.path.join(root, f"fma_{name}") for name in order]
    folders = [path for path in (*folders, root) if os.path.isdir(path)]
    clips: dict[str, bool] = {}
    no_genre = 0
    for number, song in _fma_rows(table, subset):
        if not song.genre:
            no_genre += 1
            continue
        song.track_id = f"{number:06d}"
        name = os.path.join(song.track_id[:3], f"{song.track_id}.mp3")
        folder = next((f for f in folders if os.path.isfile(os.path.join(f, name))), None)
        if folder is None:
            reading.report(os.path.join(folders[0], name), "missing-file", f"track {number}")
            continue
        song.path = os.path.join(folder, name)
        if folder not in clips and song.duration > FMA_CLIP_SECONDS + 1:
            clips[folder] = _holds_clips(folder, song.path)
        if clips.get(folder):
            song.duration = min(song.duration, FMA_CLIP_SECONDS)
        reading.songs.append(song)
    if no_genre:
        reading.report(table, "no-genre", f"{no_genre} tracks without a top genre were skipped")
    return reading


def _fma_rows(table: str, subset: str) -> Iterator[tuple[int, Song]]:
    """Yield the number and the metadata of every track in the subset."""
    import pandas as pd

    wanted = (
        ("set", "subset"), ("set", "split"), ("track", "genre_top"), ("artist", "name"),
        ("album", "title"), ("track", "title"), ("track", "duration"),
    )  # fmt: skip
    first, second, third = _head(table, 3)
    columns = list(zip(first, second, strict=False))
    missing = [f"{a}/{b}" for a, b in wanted if (a, b) not in columns]
    if missing:
        raise MissingColumnsError(
            f"{printable(table)!r} is not an FMA table", found=f"no {', '.join(missing)}"
        )
    use = [0, *(columns.index(pair) for pair in wanted)]
    skip = 3 if third[:1] == ["track_id"] else 2
    try:
        frame = pd.read_csv(
            table, header=None, skiprows=skip, usecols=use, dtype=str, keep_default_na=False
        )[use]
    except pd.errors.EmptyDataError:
        return
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UnreadableTableError(f"cannot read {printable(table)!r}", found=str(error)) from None
    frame = frame[frame[use[1]].isin(FMA_SUBSETS[: FMA_SUBSETS.index(subset) + 1])]
    numbers = pd.to_numeric(frame[0], errors="coerce")
    seconds = pd.to_numeric(frame[use[-1]], errors="coerce")
    rows = zip(frame.itertuples(index=False, name=None), numbers, seconds, strict=True)
    for (_, _, part, *texts), number, length in rows:
        genre, artist, album, title = (clean(text) for text in texts[:4])
        if math.isfinite(number):
            split = PART_NAMES.get(part, "")
            yield int(number), Song("", genre, artist, album, title, float(length), split=split)


def _holds_clips(folder: str, path: str) -> bool:
    """Return whether an FMA folder holds 30-s clips: by its name, or else by one of its files."""
    name = os.path.basename(folder)
    if name.startswith("fma_") and name[4:] in FMA_SUBSETS:
        return name != "fma_full"
    length = read_tags(path)[0].get("duration")
    return isinstance(length, float) and length <= FMA_CLIP_SECONDS + 1


FMA = Reader(
    "fma", "the Free Music Archive's data set", lambda path: bool(fma_table(path)), read_fma
)
