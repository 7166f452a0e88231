"""Small results stored as JSON, so that an interrupted run can be resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrenet.utils import atomic


def read_json(file: Path) -> dict[str, Any] | None:
    """Return the content written by `write_json`; None if the file is missing or damaged."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Write a file atomically; its folder is created if missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(values))
