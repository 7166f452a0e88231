"""Configuration files: the user's own, and one at the top of a library.

A file is a YAML mapping of plain values: settings that several commands share (``library``,
``table``, ...; see `genrenet.cli.shared_settings`), and for each command a mapping of its long
options. Paths in it are relative to its folder. The library's file overrides the user's, and
options on the command line override both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from genrenet.utils.errors import GenrenetError, printable

NAME = ".genrenet.yaml"
"""Name of the file at the top of a library."""

VARIABLE = "GENRENET_CONFIG"
"""Environment variable with the path of the user's configuration; if empty, none is read."""

LARGEST = 100_000
"""Maximum size of a file in bytes; a list of playlists to exclude may be long."""

DEEPEST = 6
MOST = 2_000
"""Maximum depth and number of settings of a file: YAML aliases can multiply a few lines."""

PLAIN = ("null", "bool", "int", "float", "str", "timestamp", "seq")
"""YAML tags of values; all of them stay text."""


class ConfigurationError(GenrenetError):
    """A configuration that cannot be read, or is invalid."""


@dataclass(frozen=True)
class Setting:
    """One setting of a file.

    Attributes
    ----------
    key : tuple of str
        Its names from the top down, such as ``("tag", "min-confidence")``.
    value : str, list of str, or None
        As it is written; None for ``null``, which restores the default.
    file : Path
    line : int
        From 1; 0 for a setting implied by the file's location.
    """

    key: tuple[str, ...]
    value: str | list[str] | None
    file: Path
    line: int

    @property
    def name(self) -> str:
        """Its names, joined by dots."""
        return ".".join(self.key)

    @property
    def where(self) -> str:
        """File and line, as text."""
        return f"{printable(self.file)}" + (f", line {self.line}" if self.line else "")

    @property
    def of_library(self) -> bool:
        """Whether the file is the library's."""
        return self.file != user_file()

    def error(self, problem: str = "", **more: str) -> ConfigurationError:
        """Return an error about this setting."""
        told = ": ".join(part for part in (self.where, self.name, problem) if part)
        return ConfigurationError(told, **more)


@dataclass(frozen=True)
class Layer:
    """The settings of one file, by key."""

    file: Path
    settings: dict[tuple[str, ...], Setting]


def user_file() -> Path:
    """Return the path of the user's configuration: ``GENRENET_CONFIG``, or the default."""
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    import platformdirs

    return platformdirs.user_config_path("genrenet") / "config.yaml"


def library_file(folder: str | os.PathLike[str]) -> Path | None:
    """Return the configuration of the library that contains a folder, if it has one."""
    place = Path(os.path.abspath(folder))
    for above in (place, *place.parents):
        if (above / NAME).is_file():
            return above / NAME
    return None


def layers(folder: str | os.PathLike[str] | None = None) -> list[Layer]:
    """Return the configured settings, the nearest last.

    Parameters
    ----------
    folder : path, optional
        A library's folder. Without it the library's file is searched from the current folder
        upwards, and then in the library that is set in the user's file.

    Raises
    ------
    ConfigurationError
        A file cannot be read, or is invalid.
    """
    if os.environ.get(VARIABLE) == "":
        return []
    found = [read(user_file())]
    near = library_file(folder or os.curdir)
    own = found[0].settings.get(("library",))
    if near is None and folder is None and own is not None and isinstance(own.value, str):
        near = library_file(path_of(own.value, own.file))
    if near is not None and near != found[0].file:
        layer = read(near)
        # A file at the top of a library need not contain its path.
        usual = Setting(("library",), ".", near, 0)
        found.append(Layer(near, {usual.key: usual, **layer.settings}))
    return found


def path_of(text: str, file: Path) -> str:
    """Return a path in a file as an absolute one.

    Examples
    --------
    >>> path_of("a.parquet", Path("/music/.genrenet.yaml"))
    '/music/a.parquet'
    """
    return os.path.normpath(file.parent / os.path.expanduser(text))


def read(file: Path) -> Layer:
    """Return the settings of a file; none if there is no file.

    Raises
    ------
    ConfigurationError
    """
    try:
        stat = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Layer(file, {})
    except OSError as error:
        raise _unreadable(file, error) from error
    return _read(file, stat.st_mtime_ns, stat.st_size)


def parse(text: str, file: Path) -> Layer:
    """Return the settings of a file's text.

    Raises
    ------
    ConfigurationError
        It is invalid YAML, or does not have the form of a configuration.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        place = getattr(error, "position", 0)  # for characters that are invalid in YAML
        line = mark.line + 1 if mark else text[:place].count("\n") + 1
        found = getattr(error, "problem", None) or getattr(error, "reason", str(error))
        raise ConfigurationError(
            f"{printable(file)}, line {line}",
            found=str(found).partition("\n")[0],
            wanted="YAML",
            remedy="put text with ': ', '#' or quotes into quotes",
        ) from error
    except RecursionError:
        raise ConfigurationError(f"{printable(file)} is nested too deeply") from None
    settings: dict[tuple[str, ...], Setting] = {}
    for setting in _settings(node, (), file) if node is not None else ():
        if setting.key in settings:
            first = settings[setting.key].line
            raise setting.error("is there twice", found=f"it in line {first} too", wanted="one")
        settings[setting.key] = setting
        if len(settings) > MOST:
            raise ConfigurationError(f"{printable(file)} contains more than {MOST} settings")
    return Layer(file, settings)


@cache
def _read(file: Path, changed: int, size: int) -> Layer:
    """Read a file once, until it changes."""
    if size > LARGEST:
        raise ConfigurationError(
            f"{printable(file)} is not a configuration",
            found=f"{size:,} bytes",
            wanted=f"{LARGEST:,} at most",
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{printable(file)}, line {line}",
            found=f"the byte {error.object[error.start]:#x}",
            wanted="UTF-8",
        ) from error
    except OSError as error:
        raise _unreadable(file, error) from error
    return parse(text, file)


def _unreadable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot read the configuration '{printable(file)}'",
        found=error.strerror or str(error),
        remedy="make it readable, or name another file with GENRENET_CONFIG",
    )


def _settings(node: Any, above: tuple[str, ...], file: Path) -> Iterator[Setting]:
    """Yield the settings of a mapping and of those in it."""
    line = node.start_mark.line + 1
    if node.id != "mapping":
        at = Setting(above or ("the file",), None, file, line)
        raise at.error(found=_kind(node), wanted="a mapping: 'name: value'")
    if len(above) >= DEEPEST:
        raise Setting(above, None, file, line).error("is nested too deeply")
    for name, value in node.value:
        line = name.start_mark.line + 1
        if name.id != "scalar" or not re.fullmatch(r"[\w.+-]+", name.value):
            at = Setting(above or ("the file",), None, file, line)
            raise at.error(found=_kind(name), wanted="the name of a setting")
        key = (*above, name.value)
        if value.id == "mapping":
            yield from _settings(value, key, file)
        else:
            yield Setting(key, _value(value, Setting(key, None, file, line)), file, line)


def _value(node: Any, at: Setting) -> str | list[str] | None:
    """Return a value as it is written: it is parsed by the types of options, not by YAML."""
    if node.tag not in {f"tag:yaml.org,2002:{kind}" for kind in PLAIN}:
        raise at.error(found=f"the tag {node.tag}", wanted="a plain value")
    if node.id == "sequence":
        if bad := [part for part in node.value if part.id != "scalar"]:
            raise at.error(found=f"{_kind(bad[0])} in a list", wanted="plain values")
        return [str(part.value) for part in node.value]
    return None if node.tag.endswith(":null") else str(node.value)


def _kind(node: Any) -> str:
    names = {"mapping": "a mapping", "sequence": "a list"}
    return names.get(node.id, f"'{str(getattr(node, 'value', ''))[:40]}'")
