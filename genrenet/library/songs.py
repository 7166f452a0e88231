"""The songs of a library with a model's predictions: from a scan's table, or scored now."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrenet.data.heard import Heard
from genrenet.library.albums import rows_by_album
from genrenet.library.changes import tags_of
from genrenet.library.corrections import answered, genres_of
from genrenet.library.table import SCORE, TAGS, Row, file_of, read_about, read_rows
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.paths import RealPaths

if TYPE_CHECKING:
    from genrenet.inference.taxonomy import Taxonomy

GONE = "the file is gone: moved or removed since the scan"
SAME_FILE = "the same file is there under another name"
NO_MUSIC = "it is no music"
"""Reasons for which songs are left out."""


class LibraryError(GenrenetError):
    """A library without usable songs."""


@dataclass(frozen=True)
class LibrarySongs:
    """Songs that have a genre and exist.

    Attributes
    ----------
    paths : list of str
        Absolute, no file twice.
    genres : list of str
        Predicted or corrected genre of each song.
    confidence : ndarray of float64, shape (songs,)
        From 0 to 1; 1 if corrected.
    labels : list of str
        The model's genres, followed by those that only occur in corrections.
    scores : ndarray of float32, shape (songs, labels)
        From 0 to 1; for corrected songs 1 for the right genre and 0 for others.
    duration : ndarray of float64, shape (songs,)
        Seconds; NaN if unknown.
    checkpoint : str
        The model.
    left_out : dict of str to str
        Reasons for other songs to be left out, by path.
    corrections : dict of str to str
        Right genres stored by the user, by path; see `genrenet.library.corrections`.
    tags : list of dict or None
        Artist, album and title of each song, '' if missing in its tags; None if not in the table:
        see `tags_of`.
    """

    paths: list[str]
    genres: list[str]
    confidence: NDArray[np.float64]
    labels: list[str]
    scores: NDArray[np.float32]
    duration: NDArray[np.float64]
    checkpoint: str
    left_out: dict[str, str] = field(default_factory=dict)
    corrections: dict[str, str] = field(default_factory=dict)
    tags: list[Row | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> LibrarySongs:
        """Return some of the songs, in the order of ``rows``."""
        index = np.asarray(rows, np.int64)
        return LibrarySongs(
            [self.paths[row] for row in index],
            [self.genres[row] for row in index],
            self.confidence[index],
            self.labels,
            self.scores[index],
            self.duration[index],
            self.checkpoint,
            self.left_out,
            self.corrections,
            [self.tags[row] for row in index],
        )

    def tags_of(self, row: int) -> Row:
        """Return artist, album and title of a song, from its file if the table lacks them."""
        known = self.tags[row]
        return tags_of(self.paths[row]) if known is None else known


def scanned_songs(table: str | os.PathLike[str], *, albums: bool = False) -> LibrarySongs:
    """Return the songs of the table of a scan.

    Parameters
    ----------
    table : path
        Table from ``genrenet scan``. Rows in error and files that no longer exist are left out.
    albums : bool
        Combine the scores of songs of an album; see `genrenet.library.albums`.

    Raises
    ------
    TableError
        There is no such table, or it is damaged.
    LibraryError
        It has no song with a genre whose file exists.
    """
    about = read_about(table)
    # Closed here, whatever happens: SQLite requires the thread that opened it.
    with closing(read_rows(table)) as rows:
        heeded = rows_by_album(rows, about.labels) if albums else rows
        songs = collect(heeded, about.labels, about.checkpoint)
    if not len(songs):
        raise nothing_in(f"the table '{printable(table)}'", songs.left_out)
    return songs


def scored_songs(
    paths: Iterable[str | os.PathLike[str]],
    checkpoint: str | None,
    *,
    frames: Heard | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    taxonomy: Taxonomy | None = None,
    albums: bool = False,
) -> LibrarySongs:
    """Return the songs of files and folders, scored now.

    Parameters
    ----------
    paths : iterable of path
    checkpoint, device
        See `genrenet.inference.classify.open_method`; None for the default checkpoint.
    frames
        See `genrenet.inference.classify.score_songs`.
    progress : callable, optional
        Called with (songs scored, total number of songs).
    taxonomy : Taxonomy, optional
        See `genrenet.inference.classify.score_songs`.
    albums : bool
        See `scanned_songs`.

    Raises
    ------
    InferenceError
        There are no audio files.
    LibraryError
        None of them could be scored.
    """
    from genrenet.inference.classify import open_method, score_songs, songs_or_error
    from genrenet.models.checkpoints import default_checkpoint

    given = list(paths)
    files = songs_or_error(given)  # before a model is downloaded for an empty folder
    checkpoint = checkpoint or default_checkpoint()
    model = open_method(checkpoint, device)
    rows = []
    found = score_songs(
        files, model, checkpoint=checkpoint, frames=frames, device=device, taxonomy=taxonomy
    )
    for result in found:
        scores = {SCORE + label: score for label, score in result.scores.items()}
        rows.append({**result.as_dict(), "path": os.path.abspath(result.path), **scores})
        if progress is not None:
            progress(len(rows), len(files))
    labels = taxonomy.labels(model.labels) if taxonomy else list(model.labels)
    if albums:
        rows = list(rows_by_album(sorted(rows, key=lambda row: str(row["path"])), labels))
    songs = collect(rows, labels, checkpoint)
    if not len(songs):
        raise nothing_in(", ".join(f"'{printable(path)}'" for path in given), songs.left_out)
    return songs


def library_songs(
    place: str | os.PathLike[str],
    checkpoint: str,
    *,
    frames: Heard | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LibrarySongs:
    """Return the songs of a scan's table, or of a folder (or a single file), depending on
    ``place``.

    Parameters are those of `scored_songs`; a table needs none of them.

    Raises
    ------
    TableError, InferenceError, LibraryError
        See `scanned_songs` and `scored_songs`.
    """
    from genrenet.library.table import SUFFIXES

    if Path(place).suffix.lower() in SUFFIXES and not os.path.isdir(place):
        return scanned_songs(place)
    return scored_songs([place], checkpoint, frames=frames, device=device, progress=progress)


def nothing_in(place: str, left_out: Mapping[str, str]) -> LibraryError:
    """Return the error of a library without a usable song."""
    first = next(iter(left_out.items()), None)
    found = f"{len(left_out)} songs left out, such as {first[0]}: {first[1]}" if first else "none"
    return LibraryError(
        f"no songs to choose from in {place}",
        found=found,
        wanted="songs with a genre whose files exist",
        remedy="scan the library again with 'genrenet scan LIBRARY --out FILE'",
    )


def collect(rows: Iterable[Mapping[str, Any]], labels: list[str], checkpoint: str) -> LibrarySongs:
    """Return the songs of a table's rows, without those in error or deleted, and without second
    links.
    """
    paths, genres, numbers, scores = list[str](), list[str](), [], []
    left_out: dict[str, str] = {}
    seen, real_paths = set[str](), RealPaths()
    names, corrections = [SCORE + label for label in labels], dict[str, str]()
    tags: list[Row | None] = []
    for row in map(answered, rows):
        stored = row["path"]
        path = file_of(stored)
        real = real_paths.of(path)
        if row["genre"] is None:
            left_out[stored] = row["error"] or "it has no genre"
        elif row.get("genres") in ("", {}):
            left_out[stored] = NO_MUSIC
        elif not os.path.isfile(path):
            left_out[stored] = GONE
        elif real in seen:
            left_out[stored] = SAME_FILE
        else:
            numbered = [row["confidence"], *(row.get(name) or 0.0 for name in names)]
            if not all(
                isinstance(value, float | int) and math.isfinite(value) for value in numbered
            ):
                left_out[stored] = "its confidence or a score is no number"
                continue
            seen.add(real)
            paths.append(path)
            tags.append(None if row.get("title") is None else {name: row[name] for name in TAGS})
            genres.append(row["genre"])
            if row.get("correction"):
                corrections[path] = row["genre"]
            duration = row["duration"]
            numbers.append((row["confidence"], math.nan if duration is None else duration))
            scores.append(numbered[1:])
    table = np.array(numbers, np.float64).reshape(-1, 2)
    matrix = np.array(scores, np.float32).reshape(-1, len(labels))
    labels = genres_of(labels, corrections.values())
    matrix = np.pad(matrix, ((0, 0), (0, len(labels) - matrix.shape[1])))
    for number in [number for number, path in enumerate(paths) if path in corrections]:
        matrix[number] = np.array(labels) == genres[number]
    return LibrarySongs(
        paths,
        genres,
        table[:, 0],
        labels,
        matrix,
        table[:, 1],
        checkpoint,
        left_out,
        corrections,
        tags,
    )
