"""Extension of griffe: names that share an entry of a docstring get an entry each.

griffe would give all of them the type of the first.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_SHARED = re.compile(r"^((?:\w+, )+\w+)\n((?: +\S.*\n?)+)", re.M)


def apart(text: str) -> str:
    r"""Return a docstring in which each name has an entry.

    Examples
    --------
    >>> apart("a, b\n    See there.\n")
    'a\n    See there.\nb\n    See there.\n'
    """

    def entries(found: re.Match[str]) -> str:
        body = found[2] if found[2].endswith("\n") else f"{found[2]}\n"
        return "".join(f"{name}\n{body}" for name in found[1].split(", "))

    return _SHARED.sub(entries, text)


class Apart(griffe.Extension):
    """Rewrites docstrings as they are read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one."""
        if obj.docstring:
            obj.docstring.value = apart(obj.docstring.value)
