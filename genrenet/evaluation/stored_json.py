"""Small results kept as JSON, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrenet.utils import atomic


def read_json(file: Path) -> dict[str, Any] | None:
    """Return what `write_json` wrote; None where there is nothing, or something damaged."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Write a file that appears only when it is whole; its folder is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(values))
