"""Packaged configurations for ``genrenet fit --config NAME``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from genrenet.utils.errors import GenrenetError


class ConfigError(GenrenetError):
    """A configuration that does not exist."""


def config_names() -> list[str]:
    """Return the names of the packaged configurations, such as ``cnn`` and ``debug/overfit``."""
    root = Path(str(resources.files(__name__)))
    names = [str(file.relative_to(root).with_suffix("")) for file in root.rglob("*.yaml")]
    return sorted(name for name in names if not name.startswith("experiments"))


def experiment_names() -> list[str]:
    """Return the names of the packaged experiments, such as ``four-genres``."""
    root = Path(str(resources.files(__name__))) / "experiments"
    return sorted(file.stem for file in root.glob("*.yaml"))


def experiment(name: str) -> dict[str, Any]:
    """Return the settings of ``genrenet evaluate`` from a YAML file, or from a packaged experiment.

    Parameters
    ----------
    name : str
        A file's path, or one of `experiment_names`.

    Returns
    -------
    dict
        Some of ``models``, ``protocol``, ``seeds``, ``learning_curve``, ``sizes``, ``shots``,
        ``test_on``, ``genre_map``, ``genres``, ``deform``, ``out`` and ``reference``.

    Raises
    ------
    ConfigError
        There is no such file or experiment, or it is invalid.

    Notes
    -----
    ``reference`` lists published figures for comparison, each with ``name``, ``accuracy`` and
    ``source``.
    """
    import yaml

    file = Path(name)
    if not file.is_file():
        if name not in experiment_names():
            raise ConfigError(
                f"no experiment '{name}'",
                wanted=f"a YAML file, or one of {', '.join(experiment_names())}",
            )
        file = Path(str(resources.files(__name__))) / "experiments" / f"{name}.yaml"
    try:
        settings = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{name}' is not YAML", found=" ".join(str(error).split())) from error
    keys = (
        *("models", "protocol", "seeds", "learning_curve", "sizes", "shots"),
        *("test_on", "genre_map", "genres", "deform", "out", "reference"),
    )
    unknown = (
        [str(key) for key in settings if key not in keys] if isinstance(settings, dict) else []
    )
    if not isinstance(settings, dict) or unknown:
        raise ConfigError(
            f"'{name}' is not an experiment",
            found=", ".join(unknown) or type(settings).__name__,
            wanted=f"some of {', '.join(keys)}",
        )
    if type(settings.get("seeds", 1)) is not int:
        raise ConfigError(
            f"'{name}' has no number of seeds", found=str(settings["seeds"]), wanted="such as 3"
        )
    figures = settings.get("reference") or []
    for item in figures if isinstance(figures, list) else [figures]:
        share = item.get("accuracy") if isinstance(item, dict) else None
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise ConfigError(
                f"'{name}' has a published figure that is none",
                found=str(item),
                wanted="name, accuracy (a share from 0 to 1) and source",
            )
        item |= {key: str(value) for key, value in item.items() if key != "accuracy"}
    return settings


def config_path(name: str) -> str:
    """Return the path of a configuration: the given file, or a packaged one by its name.

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
