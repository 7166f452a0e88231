"""Rules for folders: other settings for the songs in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genrenet.library.tag_plans import Wish
from genrenet.utils.errors import GenrenetError
from genrenet.utils.suggest import nearest

EXISTING = {
    "keep": {"keep_existing": True, "refine": False},
    "refine": {"keep_existing": True, "refine": True},
    "overwrite": {"keep_existing": False, "refine": False},
}
"""Settings for existing genres, by name."""

MOST_DEEP = 3
"""Maximum number of "**" in a pattern: each multiplies the time for a long path."""

_KEYS = ("match", "skip", "genres", "min-confidence", "existing", "subgenres")


class RuleError(GenrenetError):
    """An invalid rule."""


@dataclass(frozen=True)
class Rule:
    """Settings for the songs that a pattern matches.

    Attributes
    ----------
    pattern : re.Pattern
    wishes : mapping of str to object
        Attributes of `Wish`.
    """

    pattern: re.Pattern[str]
    wishes: Mapping[str, Any]


class Rules:
    """An ordered list of rules; of several that match, later ones take precedence.

    Parameters
    ----------
    entries : sequence of mapping
        Each with ``match``, a pattern or a list of them, and some of ``skip`` (bool), ``genres``
        (int), ``min-confidence`` (0 to 1), ``existing`` (keep, refine, overwrite) and ``subgenres``
        (grouping, style, no). A pattern matches folders or files: ``*`` and ``?`` match within one
        name, ``**`` also across folders. It may begin at any folder of the path, unless it begins
        with a slash, and includes everything in a matching folder. Case is ignored.

    Raises
    ------
    RuleError

    Examples
    --------
    >>> rules = Rules([{"match": "Podcasts", "skip": True}, {"match": "*/Live", "genres": 2}])
    >>> rules.wish("/music/podcasts/one/1.mp3", Wish()).skip
    True
    >>> rules.wish("/music/Queen/Live/1.mp3", Wish()).genres
    2
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            raise RuleError("rules", found=repr(entries), wanted="a list, each entry with 'match'")
        self._rules = [rule for number, one in enumerate(entries, 1) for rule in _read(one, number)]

    def wish(self, path: str, wish: Wish) -> Wish:
        """Return the settings for a song."""
        name = unicodedata.normalize("NFC", path.replace("\\", "/"))
        for rule in self._rules:
            if rule.pattern.search(name):
                wish = replace(wish, **rule.wishes)
        return wish


def _read(entry: Any, number: int) -> list[Rule]:
    if not isinstance(entry, Mapping) or not entry.get("match"):
        raise RuleError(f"rule {number}", found=repr(entry), wanted="a mapping with 'match'")
    for key in entry:
        if key not in _KEYS:
            near = " or ".join(nearest(str(key), _KEYS)) or ", ".join(_KEYS)
            raise RuleError(f"rule {number} ('{entry['match']}')", found=f"'{key}'", wanted=near)
    wishes = {
        _attribute(key): _checked(key, value, f"rule {number} ('{entry['match']}')")
        for key, value in entry.items()
        if key not in ("match", "existing")
    }
    if "existing" in entry:
        wishes |= EXISTING[_checked("existing", entry["existing"], f"rule {number}")]
    patterns = entry["match"] if isinstance(entry["match"], list) else [entry["match"]]
    return [Rule(_pattern(str(pattern)), wishes) for pattern in patterns]


def _attribute(key: str) -> str:
    return key.replace("-", "_")


def _checked(key: str, value: Any, what: str) -> Any:
    wanted = {
        "skip": "true or false",
        "genres": "1 or more",
        "min-confidence": "a number from 0 to 1",
        "existing": "keep, refine or overwrite",
        "subgenres": "grouping, style or no",
    }[key]
    good = {
        "skip": isinstance(value, bool),
        "genres": isinstance(value, int) and not isinstance(value, bool) and value > 0,
        "min-confidence": isinstance(value, int | float) and 0 <= value <= 1,
        "existing": isinstance(value, str) and value in EXISTING,
        "subgenres": value is False or value in ("grouping", "style", "no"),
    }[key]
    if not good:
        raise RuleError(f"{what}: '{key}'", found=repr(value), wanted=wanted)
    return "" if key == "subgenres" and value in (False, "no") else value


def _pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern: whole names, anywhere in a path."""
    text = unicodedata.normalize("NFC", text.rstrip("/"))
    deep = [_within_names(part, f"d{number}_") for number, part in enumerate(text.split("**"))]
    if len(deep) > MOST_DEEP + 1:
        found = f"{len(deep) - 1} times '**'"
        raise RuleError(f"the pattern '{text}'", found=found, wanted=f"{MOST_DEEP} at most")
    start = "^" if text.startswith("/") else "(?:^|/)"
    return re.compile(f"{start}{'.*'.join(deep)}(?:/|$)", re.IGNORECASE)


def _within_names(text: str, group: str) -> str:
    """Return the expression for a part of a pattern whose stars match within one name.

    The first match after a star is sufficient, as the next star matches the rest. Without
    backtracking many stars take no longer than one.
    """
    first, *others = (
        "".join("[^/]" if letter == "?" else re.escape(letter) for letter in part)
        for part in re.split(r"\*", text)
    )
    for number, part in enumerate(others, 1):
        if number < len(others):
            first += f"(?=(?P<{group}{number}>[^/]*?{part}))(?P={group}{number})"
        else:
            first += f"[^/]*{part}"
    return first
