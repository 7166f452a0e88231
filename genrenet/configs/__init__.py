"""Packaged configurations for ``genrenet fit --config NAME``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from genrenet.errors import GenrenetError


class ConfigError(GenrenetError):
    """A configuration that does not exist."""


def config_names() -> list[str]:
    """Names of the packaged configurations, such as ``cnn`` and ``debug/overfit``."""
    root = Path(str(resources.files(__name__)))
    return sorted(str(file.relative_to(root).with_suffix("")) for file in root.rglob("*.yaml"))


def config_path(name: str) -> str:
    """Path of a configuration: a file's own path, or a packaged one by its bare name.

    Raises
    ------
    ConfigError
        Neither exists.
    """
    if Path(name).is_file():
        return name
    if name in config_names():
        return str(resources.files(__name__) / f"{name}.yaml")
    raise ConfigError(
        f"no configuration '{name}'",
        wanted=f"a YAML file, or one of {', '.join(config_names())}",
    )
