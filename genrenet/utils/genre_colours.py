"""One colour and pattern for each genre, in all drawings.

There are ten hues, each for light and for dark backgrounds, and six patterns, so 60 slots: the
first 30 differ from their neighbours in both. Common genres have fixed slots; any other has one
derived from its name, or the next one that no other of the given genres uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HUES = (
    ("#2166ac", "#7db3e8"),
    ("#a8500b", "#f0a35e"),
    ("#1b7a3d", "#6cc58a"),
    ("#b3224a", "#f5859e"),
    ("#6a3d9a", "#bda2ee"),
    ("#0a747e", "#5cc5cf"),
    ("#756000", "#d3bd4d"),
    ("#a8328a", "#ea94d4"),
    ("#525b66", "#adb8c4"),
    ("#84472b", "#d6a284"),
)
"""Each hue on a light and on a dark background: with a contrast of at least 4.5:1."""

PATTERNS = 6
SLOTS = len(HUES) * PATTERNS

_KNOWN = """blues electronic reggae rock classical jazz country pop metal hiphop
r&b disco folk punk soul ambient funk latin soundtrack gospel
indie dance ska alternative newage world african asian spoken easylistening"""
_FIXED = {name: slot for slot, name in enumerate(_KNOWN.split())}
_ALSO = {"rap": "hiphop", "rnb": "r&b", "electronica": "electronic", "punkrock": "punk"}


def genre_slots(genres: Iterable[str]) -> dict[str, int | None]:
    """Return the slot of each genre.

    Parameters
    ----------
    genres : iterable of str

    Returns
    -------
    dict of str to int or None
        From 0 to 59, in alphabetical order of the genres: hue ``slot % 10`` of `HUES`, pattern
        ``(slot + slot // 30) % 6``, where 0 is plain. None, which is grey, for labels that are not
        music.

    Examples
    --------
    >>> genre_slots(["Hip-Hop", "blues", "not music"])
    {'Hip-Hop': 9, 'blues': 0, 'not music': None}
    """
    names = sorted({*genres})
    slots: dict[str, int | None] = {}
    for name in names:
        plain = re.sub(r"[\W_]+", "", name.casefold().replace("&", "0amp0")).replace("0amp0", "&")
        plain = _ALSO.get(plain, plain)
        if plain in ("notmusic", "nonmusic"):
            slots[name] = None
        elif plain in _FIXED:
            slots[name] = _FIXED[plain]
    taken = {slot for slot in slots.values() if slot is not None}
    for name in names:
        if name not in slots:
            slot = _hashed(name)
            free = ((slot + step) % SLOTS for step in range(SLOTS))
            slots[name] = slot = next((each for each in free if each not in taken), slot)
            taken.add(slot)
    return {name: slots[name] for name in names}


def genre_colour(slot: int | None, *, dark: bool = False) -> str:
    """Return the colour of a slot, as ``#rrggbb``, on a light or a dark background."""
    if slot is None:
        return "#74808c" if dark else "#7d8894"
    return HUES[slot % len(HUES)][dark]


def _hashed(name: str) -> int:
    """Return a slot derived from a name only, the same as in static/genre_colours.js."""
    found = 0
    for letter in name:
        found = (31 * found + ord(letter)) % 1000003
    return found % SLOTS
