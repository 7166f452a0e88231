"""Genre names: spellings of the same genre, and cells with several genres."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress

from genrenet.data.catalog.base import Reading, clean


def spelling_key(name: str) -> str:
    """Return a key for the spellings of a genre: without case, Unicode form, blanks or hyphens.

    Examples
    --------
    >>> spelling_key("Hip-Hop") == spelling_key(" hip hop ") == spelling_key("HIPHOP")
    True
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = "".join(c for c in folded if not c.isspace() and c not in "-_\u2010\u2011\u2012\u2013")
    return bare or folded


def merged(names: Iterable[str]) -> dict[str, str]:
    """Return the most frequent spelling of every name; the first of equally frequent ones."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        spellings[spelling_key(name)][name] += 1
    found: dict[str, str] = {}
    for counts in spellings.values():
        best = min(counts, key=lambda name: (-counts[name], name))
        found |= dict.fromkeys(counts, best)
    return found


def report_names(reading: Reading) -> None:
    """Report genres that differ only in spelling."""
    counts = Counter(name for song in reading.songs for name in song.names)
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(counts):
        alike[spelling_key(name)].append(name)
    example = {name: song.path for song in reversed(reading.songs) for name in song.names}
    for names in alike.values():
        if len(names) > 1:
            listed = " and ".join(f"{ascii_form(name)} ({counts[name]} songs)" for name in names)
            message = f"{listed} differ in spelling alone; if they are one genre, give it one name"
            reading.report(example[names[-1]], "similar-genres", message)


def ascii_form(name: str) -> str:
    """Return a name in quotes, with escapes for characters that look like ASCII letters."""
    composed = unicodedata.normalize("NFC", name)
    return repr(name) if composed == name else ascii(name)


def cell_values(value: object) -> list[str]:
    """Return the texts in a table's cell: one, or those of a list, from Parquet or written out in a
    CSV.

    Examples
    --------
    >>> cell_values("rock"), cell_values(["rock"]), cell_values("['rock', 'pop']")
    (['rock'], ['rock'], ['rock', 'pop'])
    >>> cell_values(None), cell_values(float("nan")), cell_values("[unknown]")
    ([], [], ['[unknown]'])
    """
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in "[(" and text[-1:] in "])":
            for parse in (json.loads, ast.literal_eval):
                try:
                    found = parse(text)
                except (ValueError, SyntaxError, MemoryError, RecursionError):
                    continue
                if isinstance(found, list | tuple):
                    # From Python 3.12 on, json reads lists that are nested too deep for this.
                    with suppress(RecursionError):
                        return cell_values(found)
        return [value] if clean(value) else []
    if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "tolist"):
        items = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(items, list | tuple | set | frozenset):
            return [text for item in items for text in cell_values(item)]
        value = items
    # NaN differs from itself, and comparisons with pandas' NA have no truth value.
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return []
    return [str(value)]
