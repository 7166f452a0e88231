"""Genres in ``album.nfo`` and ``artist.nfo``, which Jellyfin and Kodi read next to the songs.

In an existing file, only the elements ``genre`` of its root are changed; see
https://kodi.wiki/view/NFO_files/Music. A new one contains the name and the genres.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from genrenet.library.genre_tags import GenreTagError
from genrenet.library.table import file_of
from genrenet.library.tag_plans import Changes, Genre, Outcome, Wish, verdict
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable

NFO = "nfo"
"""The field of the undo file with the full text; each byte is stored as a character."""

LARGEST = 1 << 20
NAMES = {"album": "album.nfo", "artist": "artist.nfo"}
_BLANK = " \t\r\n"  # bytes as characters: others may be parts of letters
_NAME_OF = {"album": "title", "artist": "name"}


@dataclass(frozen=True)
class NfoOutcome(Outcome):
    """The change of an NFO file: genres before and after, and its text under `NFO`."""

    def changes(self) -> dict[str, tuple[Genre, Genre]]:
        """Return the change of the text; see `Outcome.changes`."""
        return self.also if self.kind == "tagged" else {}


def plan_nfo(path: str, root: str, name: str, genres: Sequence[str], wish: Wish) -> Outcome:
    """Return the plan for an NFO file.

    Parameters
    ----------
    path : str
        As a table writes it, see `genrenet.library.table.file_of`.
    root : {"album", "artist"}
    name : str
        Name of the album or artist in a new file.
    genres : sequence of str
        Genres to write.
    wish : Wish
        How existing genres are treated.
    """
    try:
        text = _read(file_of(path))
        old = None if text is None else _parsed(text, root).genres
    except (OSError, ValueError, expat.ExpatError) as error:
        what = f"'{printable(path)}' is left alone: {error}"
        return NfoOutcome(path, "failed", error=what)
    if old == list(genres):
        return NfoOutcome(path, "same")
    existing = {"keep_existing": wish.keep_existing, "refine": wish.refine}
    kind = verdict(old or (), genres, **existing)
    if kind != "tagged":
        return NfoOutcome(path, kind, *((old, list(genres)) if kind == "against" else ()))
    new = _new(root, name, genres) if text is None else amended(text, root, genres)
    return NfoOutcome(path, "tagged", old or None, list(genres), also=_change(text, new))


def plan_nfo_back(path: str, changes: Changes) -> Outcome:
    """Return the plan to undo changes of an NFO file, the last change first.

    If another program has rewritten it, but has kept the genres, only the genres are restored.
    """
    root = next((root for root, name in NAMES.items() if path.endswith(name)), "album")
    try:
        found = _read(file_of(path))
        text = found
        for old, new in changes:
            was, now = old[0] if old else None, new[0] if new else None
            if text == now:
                text = was
            elif text != was and text is not None and now is not None:
                if _parsed(text, root).genres != _parsed(now, root).genres:
                    break
                text = amended(text, root, _parsed(was, root).genres if was else [])
        if text == found:
            known = any(found == (old[0] if old else None) for old, _ in changes)
            told = f"the genres of '{printable(path)}' are no longer what was written"
            return NfoOutcome(path, *(("same",) if known else ("changed", None, None, told)))
        before, after = (_parsed(one, root).genres if one else None for one in (found, text))
    except (OSError, ValueError, expat.ExpatError) as error:
        return NfoOutcome(path, "failed", error=f"'{printable(path)}' is left alone: {error}")
    return NfoOutcome(path, "tagged", before or None, after or None, also=_change(found, text))


def _change(old: str | None, new: str | None) -> dict[str, tuple[Genre, Genre]]:
    return {NFO: (None if old is None else [old], None if new is None else [new])}


def write_nfo(outcome: Outcome) -> Outcome:
    """Carry out a plan; a failure is recorded in the outcome."""
    path, (_, new) = file_of(outcome.path), outcome.also[NFO]
    try:
        if new is None:
            os.unlink(path)
            return outcome
        there = os.path.exists(path)
        if there and not os.access(path, os.W_OK):
            raise PermissionError("the file is write-protected")
        with replacing(path) as part:
            part.write_bytes(new[0].encode("latin-1"))
            if there:
                shutil.copystat(path, part)
                os.utime(part)
    except OSError as error:
        what = f"cannot write '{printable(path)}'"
        reason = GenreTagError(what, found=error.strerror or str(error), remedy="it is unchanged")
        return NfoOutcome(outcome.path, "failed", error=str(reason))
    return outcome


@dataclass
class _Parsed:
    """The genres in a root element, their positions and its end (bytes), and its other content."""

    genres: list[str]
    spans: list[tuple[int, int]]
    end: int
    rest: list[object]


def amended(text: str, root: str, genres: Sequence[str]) -> str:
    """Return the text of an NFO file with other genres, otherwise unchanged.

    Examples
    --------
    >>> print(amended("<album>\\n <genre>Other</genre>\\n</album>", "album", ["R&B"]))
    <album>
     <genre>R&amp;B</genre>
    </album>
    """
    found = _parsed(text, root)
    new = _with_genres(text, found, [f"<genre>{_escaped(genre)}</genre>" for genre in genres])
    after = _parsed(new, root)
    if after.rest != found.rest or after.genres != list(genres):
        raise ValueError("its genres cannot be separated from the rest")
    return new


def _with_genres(text: str, found: _Parsed, elements: Sequence[str]) -> str:
    if found.spans:
        before = text[: found.spans[0][0]]
        at = len(before.rstrip(_BLANK))
        gap, between = before[at:], ""
        for low, high in reversed(found.spans):
            text = text[:low].rstrip(_BLANK) + text[high:]
    else:
        at = len(text[: found.end].rstrip(_BLANK))
        newline = "\r\n" if "\r\n" in text else "\n"
        indented = re.findall(r"\n([ \t]+)<", text[:at])
        gap = newline + (indented[-1] if indented else "  ")
        between = "" if "\n" in text[at : found.end] else newline
    return text[:at] + "".join(gap + one for one in elements) + between + text[at:]


def _parsed(text: str, root: str) -> _Parsed:
    if text.startswith(("\xff\xfe", "\xfe\xff")):
        raise ValueError("UTF-16, which is not supported for changes")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found, stack, starts, texts = _Parsed([], [], -1, []), list[str](), list[int](), list[str]()

    def start(name: str, attributes: Any) -> None:
        if not stack and name != root:
            raise ValueError(f"its root is '{name}', not '{root}'")
        stack.append(name)
        if stack == [root, "genre"]:
            starts.append(parser.CurrentByteIndex)
            texts.clear()
        elif stack[:2] != [root, "genre"]:
            found.rest.append((name, attributes))

    def end(_: str) -> None:
        at = parser.CurrentByteIndex
        if stack == [root, "genre"]:
            found.genres.append("".join(texts).strip())
            paired = text.startswith("</genre", at)
            last = text.index(">", at) if paired else text.index("/>", starts[-1]) + 1
            found.spans.append((starts[-1], last + 1))
        elif stack[:2] != [root, "genre"]:
            found.rest.append(None)
        stack.pop()
        if not stack:
            found.end = at

    def said(part: str) -> None:
        if stack[:2] == [root, "genre"]:
            texts.append(part)
        elif part.strip():
            joined = isinstance(found.rest[-1], str)  # what a genre was in between
            found.rest.append((str(found.rest.pop()) if joined else "") + part.strip())

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = said
    try:
        parser.Parse(text.encode("latin-1"), True)
    except expat.ExpatError:
        if found.end < 0:  # a URL may follow the root
            raise
    if text[found.end : found.end + 2] != "</":
        raise ValueError(f"'{root}' is empty")
    return found


def _escaped(text: str) -> str:
    """Return a text escaped for XML in any encoding that contains ASCII."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _new(root: str, name: str, genres: Sequence[str]) -> str:
    head = f"<{_NAME_OF[root]}>{_escaped(name)}</{_NAME_OF[root]}>"
    lines = [head, *(f"<genre>{_escaped(genre)}</genre>" for genre in genres)]
    inner = "".join(f"  {line}\n" for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{inner}</{root}>\n'


def _read(path: str) -> str | None:
    """Return a file's bytes as characters; None if there is no file."""
    try:
        with open(path, "rb") as file:
            found = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    if len(found) > LARGEST:
        raise ValueError("it is too large for an NFO file")
    return found.decode("latin-1")
