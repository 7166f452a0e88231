"""Draw the layers of the package from the import contract in ``setup.cfg``.

python scripts/layers.py              write docs/assets/layers.svg
python scripts/layers.py --check      exit with 1 where the file is not current
"""

from __future__ import annotations

import configparser
import html
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "assets" / "layers.svg"

MEANINGS = {
    "cli": "commands and what they print",
    "hookspecs": "what plugins can add",
    "web": "page and JSON API",
    "recommend": "what to listen to next",
    "playlists": "lists of songs",
    "library": "tables, tags, corrections",
    "evaluation": "folds, metrics, tests, reports",
    "baselines": "classical methods",
    "features": "numbers that describe songs",
    "inference": "from files to genres",
    "training": "Lightning module, fine-tuning",
    "models": "front ends, networks, checkpoints",
    "data": "collections, splits, frames, stores",
    "audio": "any file to mono samples",
    "plugins": "finds and registers plugins",
    "utils": "errors, caches, files, hardware",
    "version": "",
}
"""Description of each layer."""

WIDTH, ROW, GAP = 560, 54, 10


def layers(setup: str) -> list[list[str]]:
    """Return the packages of each layer, from the top.

    Parameters
    ----------
    setup : str
        Text of ``setup.cfg``.

    Examples
    --------
    >>> layers("[importlinter:contract:layers]\\nlayers =\\n  cli : hooks\\n  data")
    [['cli', 'hooks'], ['data']]
    """
    config = configparser.ConfigParser()
    config.read_string(setup)
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    return [[name.strip() for name in line.split(":")] for line in lines if line.strip()]


def drawing(rows: list[list[str]]) -> str:
    """Return the layers as SVG: one row per layer, whose packages do not import each other.

    Parameters
    ----------
    rows : list of list of str
        See `layers`.

    Raises
    ------
    KeyError
        A package without an entry in `MEANINGS`.
    """
    height = len(rows) * (ROW + GAP) + GAP
    names = "; ".join(" and ".join(row) for row in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" font-family="sans-serif">',
        f"<title>Layers of genrenet, from the top: {html.escape(names)}</title>",
    ]
    for number, row in enumerate(rows):
        wide = (WIDTH - GAP * (len(row) + 1)) / len(row)
        y = GAP + number * (ROW + GAP)
        for place, name in enumerate(row):
            x = GAP + place * (wide + GAP)
            middle = x + wide / 2
            meaning = html.escape(MEANINGS[name])
            parts += [
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{ROW}" rx="4" '
                'fill="#e8eaf6" stroke="#5c6bc0"/>',
                f'<text x="{middle:.1f}" y="{y + 23}" text-anchor="middle" font-size="16" '
                f'font-weight="bold" fill="#1a237e">{html.escape(name)}</text>',
                f'<text x="{middle:.1f}" y="{y + 42}" text-anchor="middle" font-size="13" '
                f'fill="#37474f">{meaning}</text>',
            ]
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: list[str]) -> int:
    """Write the file, or report whether it is current."""
    made = drawing(layers((ROOT / "setup.cfg").read_text("utf-8")))
    if arguments == ["--check"]:
        current = FILE.is_file() and FILE.read_text("utf-8") == made
        print(f"{FILE.relative_to(ROOT)} is {'' if current else 'not '}current")
        return 0 if current else 1
    FILE.write_text(made, "utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
