"""What ``genrenet tag`` shows: a table of the songs that change, totals, and the next step."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from genrenet.cli.telling import as_json, fact, plural, say, shares, warn
from genrenet.utils.errors import printable, visible
from genrenet.utils.progress import quiet

if TYPE_CHECKING:
    from genrenet.library.tag_plans import Outcome

_OLD, _NEW = 16, 22
"""Columns for the genres before and after."""
_NARROWEST = 12
MOST_ERRORS = 20
"""Songs with errors that are named."""

_WORDS = {
    "same": "have this genre already",
    "agrees": "keep their genre: it is the predicted one, or a subgenre of it",
    "wider": "keep their genre: the predicted one is a subgenre of it",
    "against": "keep a genre that contradicts it (!= above; --overwrite replaces it)",
    "kept": "keep their genre (--overwrite replaces it, --refine checks it)",
    "unsure": "not changed: below --min-confidence {least:g}",
    "skipped": "not changed: excluded by a rule",
    "unmapped": "not changed: the map has an empty tag for their genre",
    "nothing": "not changed: an error in the scan, no genre, or not music",
    "changed": "not changed: the file has changed since",
    "gone": "deleted or moved",
    "failed": "failed",
}


class TagReport:
    """Tells of outcomes as they come, then of all.

    Parameters
    ----------
    base : str
        The folder that paths are shown from.
    write : bool
        Whether the changes are made, rather than shown.
    min_confidence : float in [0, 1]
        The confidence below which a song is not changed.
    """

    def __init__(self, base: str, write: bool, min_confidence: float) -> None:
        self.base, self.write, self.min_confidence = base, write, min_confidence
        self.counts: Counter[str] = Counter()
        self._genres: Counter[str] = Counter()
        self._songs: list[dict[str, Any]] = []
        self._folder: str | None = None
        self._errors = self.also = 0
        # With -q and --write, what was done is no result that anybody waits for.
        self._shown = not as_json() and not (write and quiet())

    def add(self, outcome: Outcome) -> None:
        """Tell of a song if anything changes, contradicts or is wrong."""
        from genrenet.data.catalog.base import clean

        self.counts[outcome.kind] += 1
        listed = outcome.kind in ("tagged", "against")
        if outcome.kind == "tagged":
            self._genres.update(map(clean, outcome.new or ["(none)"]))
        if as_json() and (listed or outcome.error):
            known = {**asdict(outcome), "also": _shown_fields(outcome)}
            known = {key: value for key, value in known.items() if value not in (None, "", {})}
            self._songs.append(known)
        elif listed and self._shown:
            self._show(outcome)
        self.also += len(_shown_fields(outcome))
        if outcome.error:
            self._errors += 1
            if self._errors <= MOST_ERRORS:
                warn(outcome.error)

    def _show(self, outcome: Outcome) -> None:
        folder, name = os.path.split(outcome.path)
        if self._folder is None:
            say(f"in {self.base or os.sep}")
            self._line("song", "now", "  ", "new", "score")
        if folder != self._folder:
            self._folder = folder
            shown = os.path.relpath(folder, self.base) if self.base else folder
            if shown != os.curdir:
                print(visible(printable(shown)))
        sure = "" if outcome.confidence is None else f"{outcome.confidence:.2f}"
        changes = "->" if outcome.old != outcome.new else "=="
        sign = "!=" if outcome.kind == "against" else changes
        shown = visible(printable(name))
        self._line(shown, _values(outcome.old), sign, _values(outcome.new), sure)
        for field, (old, new) in _shown_fields(outcome).items():
            self._line(f"  {field}", _values(old), "->", _values(new), "")

    def _line(self, name: str, old: str, sign: str, new: str, sure: str) -> None:
        from rich.cells import cell_len, set_cell_size

        def cell(text: str, size: int) -> str:
            if cell_len(text) <= size or not sys.stdout.isatty():  # elsewhere nothing is cut
                return text + " " * (size - cell_len(text))
            return set_cell_size(text, size - 1) + "…"

        width = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 80
        rest = max(_NARROWEST, width - _OLD - _NEW - 14)
        line = f"  {cell(name, rest)} {cell(old, _OLD)} {sign} {cell(new, _NEW)} {sure}"
        print(line.rstrip())

    def end(self) -> int:
        """Tell how many songs there were of each kind; return the exit code."""
        from genrenet.library.tag_plans import FAILED

        done = "changed" if self.write else "would be changed (nothing is written without --write)"
        tagged = self.counts["tagged"]
        say(f"{tagged:,} {done}")
        if self._genres:
            say(f"by genre: {shares(self._genres)}")
        for kind, words in _WORDS.items():
            if self.counts[kind]:
                say(f"{self.counts[kind]:,} {words.format(least=self.min_confidence)}")
        if self._errors > MOST_ERRORS:
            warn(f"and {self._errors - MOST_ERRORS:,} more; --json lists them all")
        if failed := sum(self.counts[kind] for kind in FAILED):
            warn(f"{failed:,} of {plural(self.counts.total(), 'file')} had an error")
        fact(written=self.write, changed=tagged, genres=self._genres, kinds=self.counts)
        fact(songs=self._songs)
        return 1 if failed else 0


def _shown_fields(outcome: Outcome) -> dict[str, Any]:
    """Return the other fields that change; not the text of an NFO file."""
    from genrenet.library.tag_values import FIELDS

    return {field: pair for field, pair in outcome.also.items() if field in FIELDS}


def _values(values: Sequence[str] | None) -> str:
    from genrenet.data.catalog.base import clean

    return "—" if values is None else "; ".join(map(clean, values))
