"""A baseline with its own settings, as a small YAML file.

```yaml
baseline: svm
features: spectral-stats    # other than its own
settings: {C: 3.2, gamma: scale}
```
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from genrenet.baselines.base import BaselineError
from genrenet.utils import atomic
from genrenet.utils.errors import printable

KEYS = ("baseline", "features", "settings")


def read_settings(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]] | None:
    """Return a baseline's name (with ``@FEATURES``) and settings; None if a file is not of this
    kind.

    Raises
    ------
    BaselineError
        It names a baseline, but has other entries.
    """
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    if not isinstance(found, dict) or "baseline" not in found:
        return None
    settings = found.get("settings") or {}
    if set(found) - set(KEYS) or not isinstance(settings, dict):
        raise BaselineError(
            f"'{printable(path)}' does not hold the settings of a baseline",
            found=", ".join(map(str, found)),
            wanted="baseline: NAME, settings: {NAME: VALUE} and, if need be, features: NAMES",
        )
    features = f"@{found['features']}" if found.get("features") else ""
    return f"{found['baseline']}{features}", {str(key): value for key, value in settings.items()}


def write_settings(
    path: str | os.PathLike[str], name: str, features: str, settings: Mapping[str, Any]
) -> None:
    """Write a file for `read_settings`; ``features`` are empty for the baseline's own."""
    found = {"baseline": name, **({"features": features} if features else {})}
    text = yaml.safe_dump({**found, "settings": dict(settings)}, sort_keys=False)
    atomic.write_text(path, text)
