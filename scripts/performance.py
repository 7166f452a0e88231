#!/usr/bin/env python3
"""Write the page on speed, docs/performance.md, from what ``scripts/benchmark.py`` has stored.

    python scripts/benchmark.py all --data ../shared/data/emotify --json docs/performance
    python scripts/performance.py

Each file in ``docs/performance/`` is the result of one benchmark, measured on an idle machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark import BENCHMARKS
from benchmarking import spread

from genrenet.utils.atomic import write_text

DOCS = Path(__file__).resolve().parents[1] / "docs"
INTRODUCTION = """\
# Performance

`scripts/benchmark.py` times each stage of the package against a reference, and this page is
generated from its results. Each side runs in a process of its own, and the two alternate. Times are
in milliseconds: the median, and in parentheses the middle half. A ratio of 2 means: twice as fast
as the reference; it is the median over the repetitions, and meaningful only on an idle machine,
so the benchmark also measures how many cores other programs used meanwhile. On processors without
bfloat16 instructions, networks compute in float32.

To measure it on your machine:

```bash
python scripts/benchmark.py classify --data ~/Music
```
"""


def read_stored() -> dict[str, dict[str, Any]]:
    """Return the stored results by the name of their benchmark."""
    files = {name: DOCS / "performance" / f"{name}.json" for name in BENCHMARKS}
    return {
        name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()
    }


def page(stored: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page, as Markdown."""
    lines = [INTRODUCTION]
    for name, held in stored.items():
        lines += [f"## {BENCHMARKS[name][0].upper()}{BENCHMARKS[name][1:]}", ""]
        lines += [*_comparisons(held["results"]), *_limits(held["results"])]
        lines += [f"`scripts/benchmark.py {name}` on {_machine(held['machine'])}.", ""]
    return "\n".join(lines)


def _comparisons(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        [
            *(row["what"], f"{row['reference']}{_note(row)}", str(row["threads"])),
            *(spread(row["ours"]), spread(row["theirs"])),
            *(f"**{row['ratio']:.1f}**", _wanted(row["target"], row["met"])),
        ]
        for row in results
        if "ratio" in row
    ]
    heads = ["what", "reference", "threads", "genrenet, ms", "reference, ms", "ratio", "target"]
    yield from _table(heads, rows)


def _limits(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        [
            f"{row['what']}{_note(row)}",
            f"{row['value']:.3g} {row['unit']}".strip(),
            _wanted(row["limit"], row["met"], "under "),
        ]
        for row in results
        if "ratio" not in row
    ]
    yield from _table(["what", "found", "target"], rows)


def _note(row: Mapping[str, Any]) -> str:
    return f" ({row['note']})" if row["note"] else ""


def _wanted(target: float | None, met: bool, sign: str = "") -> str:
    return "" if target is None else f"{sign}{target:g}{'' if met else ', missed'}"


def _machine(about: Mapping[str, Any]) -> str:
    packages = [
        f"{name} {version}"
        for name, version in about.items()
        if version and name not in ("cpu", "cores", "load", "others")
    ]
    others = about.get("others")
    rest = "" if others is None else f"; other programs used {others:g} cores"
    return f"{about['cores']} cores of {about['cpu']}, {', '.join(packages)}{rest}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        for cells in (heads, ["---"] * len(heads), *rows):
            yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
        yield ""


def main() -> None:
    """Write the page."""
    write_text(DOCS / "performance.md", page(read_stored()))


if __name__ == "__main__":
    main()
