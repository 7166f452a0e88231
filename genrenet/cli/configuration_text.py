"""Change settings in a configuration's text and keep the rest, including comments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.cli.configuration import ConfigurationError, parse
from genrenet.utils.atomic import write_text
from genrenet.utils.errors import printable


def with_setting(text: str, key: Sequence[str], values: Sequence[str]) -> str:
    """Return the text of a configuration with a setting changed or added.

    Parameters
    ----------
    text : str
        YAML of the form of a configuration.
    key : sequence of str
    values : sequence of str
        One, or those of a list; "null" restores the default.

    Raises
    ------
    ConfigurationError
        The text has a form that cannot be changed safely.

    Examples
    --------
    >>> print(with_setting("tag:  # rules\\n  map: a.csv  # mine\\n", ("tag", "map"), ["b.csv"]))
    tag:  # rules
      map: b.csv  # mine
    <BLANKLINE>
    >>> with_setting("", ("tag", "min-confidence"), ["0.8"])
    'tag:\\n  min-confidence: 0.8\\n'
    """
    wanted: Any = list(values) if len(values) != 1 else values[0]
    return _checked(text, _edited(text, key, _written(values)), tuple(key), wanted)


def without_setting(text: str, key: Sequence[str]) -> str:
    """Return the text of a configuration without a setting.

    Raises
    ------
    ConfigurationError
        See `with_setting`.

    Examples
    --------
    >>> without_setting("table: a\\nframes: 3\\n", ["table"])
    'frames: 3\\n'
    """
    mapping, depth = _found(text, key)
    names = list(key)
    while depth and len(mapping.value) == 1:  # it would become empty
        names.pop()
        mapping, depth = _found(text, names)
    lines = text.splitlines(keepends=True)
    for name, value in mapping.value if mapping is not None and not mapping.flow_style else ():
        if name.value == names[-1]:
            del lines[name.start_mark.line : _last_line(text, value) + 1]
            break
    return _checked(text, "".join(lines), tuple(key), ...)


def write(file: Path, text: str) -> None:
    """Write a configuration atomically; for a link, its target.

    Raises
    ------
    ConfigurationError
        It cannot be written; the former file is kept.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file.resolve(), text)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the configuration '{printable(file)}'",
            found=error.strerror or str(error),
            remedy="make its folder writable; the old file is unchanged",
        ) from error


def _checked(before: str, after: str, key: tuple[str, ...], value: Any) -> str:
    """Return a changed text if it has the new setting, and is otherwise unchanged."""
    wanted = _values(before)
    if value is ...:
        wanted.pop(key, None)
    else:
        wanted[key] = None if value == "null" else value
    try:
        found = _values(after)
    except ConfigurationError:
        found = {}
    # A command without settings is ignored; a change may add the first.
    same = {k: v for k, v in wanted.items() if v is not None or k == key}
    if {k: v for k, v in found.items() if v is not None or k in same} != same:
        raise ConfigurationError(
            f"'{'.'.join(key)}' cannot be changed: the layout of the file is not supported",
            remedy="change it with 'genrenet config edit'",
        )
    return after


def _values(text: str) -> dict[tuple[str, ...], Any]:
    return {key: one.value for key, one in parse(text, Path("configuration")).settings.items()}


def scalar(text: str) -> str:
    """Return a text as YAML, quoted if it would be parsed as another type.

    Examples
    --------
    >>> print(scalar("~/Music"), scalar("0.8"), scalar("a: b"), scalar("~"))
    ~/Music 0.8 "a: b" "~"
    """
    try:
        plain = _values(f"key: {text}\n") == {("key",): text}
    except ConfigurationError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _written(values: Sequence[str]) -> str:
    if len(values) != 1:
        return f"[{', '.join(json.dumps(value, ensure_ascii=False) for value in values)}]"
    return "null" if values[0] == "null" else scalar(values[0])


def _found(text: str, key: Sequence[str]) -> tuple[Any, int]:
    """Return the innermost mapping on the path to a key, and its depth on this path."""
    import yaml

    node, depth = yaml.compose(text, Loader=yaml.SafeLoader), 0
    while node is not None and depth < len(key) - 1:
        below = next((value for name, value in node.value if name.value == key[depth]), None)
        if below is None or below.id != "mapping":
            break
        node, depth = below, depth + 1
    return node, depth


def _edited(text: str, key: Sequence[str], written: str) -> str:
    mapping, depth = _found(text, key)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    indent = " " * (
        mapping.value[0][0].start_mark.column if mapping is not None and mapping.value else 0
    )
    rest = key[depth:]
    for name, value in mapping.value if mapping is not None else ():
        if name.value != rest[0]:
            continue
        first, last = name.start_mark.line, _last_line(text, value)
        start, end = value.start_mark, value.end_mark
        if len(rest) > 1 and start.index == end.index:
            lines[first + 1 : first + 1] = _lines(f"{indent}  ", rest[1:], written)
        elif len(rest) == 1 and start.line == end.line == first:
            blank = " " if start.index == end.index else ""
            return text[: start.index] + blank + written + text[end.index :]
        else:
            lines[first : last + 1] = _lines(indent, rest, written)
        return "".join(lines)
    if mapping is not None and mapping.flow_style:
        inner = f"{rest[-1]}: {written}"
        for name in reversed(rest[:-1]):
            inner = f"{name}: {{{inner}}}"
        end = mapping.end_mark.index - 1
        return f"{text[:end].rstrip()}{', ' if mapping.value else ''}{inner}{text[end:]}"
    at = len(lines) if mapping is None or not depth else _last_line(text, mapping) + 1
    lines[at:at] = _lines(indent, rest, written)
    return "".join(lines)


def _lines(indent: str, names: Sequence[str], written: str) -> list[str]:
    """Return nested names, each below the previous one, and the value of the last."""
    above = [f"{indent}{'  ' * place}{name}:\n" for place, name in enumerate(names[:-1])]
    return [*above, f"{indent}{'  ' * (len(names) - 1)}{names[-1]}: {written}\n"]


def _last_line(text: str, node: Any) -> int:
    """Return the last line of a node's content: YAML places its end before the next token."""
    line: int = node.end_mark.line
    if node.end_mark.column == 0 and line > node.start_mark.line:
        line -= 1
    lines = text.splitlines()
    while line > node.start_mark.line and not lines[line].partition("#")[0].strip():
        line -= 1
    return line
