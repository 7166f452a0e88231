"""Asks a running ``genrenet serve`` for the genres of a file. Needs neither Picard nor genrenet."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TRIES = 5
"""Times that a server is asked that has too much to do."""
_CHUNK = 1 << 16


class AskError(Exception):
    """A file whose genres are not known, and why."""


@dataclass(frozen=True)
class Settings:
    """What the options say.

    Attributes
    ----------
    url : str
        Where the server is.
    token : str
        What it asks for, '' if it asks for nothing.
    count : int
        Most genres of a file.
    min_confidence : float, from 0 to 1
        Files below it get none.
    replace : bool
        Replace the genres that files have.
    title_case : bool
        "Hip Hop" rather than "hip hop".
    """

    url: str = "http://127.0.0.1:8765"
    token: str = ""
    count: int = 1
    min_confidence: float = 0.5
    replace: bool = False
    title_case: bool = True


def genres_of(path: str, settings: Settings, timeout: float = 600.0) -> list[str]:
    """Return the genres of a file, the likeliest first; none where the server is not sure.

    Parameters
    ----------
    path : str
        An audio file, which is sent as it is.
    settings : Settings
    timeout : float, seconds
        For each answer.

    Raises
    ------
    AskError
        The file cannot be read, the server cannot be reached, or it refuses.
    """
    for attempt in range(TRIES):
        status, answer, wait = _asked(path, settings, timeout)
        if status not in (429, 503) or attempt == TRIES - 1:
            break
        time.sleep(wait)
    if status == 401:
        raise AskError(f"'{settings.url}' asks for a token: enter it in the options of the plugin")
    if status != 200:
        reason = answer.get("error") or f"HTTP {status}"
        raise AskError(f"genrenet knows no genre of '{path}': {reason}")
    if answer.get("confidence", 0.0) < settings.min_confidence:
        return []
    names = list(answer.get("genres", {}))[: max(1, settings.count)]
    return [_capitals(name) if settings.title_case else name for name in names]


def _asked(path: str, settings: Settings, timeout: float) -> tuple[int, dict[str, Any], float]:
    """Return the status, the answer, and how long to wait before the next try (s)."""
    edge = uuid.uuid4().hex
    # The name tells the kind of file; what else is in it is nobody's business.
    name = "song" + "".join(c for c in os.path.splitext(path)[1] if c.isalnum() or c == ".")
    disposition = f'form-data; name="file"; filename="{name}"'
    head = f"--{edge}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    tail = f"\r\n--{edge}--\r\n".encode()
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size

            def body() -> Iterator[bytes]:
                yield head
                left = size
                while left and (part := file.read(min(_CHUNK, left))):
                    left -= len(part)
                    yield part
                yield tail

            headers = {
                "Content-Type": f"multipart/form-data; boundary={edge}",
                "Content-Length": str(len(head) + size + len(tail)),
            }
            if settings.token:
                headers["Authorization"] = f"Bearer {settings.token.strip()}"
            return _sent(settings.url, body(), headers, timeout)
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _unreachable(settings.url, error) from error
    except OSError as error:
        if error.filename == path:
            raise AskError(f"cannot read '{path}': {error.strerror}") from error
        raise _unreachable(settings.url, error) from error


def _sent(
    url: str, body: Iterator[bytes], headers: dict[str, str], timeout: float
) -> tuple[int, dict[str, Any], float]:
    parts = urlsplit(url if "//" in url else f"http://{url}")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except ValueError as error:
        raise AskError(f"'{url}' is no address of a server: {error}") from error
    try:
        # It may answer before it has read all, such as that the file is too large.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", f"{parts.path.rstrip('/')}/api/classify", body, headers)
        answer = connection.getresponse()
        try:
            found = json.loads(answer.read())
        except ValueError:
            found = {"error": "the answer is not genrenet's"}
        wait = answer.headers.get("Retry-After", "")
        seconds = min(float(wait), 30.0) if wait.isdecimal() else 1.0
        return answer.status, found if isinstance(found, dict) else {}, seconds
    finally:
        connection.close()


def _unreachable(url: str, error: Exception) -> AskError:
    said = str(error) or type(error).__name__
    return AskError(f"no genrenet at '{url}' ({said}): start it with 'genrenet serve'")


def _capitals(name: str) -> str:
    """Return a genre with capitals, but for the "s" of "children's music"."""
    return re.sub(r"(?<![\w'\u2019])\w", lambda found: found[0].upper(), name)
