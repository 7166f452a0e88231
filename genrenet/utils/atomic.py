"""Write files atomically: first under another name next to the target, then renamed.

A reader sees the old file or the new one. After a failure, Ctrl-C included, only the old one
exists; a killed process may leave its ``.NAME.*.part``, which the same program overwrites or the
user may delete.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME_BYTES = 200  # of the target's name that are kept: file systems allow 255


def part_of(path: str | os.PathLike[str], suffix: str = "") -> Path:
    """Return the temporary name that `replacing` uses before renaming the file to ``path``.

    Parameters
    ----------
    path : path
    suffix : str
        Suffix after ``.part``, for writers that require one.

    Returns
    -------
    Path
        In the same folder, since only a file of the same file system can be renamed; hidden, and
        unique to the process and thread.
    """
    path = Path(path)
    name = os.fsencode(path.name)[:_NAME_BYTES].decode("utf-8", "ignore")
    return path.with_name(f".{name}.{os.getpid()}-{threading.get_ident()}.part{suffix}")


def put_in_place(part: Path, path: str | os.PathLike[str], *, sync: bool = True) -> None:
    """Rename a finished file; an existing file of that name is replaced.

    Parameters
    ----------
    part : Path
        A closed file in the same file system as ``path``.
    path : path
    sync : bool
        Wait until the content is on disk, so that a power failure cannot leave an empty file under
        the new name. Not needed for files that can be made again and are verified when read.

    Raises
    ------
    OSError
        The disk is full, or the file cannot be replaced.
    """
    if sync:
        with open(part, "rb") as held:
            os.fsync(held.fileno())
    os.replace(part, path)


@contextmanager
def replacing(
    path: str | os.PathLike[str], *, suffix: str = "", sync: bool = True
) -> Iterator[Path]:
    """Yield a path to write to, which replaces ``path`` at the end of the block.

    Parameters
    ----------
    path : path
        Its folder must exist. A device or a pipe cannot be replaced and is written directly.
    suffix : str
        See `part_of`.
    sync : bool
        See `put_in_place`.

    Yields
    ------
    Path
        Path to write to; if the block writes nothing, ``path`` is unchanged.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written. Callers name the file in their own error.

    Examples
    --------
    >>> with replacing("songs.csv") as part:  # doctest: +SKIP
    ...     part.write_text("path,genre\\n", "utf-8")
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    part = part_of(path, suffix)
    try:
        with suppress(OSError):  # left by a process that was killed
            part.unlink()
        yield part
        if os.path.lexists(part):
            put_in_place(part, path, sync=sync)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(
    path: str | os.PathLike[str], text: str, *, errors: str = "strict", sync: bool = True
) -> None:
    """Write a UTF-8 file atomically, with the lines as they are in ``text``.

    Parameters
    ----------
    path : path
    text : str
    errors : str
        How lone surrogates, which UTF-8 cannot represent, are handled; see `open`.
    sync : bool
        See `put_in_place`.

    Raises
    ------
    OSError
        See `replacing`.
    UnicodeEncodeError
        Lone surrogates, with ``errors="strict"``.
    """
    with replacing(path, sync=sync) as part:
        part.write_bytes(text.encode("utf-8", errors))
