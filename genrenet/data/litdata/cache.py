"""Chunks of streamed collections: downloaded from an address, kept on disk within a limit."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from genrenet.utils import atomic
from genrenet.utils.cache import cache_folder
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.extras import import_extra

INDEX = "index.json"


class StreamedError(GenrenetError):
    """A streamed collection that is missing, damaged, or made with other settings."""


def is_address(source: str) -> bool:
    """Return whether a source is an address to download from, such as ``s3://bucket/prefix``.

    Examples
    --------
    >>> is_address("s3://bucket/songs"), is_address("/home/me/songs")
    (True, False)
    """
    return "://" in source or source.startswith("local:")


def litdata() -> Any:
    """Return the module litdata, which is installed by an extra.

    Raises
    ------
    StreamedError
        It is not installed.
    """
    what = "a collection that is streamed"
    return import_extra("litdata", what, error=StreamedError)


def not_whole(source: str, found: str) -> StreamedError:
    """Return the error for an incomplete collection."""
    return StreamedError(
        f"the streamed collection '{printable(source)}' is incomplete",
        found=found,
        wanted="all that 'genrenet data prepare --format litdata' wrote",
        remedy="run that again, and copy the whole folder",
    )


def size_of(file: Path) -> int:
    """Return a file's size in bytes; -1 if there is none."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1


class Fetcher:
    """Downloads files from an address; may be sent to other processes.

    Parameters
    ----------
    address : str
        The address of a folder, in the form that litdata's downloaders accept.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._downloader: Any = None
        self._process = -1

    def __getstate__(self) -> dict[str, Any]:
        # Connections and threads are not sent to other processes.
        return {"address": self.address, "_process": -1, "_downloader": None}

    def fetch(self, name: str, file: Path) -> None:
        """Download a file.

        Parameters
        ----------
        name : str
            Its name in the folder.
        file : Path
            Where to store it.

        Raises
        ------
        StreamedError
            It does not exist, or the object store cannot be reached.
        """
        from litdata.streaming.downloader import get_downloader

        try:
            if self._downloader is None or self._process != os.getpid():
                self._downloader = get_downloader(self.address, str(file.parent), [])
                self._process = os.getpid()
            with atomic.replacing(file, sync=False) as part:
                self._download(f"{self.address}/{name}", part)
        # Each kind of object store raises errors of its own.
        except Exception as error:
            raise StreamedError(
                f"cannot download '{name}' from '{self.address}'",
                found=f"{type(error).__name__}: {' '.join(str(error).split())}",
                wanted="a copy of a whole folder that 'genrenet data prepare' wrote",
                remedy="check the address, its credentials and the copy",
            ) from error

    def _download(self, address: str, file: Path) -> None:
        if address.startswith("local:"):  # litdata has no stream for these
            self._downloader.download_file(address, str(file))
            return
        # litdata's own file access starts threads that forked processes cannot use, and rejects
        # servers without TLS.
        # refuses servers without TLS.
        with open(file, "wb") as stream:
            self._downloader.download_fileobj(address, stream)


class ChunkCache:
    """Chunks of a collection on disk; the processes of a machine share downloaded chunks.

    Parameters
    ----------
    address : str
    index : dict
        litdata's index of the collection.
    folder : path, optional
        Where chunks are kept; a folder in the cache folder by default.
    limit : int > 0, optional
        Maximum size in bytes; by default three quarters of the free space.

    Raises
    ------
    StreamedError
        The folder cannot be written.
    """

    def __init__(
        self,
        address: str,
        index: dict[str, Any],
        folder: str | os.PathLike[str] | None = None,
        limit: int | None = None,
    ) -> None:
        self._fetcher, self._limit = Fetcher(address), limit
        self.sizes = {chunk["filename"]: int(chunk["chunk_bytes"]) for chunk in index["chunks"]}
        text = json.dumps(index)
        root = Path(folder) if folder is not None else cache_folder("streamed")
        root = root / hashlib.sha256(self._fetcher.address.encode()).hexdigest()[:16]
        self.folder = root / hashlib.sha256(text.encode()).hexdigest()[:16]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(root / ".lock"):
                for other in root.iterdir():
                    # An older version of the collection.
                    if other.is_dir() and other != self.folder:
                        shutil.rmtree(other, ignore_errors=True)
                atomic.write_text(self.folder / INDEX, text)
        except OSError as error:
            raise StreamedError(
                f"cannot keep chunks in '{printable(root)}'",
                found=str(error),
                remedy="pass a writable folder as --data.store",
            ) from error

    @cached_property
    def limit(self) -> int:
        """Maximum size of the chunks in bytes."""
        if self._limit is not None:
            return self._limit
        kept = sum(max(0, size_of(self.folder / name)) for name in self.sizes)
        return (kept + shutil.disk_usage(self.folder).free) * 3 // 4

    def keep(self, name: str) -> None:
        """Download a chunk unless it is on disk, and record that it was read.

        Parameters
        ----------
        name : str
            Its file's name.

        Raises
        ------
        StreamedError
            It cannot be downloaded completely.
        """
        file = self.folder / name
        with FileLock(file.with_suffix(".fetching")):
            if size_of(file) != self.sizes[name]:
                file.unlink(missing_ok=True)
                self._make_room(self.sizes[name])
                self._fetcher.fetch(name, file)
                if size_of(file) != self.sizes[name]:
                    raise not_whole(self._fetcher.address, f"{size_of(file)} bytes of '{name}'")
            os.utime(file)

    def _make_room(self, wanted: int) -> None:
        """Remove the least recently read chunks until another one fits."""
        kept = []
        for name in self.sizes:
            try:
                status = os.stat(self.folder / name)
            except FileNotFoundError:
                continue
            kept.append((status.st_mtime_ns, status.st_size, name))
        free = self.limit - wanted - sum(size for _, size, _ in kept)
        for _, size, name in sorted(kept):
            if free >= 0:
                break
            (self.folder / name).unlink(missing_ok=True)
            free += size
