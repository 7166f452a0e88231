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

from genrenet.evaluation.report.ranking import table_lines
from genrenet.utils.atomic import write_text

DOCS = Path(__file__).resolve().parents[1] / "docs"
INTRODUCTION = """\
# Performance

`scripts/benchmark.py` times each stage of the package against a reference, and this page is
generated from its results. Each side runs in a process of its own, and the two alternate. Times are
in milliseconds: the median, and in parentheses the middle half. A ratio of 2 means: twice as fast
as the reference; it is the median over the repetitions, and meaningful only on an idle machine,
so the benchmark also measures how many cores other programs used meanwhile. On processors without
bfloat16 instructions, networks compute in float32 (bfloat16 is slower there).

A *target* is the ratio that this project aims at; "missed" says that the machine of the measurement
does not reach it. *Eager* is PyTorch without compilation, *compiled* with `--compile`; `32` and
`bf16` are float32 and bfloat16. `random-cnn` and `random-crnn` have the sizes of the published
networks and random weights; the note on *logits* is the largest difference between the two sides.
Files are decoded in separate processes, which isolate damaged ones: libraries that decode in the
calling process, and resample on all cores, can be faster.

To measure it on your machine:

```bash
python scripts/benchmark.py classify --data ~/Music
```
"""

OTHER_PROCESSORS = """\
## Processors with AVX-512 and AMX

On two cores with AVX-512 and AMX instructions, where networks compute in bfloat16 by default, the
benchmarks of an earlier version gave these ratios; the results were not stored.

| task | reference | ratio |
| --- | --- | --- |
| log-mel spectrogram of a 29-s frame | librosa, torchaudio, nnAudio | 3.2, 1.9, 4.0 |
| CNN on one frame | plain PyTorch in float32 | float32 3.2 to 3.5, bfloat16 6.4 |
| CRNN on one frame | plain PyTorch in float32 | float32 4.2, bfloat16 10.1 |
| `musicnn-msd`, all patches of a one-minute MP3 | the published program | 1.9 |
| songs per second from the prepared store | decoding in every epoch | 48 |
| decoding MP3 and Ogg to 12 kHz | librosa | 1.4, 1.0 |
| the same | Essentia | 6.6, 6.2 |

100 whole songs (MP3, two to three minutes) were classified in 18 s with `genres-fused`, 20 s with
`genres` and 12 s with `genres-cnn`, start-up included; an MP3 of three hours in 16 s, with 1.1 GB
of memory, 1.0 GB of which are the libraries. Scanning 300 songs took 2 % more memory than 10.
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
    return "\n".join([*lines, OTHER_PROCESSORS])


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
        if version and name not in ("cpu", "cores", "instructions", "load", "others")
    ]
    others = about.get("others")
    rest = "" if others is None else f"; other programs used {others:g} cores"
    processor = f"{about['cpu']} ({about['instructions']})"
    return f"{about['cores']} cores of {processor}, {', '.join(packages)}{rest}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [*table_lines(heads, rows), ""] if rows else []


def main() -> None:
    """Write the page."""
    write_text(DOCS / "performance.md", page(read_stored()))


if __name__ == "__main__":
    main()
