"""Files of ``genrenet embed``: written song by song, and renamed when they are complete."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrenet.utils import atomic
from genrenet.utils.errors import GenrenetError, printable

if TYPE_CHECKING:
    from genrenet.features import SongEmbedding

GROUP_BYTES = 1 << 24
"""Number of frames that are buffered before they are written as a Parquet row group."""


class EmbeddingFileError(GenrenetError):
    """A file of embeddings that cannot be written or read."""


class _Song(NamedTuple):
    """Fields kept for every song: two vectors, whatever its length."""

    path: str
    frames: int
    error: str | None
    mean: NDArray[np.float32]
    std: NDArray[np.float32]


class EmbeddingFile:
    """A file to which songs are added one after another; use it in a ``with`` statement.

    Parameters
    ----------
    out : Path
        Written by `finish`, and not before.
    per : {"frame", "song", "both"}
        Kinds of rows in the file.
    about : mapping
        Metadata of the file.
    """

    def __init__(self, out: Path, per: str, about: Mapping[str, Any]) -> None:
        self.out, self.per, self.about = out, per, about
        self.songs: list[_Song] = []
        self.parts: dict[Path, Path] = {}

    def __enter__(self) -> EmbeddingFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self.close()
        for part in self.parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def add(self, song: SongEmbedding) -> None:
        """Add the next song.

        Raises
        ------
        EmbeddingFileError
            It cannot be written.
        """
        row = _Song(printable(song.path), len(song.frames), song.error, song.song, song.std)
        with self._writing():
            if self.per != "song":
                self.add_frames(song)
        self.songs.append(row)

    def finish(self) -> None:
        """Complete the file, and give it its name.

        Raises
        ------
        EmbeddingFileError
            It cannot be written.
        """
        with self._writing():
            self.write()
            self.close()
            for file, part in self.parts.items():
                atomic.put_in_place(part, file)

    def add_frames(self, song: SongEmbedding) -> None:
        """Add a song's frames."""
        raise NotImplementedError

    def write(self) -> None:
        """Write buffered data."""
        raise NotImplementedError

    def close(self) -> None:
        """Close open files."""

    def part(self, file: Path) -> Path:
        """Return the name of a file until it is complete."""
        return self.parts.setdefault(file, atomic.part_of(file))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EmbeddingFileError(
                f"cannot write '{printable(self.out)}'",
                found=str(error),
                remedy="free some space, or choose another place; finished embeddings are in "
                "the cache",
            ) from error


class NpzFile(EmbeddingFile):
    """NumPy's archive: its arrays are written at once, so frames are collected in memory."""

    def __init__(self, out: Path, per: str, about: Mapping[str, Any]) -> None:
        super().__init__(out, per, about)
        self.gathered: list[SongEmbedding] = []

    def add_frames(self, song: SongEmbedding) -> None:
        """Add a song's frames."""
        self.gathered.append(song)

    def write(self) -> None:
        """Write all arrays."""
        arrays: dict[str, Any] = {
            "paths": np.array([song.path for song in self.songs]),
            "frames": np.array([song.frames for song in self.songs]),
            "errors": np.array([song.error or "" for song in self.songs]),
        }
        if self.per != "song":
            arrays["embeddings"] = np.concatenate([song.frames for song in self.gathered])
            arrays["song"] = np.repeat(np.arange(len(self.songs)), arrays["frames"])
            arrays["start"] = np.concatenate([song.starts for song in self.gathered])
            arrays["end"] = np.concatenate([song.ends for song in self.gathered])
        if self.per != "frame":
            arrays["song_embeddings"] = np.stack([song.mean for song in self.songs])
            arrays["song_std"] = np.stack([song.std for song in self.songs])
        with open(self.part(self.out), "wb") as file:
            np.savez(file, **arrays, **self.about)


class ParquetFile(EmbeddingFile):
    """Parquet: frames are written in row groups; songs follow at the end, with few bytes each."""

    def __init__(
        self, out: Path, per: str, about: Mapping[str, Any], group_bytes: int = GROUP_BYTES
    ) -> None:
        super().__init__(out, per, about)
        self.metadata = {key: str(value) for key, value in about.items()}
        self.group_bytes = group_bytes
        self.waiting: list[tuple[int, SongEmbedding]] = []
        self.waiting_bytes = 0
        self.sink: Any = None
        self.writer: Any = None

    def __enter__(self) -> EmbeddingFile:
        if self.per != "song":
            with self._writing():  # fail before hours are spent on the songs
                self.sink = open(self.part(self.out), "wb")
        return self

    def add_frames(self, song: SongEmbedding) -> None:
        """Add a song's frames, and write a row group if enough are buffered."""
        self.waiting.append((len(self.songs), song))
        self.waiting_bytes += song.frames.nbytes
        if self.waiting_bytes >= self.group_bytes:
            self._flush()

    def write(self) -> None:
        """Write the last row group, and the songs."""
        import pyarrow.parquet

        if self.waiting:
            self._flush()
        if self.per != "frame":
            file = self.out if self.per == "song" else self.out.with_suffix(".songs.parquet")
            table = _song_table(self.songs).replace_schema_metadata(self.metadata)
            with open(self.part(file), "wb") as sink:
                pyarrow.parquet.write_table(table, sink)

    def close(self) -> None:
        """Close the frames' file."""
        writer, sink, self.writer, self.sink = self.writer, self.sink, None, None
        try:
            if writer is not None:
                writer.close()
        finally:
            if sink is not None:
                sink.close()

    def _flush(self) -> None:
        import pyarrow.parquet

        table = _frame_table(self.waiting)
        if self.writer is None:
            schema = table.schema.with_metadata(self.metadata)
            self.writer = pyarrow.parquet.ParquetWriter(self.sink, schema)
        self.writer.write_table(table)
        self.waiting, self.waiting_bytes = [], 0


def _frame_table(songs: Sequence[tuple[int, SongEmbedding]]) -> Any:
    import pyarrow as pa

    lengths = [len(song.frames) for _, song in songs]
    paths = pa.array([printable(song.path) for _, song in songs], pa.string())
    return pa.table(
        {
            "path": paths.take(pa.array(np.repeat(np.arange(len(songs)), lengths))),
            "song": pa.array(np.repeat([row for row, _ in songs], lengths), pa.int64()),
            "start": np.concatenate([song.starts for _, song in songs]),
            "end": np.concatenate([song.ends for _, song in songs]),
            "embedding": _vectors(np.concatenate([song.frames for _, song in songs])),
        }
    )


def _song_table(songs: Sequence[_Song]) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "path": pa.array([song.path for song in songs], pa.string()),
            "frames": pa.array([song.frames for song in songs], pa.int64()),
            "mean": _vectors(np.stack([song.mean for song in songs])),
            "std": _vectors(np.stack([song.std for song in songs])),
            "error": pa.array([song.error for song in songs], pa.string()),
        }
    )


def _vectors(rows: Any) -> Any:
    """Return the rows of a matrix as lists of a fixed length of float32: NaN for songs without any.

    Versions of Arrow read missing lists in different ways, and some not at all.
    """
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
