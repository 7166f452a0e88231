"""Parse a user's input: shares such as ``jazz:2``, durations such as ``1h30``, a song's name."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence

from genrenet.playlists.base import PlaylistError
from genrenet.utils.errors import printable
from genrenet.utils.suggest import did_you_mean

_LENGTH = re.compile(
    r"(?:(?P<h>[\d.]+)(?:h|hours?))?(?:(?P<m>[\d.]+)(?:m|mins?|minutes?|\Z))?"
    r"(?:(?P<s>[\d.]+)(?:s|secs?|seconds?))?"
)


def parse_length(text: str) -> float:
    """Return a duration in seconds; a plain number is in minutes.

    Raises
    ------
    PlaylistError
        Not a duration, or not above 0.

    Examples
    --------
    >>> [parse_length(text) for text in ("60min", "1h30", "45", "3600s", "1.5 h")]
    [3600.0, 5400.0, 2700.0, 3600.0, 5400.0]
    """
    found = _LENGTH.fullmatch("".join(text.lower().split()))
    seconds = 0.0
    try:
        for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
            seconds += float(found[unit] or 0) * size if found else 0.0
    except ValueError:  # such as 1.2.3
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise PlaylistError("--length", found=f"'{text}'", wanted="such as 60min, 1h30, 45 or 90s")
    return seconds


def parse_mix(texts: Iterable[str], labels: Sequence[str]) -> dict[str, float]:
    """Return the shares of genres from texts such as ``jazz:2`` and ``blues``.

    Parameters
    ----------
    texts : iterable of str
        A genre, in any case, with ':' and its share (1 by default). Shares of a genre given twice
        are added.
    labels : sequence of str
        The known genres.

    Returns
    -------
    dict of str to float
        In the order given.

    Raises
    ------
    PlaylistError
        There is no such genre (similar ones are listed), or a share is not above 0.

    Examples
    --------
    >>> parse_mix(["Jazz:2", "blues"], ["blues", "jazz"])
    {'jazz': 2.0, 'blues': 1.0}
    """
    mix: dict[str, float] = {}
    for text in texts:
        genre, share = _named(text, labels), 1.0
        before, colon, after = text.rpartition(":")
        if genre is None and colon:
            genre, share = _named(before, labels), _share(text, after)
        if genre is None:
            raise _unknown(before if colon else text, labels)
        mix[genre] = mix.get(genre, 0.0) + share
    return mix


def _named(text: str, labels: Sequence[str]) -> str | None:
    folded = {label.casefold(): label for label in reversed(labels)}
    return text if text in labels else folded.get(text.strip().casefold())


def _share(text: str, share: str) -> float:
    try:
        number = float(share)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise PlaylistError(
            f"--genre '{text}'", found=f"the share '{share}'", wanted="a number above 0: 'jazz:2'"
        )
    return number


def _unknown(genre: str, labels: Sequence[str]) -> PlaylistError:
    # This imports torch, which is only needed here.
    from genrenet.models.checkpoints import models_with_label

    remedies = [near] if (near := did_you_mean(genre, labels)) else []
    if models := models_with_label(genre):
        know = "knows" if len(models) == 1 else "know"
        remedies.append(
            f"{', '.join(models)} {know} it: run 'genrenet scan LIBRARY --out FILE "
            f"--checkpoint {models[0]}' and use that file"
        )
    return PlaylistError(
        f"the library's model has no genre '{printable(genre)}'",
        wanted="one of " + ", ".join(labels),
        remedy="; ".join(remedies),
    )


def find_song(text: str, paths: Sequence[str]) -> int:
    """Return the song that a user specifies: its path, or a part of its path that no other has.

    Parameters
    ----------
    text : str
        A path from the working folder, or a part of one in any case.
    paths : sequence of str
        Absolute paths of the songs.

    Returns
    -------
    int
        Its index in ``paths``.

    Raises
    ------
    PlaylistError
        There is none, or more than one.
    """
    for path in (os.path.abspath(text), os.path.realpath(text)):
        if path in paths:
            return paths.index(path)
    part = text.casefold()
    found = [place for place, path in enumerate(paths) if part in path.casefold()]
    named = [place for place in found if part in os.path.basename(paths[place]).casefold()]
    found = named or found
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"'{printable(paths[place])}'" for place in found[:3])
        raise PlaylistError(
            f"'{printable(text)}' may be any of {len(found)} songs",
            found=f"{listed}{' ...' if len(found) > 3 else ''}",
            remedy="write more of its path",
        )
    raise PlaylistError(
        f"the library has no song '{printable(text)}'",
        remedy=did_you_mean(text, map(os.path.basename, paths), 3)
        or "name one by its path, or a part of it",
    )
