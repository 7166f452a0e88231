"""Options and arguments from configurations that are missing on the command line.

Values go through the types, choices and actions of the command's own parser.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrenet.cli.configuration import (
    ConfigurationError,
    Layer,
    Setting,
    layers,
    path_of,
    user_file,
)
from genrenet.cli.shared_settings import (
    ALONE,
    FILES,
    FILES_TOO,
    OF_LIBRARIES,
    PLACES,
    SHARED,
    SUFFIXES,
)
from genrenet.cli.tag_files import overwrites
from genrenet.utils.errors import printable
from genrenet.utils.suggest import did_you_mean

Parse = Callable[[Sequence[str], argparse.Namespace], tuple[argparse.Namespace, list[str]]]

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

applied: dict[str, tuple[Setting, Any]] = {}
"""This command's values from configurations, by the name of the argument."""


class _Unset:
    """Placeholder for a missing argument; appending to it starts a list."""

    def __copy__(self) -> list[Any]:
        return []


_UNSET = _Unset()


def parse_configured(
    parser: argparse.ArgumentParser, parse: Parse, arguments: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Parse a command line, and fill in missing arguments from configurations.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of one command; its ``prog`` contains the command.
    parse : callable
        The method of argparse that parses; it receives a namespace.
    arguments : sequence of str

    Returns
    -------
    options : Namespace
    rest : list of str
        See `argparse.ArgumentParser.parse_known_args`.

    Raises
    ------
    ConfigurationError
        A configuration is invalid, or a setting of this command is.
    """
    if {"-h", "--help"} & {*arguments}:
        return parse(arguments, argparse.Namespace())
    command = " ".join(parser.prog.split()[1:])
    defaults = {
        action.dest: action.default
        for action in parser._actions
        if action.default is not argparse.SUPPRESS
    }
    wanted = _relax(parser._actions, command)
    options, rest = parse(arguments, argparse.Namespace(**dict.fromkeys(defaults, _UNSET)))
    given = {dest for dest, value in vars(options).items() if value is not _UNSET}
    for action in parser._actions:
        if action.dest in defaults and action.dest not in given:
            default = defaults[action.dest]
            typed = isinstance(default, str) and callable(action.type)
            setattr(options, action.dest, action.type(default) if typed else default)  # type: ignore
    if not given & {*ALONE.get(command, ())}:
        _fill(parser, options, given, layers(_named_library(command, options)))
    missing = [one for one in wanted if one.dest not in given and one.dest not in applied]
    if missing:
        names = ["/".join(one.option_strings) or str(one.metavar or one.dest) for one in missing]
        parser.error(
            f"the following arguments are required: {', '.join(names)}"
            + _remedy(command, {one.dest for one in missing})
        )
    return options, rest


def unless_configured(name: str, path: str | os.PathLike[str]) -> list[str]:
    """Return a path as a list of one word; empty if commands take it from a configuration.

    Parameters
    ----------
    name : str
        A shared setting: "library", "table" or "embeddings".
    path : path
    """
    for layer in reversed(layers()):
        if setting := layer.settings.get((name,)):
            same = isinstance(setting.value, str) and path_of(setting.value, setting.file)
            return [] if same == os.path.abspath(path) else [os.fspath(path)]
    return [os.fspath(path)]


def _remedy(command: str, missing: set[str]) -> str:
    """Return how a configuration can provide a missing argument; '' if it cannot."""
    names = [name for name in PLACES if SHARED[name].uses.get(command, ("",))[0] in missing]
    if not names:
        return ""
    for layer in layers():
        for name in names:
            setting = layer.settings.get((name,))
            if setting is None or not isinstance(setting.value, str):
                continue
            if "out" in missing:
                return f"; the {name} that {setting.where} names is of another library"
            if not os.path.exists(path_of(setting.value, setting.file)):
                return f"; the {name} that {setting.where} names is not there yet"
    said = " and ".join(f"'{name}'" for name in names)
    return f"; name them, or let the library's configuration say {said}: 'genrenet init FOLDER'"


def origin(message: str) -> str:
    """Return the setting of a configuration that a message is about; '' if none."""
    for dest, (setting, value) in applied.items():
        option = f"--{dest.replace('_', '-')}"
        texts = [str(text) for text in (value if isinstance(value, list) else [value])]
        shown = [printable(text) for text in texts if len(text) > 3]
        if re.search(rf"{option}(?![\w-])", message) or any(text in message for text in shown):
            return f"; {setting.name} is set in {setting.where}"
    return ""


def _relax(actions: Iterable[argparse.Action], command: str) -> list[argparse.Action]:
    """Make arguments optional if a configuration may set them; return the required ones."""
    shared = {dest for one in SHARED.values() for dest, _ in [one.uses.get(command, ("", None))]}
    wanted = []
    for action in actions:
        if action.option_strings:
            if action.required:
                wanted.append(action)
                action.required = False
        elif action.dest in shared and action.nargs in (None, "+"):
            wanted.append(action)
            action.nargs, action.required = ("*" if action.nargs else "?"), False
        if not action.option_strings and action.dest in shared:
            action.default = _UNSET
    return wanted


def _named_library(command: str, options: argparse.Namespace) -> str | None:
    """Return the folder of music given on a command line."""
    dest = SHARED["library"].uses.get(command, ("library", None))[0]
    named = getattr(options, dest, None)
    first = named[0] if isinstance(named, list) and named else named
    return first if isinstance(first, str) and os.path.isdir(first) else None


@dataclass(frozen=True)
class _Entry:
    """The setting for one argument of a command."""

    action: argparse.Action
    setting: Setting
    shared: str = ""


def _fill(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    given: set[str],
    files: Sequence[Layer],
) -> None:
    """Set the arguments missing on the command line, and record their origin."""
    rivals = {action.dest: {action.dest} for action in parser._actions}
    for group in parser._mutually_exclusive_groups:
        names = {action.dest for action in group._group_actions}
        rivals |= dict.fromkeys(names, names)
    entries: list[_Entry] = []
    for layer in files:
        here = list(_entries(parser, layer))
        replaced = {rival for entry in here for rival in rivals[entry.action.dest]}
        entries = [entry for entry in entries if entry.action.dest not in replaced] + here
    places = {name: place for place, name in enumerate(SHARED)}
    entries.sort(key=lambda entry: places.get(entry.shared, len(places)))
    library = _folders(files)
    said: dict[str, Setting] = {}
    command = " ".join(parser.prog.split()[1:])
    for entry in entries:
        action, setting = entry.action, entry.setting
        if setting.value is None:
            continue
        value = converted(setting, action)
        if given & rivals[action.dest] or value is False:
            continue
        if entry.shared:
            first = value[0] if isinstance(value, list) and value else value
            if not SHARED[entry.shared].uses[command][1](options, str(first), library):
                continue
        for rival in rivals[action.dest] & said.keys() - {action.dest}:
            raise setting.error(found=f"{said[rival].name} too", wanted="one of them")
        said[action.dest] = setting
        if action.nargs == 0:
            action(parser, options, [], action.option_strings[-1])
        else:
            setattr(options, action.dest, value)
        applied[action.dest] = (setting, value)


def _entries(parser: argparse.ArgumentParser, layer: Layer) -> Iterator[_Entry]:
    """Yield the settings of a file for a command's arguments; its own ones before shared ones."""
    from genrenet.cli.commands import subcommands

    words = tuple(parser.prog.split()[1:])
    by_name, by_dest = settable(parser), {action.dest: action for action in parser._actions}
    own: set[str] = set()
    for setting in layer.settings.values():
        check_key(setting)
        names = setting.key[len(words) :]
        if setting.key[: len(words)] == words and names and names[0] not in subcommands(parser):
            action = by_name.get(".".join(names))
            if action is not None:
                own.add(action.dest)
                yield _Entry(action, setting)
            elif names[0].partition(".")[0] not in getattr(parser, "passes_on", ()):
                raise unknown(setting, by_name)
    for name, one in SHARED.items():
        dest = one.uses.get(" ".join(words), ("", None))[0]
        if dest and dest not in own and (name,) in layer.settings:
            yield _Entry(by_dest[dest], layer.settings[name,], name)


def settable(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Return the long options of a command that a configuration may set, without hyphens."""
    return {
        option[2:]: action
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option not in ("--help", "--version")
    }


def unknown(setting: Setting, known: Iterable[str]) -> ConfigurationError:
    """Return the error for an unknown setting."""
    names = sorted(known)
    near = did_you_mean(setting.key[-1], names)
    return setting.error("there is no such setting", remedy=near or f"there are {', '.join(names)}")


def check_key(setting: Setting) -> None:
    """Raise an error for a setting that is unknown, or not allowed in a library's file.

    Raises
    ------
    ConfigurationError
    """
    from genrenet.cli.commands import COMMANDS, UNCONFIGURED

    first, *rest = setting.key
    if first not in SHARED and (first not in COMMANDS or first in UNCONFIGURED):
        raise unknown(Setting((first,), None, setting.file, setting.line), [*SHARED, *COMMANDS])
    if rest and first not in COMMANDS:
        raise setting.error(found="a mapping", wanted=f"a value for {first}")
    if not rest and first not in SHARED and setting.value is not None:
        wanted = f"a mapping of the options of 'genrenet {first}'"
        raise setting.error(found="a plain value", wanted=wanted)
    allowed = OF_LIBRARIES.get(first if rest else "", ())
    if setting.of_library and (rest or setting.key)[0] not in allowed:
        raise setting.error(
            "a library's own file cannot set this",
            wanted=f"one of {', '.join(allowed)}" if allowed else "",
            remedy=f"set it in {printable(user_file())}",
        )


def converted(setting: Setting, action: argparse.Action) -> Any:
    """Return the value of a setting as the command line would pass it to an option.

    Raises
    ------
    ConfigurationError
        The option does not accept the value.
    """
    value = setting.value
    if action.nargs == 0:
        if isinstance(value, str) and value.casefold() in (*YES, *NO):
            return value.casefold() in YES
        raise setting.error(found=_shown(value), wanted="true or false")
    several = action.nargs in ("+", "*") or isinstance(action, argparse._AppendAction)
    if isinstance(value, list):
        if not several:
            raise setting.error(found="a list", wanted="one value")
        return [_one(setting, action, text) for text in value]
    assert value is not None
    found = _one(setting, action, value)
    return [found] if several else found


def _one(setting: Setting, action: argparse.Action, text: str) -> Any:
    from genrenet.models.adapters.registry import is_reference  # imports numpy

    if action.dest in FILES_TOO and is_reference(text):
        text = _reference(setting, text)
    elif is_file(setting, action, text):
        text = path_of(text, setting.file)
        top = os.path.realpath(setting.file.parent)
        if setting.of_library and not Path(os.path.realpath(text)).is_relative_to(top):
            raise setting.error(
                "a library's own file cannot name files outside the library",
                found=printable(text),
                remedy=f"set it in {printable(user_file())}",
            )
    if setting.of_library and action.dest == "rules" and overwrites(Path(text)):
        raise setting.error(
            "rules of a library's own file cannot replace genres",
            found="'existing: overwrite'",
            remedy=f"set it in {printable(user_file())}, or pass --rules",
        )
    read: Any = action.type or str
    try:
        found = read(text)
    except argparse.ArgumentTypeError as error:
        raise setting.error(str(error)) from None
    except (TypeError, ValueError):
        kinds = {float: "a number", int: "a whole number"}
        raise setting.error(
            found=_shown(text), wanted=kinds.get(read, f"a value for {action.option_strings[-1]}")
        ) from None
    if action.choices is not None and found not in action.choices:
        choices = [str(choice) for choice in action.choices]
        raise setting.error(
            found=_shown(text),
            wanted=f"one of {', '.join(choices)}",
            remedy=did_you_mean(text, choices),
        )
    return found


def _reference(setting: Setting, text: str) -> str:
    """Return a reference for an adapter, with a file's path relative to the configuration."""
    if setting.of_library:
        raise setting.error(
            "a library's own file cannot name an external backbone",
            found=printable(text),
            remedy=f"set it in {printable(user_file())}",
        )
    scheme, _, rest = text.partition(":")
    path = path_of(rest, setting.file)
    return f"{scheme}:{path}" if os.path.exists(path) else text


def _shown(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"'{printable(value)}'"


def is_file(setting: Setting, action: argparse.Action, text: str) -> bool:
    """Return whether a value is a file, and not a model, a list of names or standard output."""
    if text == "-" or "://" in text:
        return False
    if setting.key[0] in PLACES or action.metavar in FILES or action.dest == "out":
        return True
    looks = "/" in text or os.sep in text or text.startswith("~") or text.endswith(SUFFIXES)
    return action.dest in FILES_TOO and looks


def _folders(files: Sequence[Layer]) -> list[str]:
    """Return the folders of the configured library."""
    for layer in reversed(files):
        if setting := layer.settings.get(("library",)):
            value = setting.value or []
            listed = [value] if isinstance(value, str) else value
            return [path_of(text, setting.file) for text in listed]
    return []
