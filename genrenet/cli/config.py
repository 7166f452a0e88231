"""``genrenet config``: show, check and change the configuration."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.cli.commands import COMMANDS, UNCONFIGURED
from genrenet.cli.configuration import (
    NAME,
    VARIABLE,
    ConfigurationError,
    Layer,
    Setting,
    layers,
    library_file,
    parse,
    read,
    user_file,
)
from genrenet.cli.configured import check_key, converted, is_file, settable, unknown
from genrenet.cli.parsers import parsers
from genrenet.cli.parsing import CommandParser
from genrenet.cli.shared_settings import FILES_TOO, SHARED
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, say
from genrenet.utils.errors import printable, visible
from genrenet.utils.suggest import did_you_mean

EXAMPLES = f"""examples:
  genrenet config                                     the settings that are set, and their files
  genrenet config set library ~/Music
  genrenet config set tag.min-confidence 0.8
  genrenet config set playlist.exclude Christmas live       a list
  genrenet config get table
  genrenet config unset tag.min-confidence
  genrenet config edit

Shared settings: {", ".join(SHARED)}.
All others are long options of commands: COMMAND.OPTION, such as serve.port. Options on the command
line override a library's own file, {NAME} at its top level (--here), which overrides the user's.
{VARIABLE} names another file instead of the user's; if it is empty, no configuration is read.

exit code: 0 success, 1 the setting is not set (get, unset), 2 the command could not be carried out
"""

Keys = dict[tuple[str, ...], argparse.Action | None]


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet config", "Show or change the configuration.", EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def add(name: str, line: str, key: bool = False) -> CommandParser:
        action: CommandParser = actions.add_parser(
            name, help=line, description=line, epilog=EXAMPLES
        )
        if key:
            action.add_argument("key", metavar="KEY", help="such as table or tag.min-confidence")
        if name not in ("show", "get"):
            action.add_argument(
                "--here",
                action="store_true",
                help="use the file of the library that contains the current folder",
            )
        return action

    add("show", "show the settings that are set, and their files (the default)")
    add("get", "print a setting", key=True)
    add("set", "change or add a setting", key=True).add_argument(
        "values",
        nargs="+",
        metavar="VALUE",
        help="several values form a list; null resets to the default",
    )
    add("unset", "remove a setting", key=True)
    add("path", "print the path of the file")
    add("edit", "open the file in $VISUAL or $EDITOR, and check it")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet config``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    actions = {"get": _get, "set": _set, "unset": _unset, "path": _path, "edit": _edit}
    return actions.get(options.action or "", _show)(options)


def known_settings() -> Keys:
    """Return all settings, each with an option that parses its values.

    Those of the trainer have none: Lightning parses them.
    """
    from genrenet.cli.training import GROUPS

    found: Keys = {}
    for name in (name for name in COMMANDS if name not in UNCONFIGURED):
        for words, parser in parsers(name).items():
            key = tuple(words.split())
            found |= {(*key, option): action for option, action in settable(parser).items()}
            for shared, one in SHARED.items():
                if words in one.uses and (shared,) not in found:
                    dest = one.uses[words][0]
                    (found[shared,],) = (one for one in parser._actions if one.dest == dest)
            if parser.passes_on:
                found |= {(*key, group): None for group in GROUPS}
        if not parsers(name):
            found |= {(name, group): None for group, line in GROUPS.items() if line}
    return found


def check(setting: Setting, known: Keys) -> Any:
    """Return the parsed value of a setting.

    Raises
    ------
    ConfigurationError
        There is no such setting, or its value is invalid.
    """
    check_key(setting)
    first, *rest = setting.key
    if setting.value is None or (not rest and first not in SHARED):
        return None
    group = (first, ".".join(rest).partition(".")[0])
    key = setting.key if setting.key in known else group
    if key not in known:
        here = [".".join(other[1:]) for other in known if other[0] == first and len(other) > 1]
        raise unknown(setting, here)
    action = known[key]
    return setting.value if action is None else converted(setting, action)


def _checked(files: Sequence[Layer], known: Keys) -> dict[tuple[str, ...], tuple[Setting, Any]]:
    """Return the effective settings with their values; nearer files override others."""
    found = {}
    for layer in files:
        for key, setting in layer.settings.items():
            value = check(setting, known)
            if len(key) > 1 or key[0] in SHARED:  # and not a command without settings
                found[key] = (setting, value)
    return found


def _show(options: argparse.Namespace) -> int:
    files = layers()
    found = _checked(files, known_settings())
    fact(
        files=[printable(layer.file) for layer in files],
        settings={
            setting.name: {"value": value, "file": printable(setting.file), "line": setting.line}
            for setting, value in found.values()
        },
    )
    if as_json():
        return 0
    for layer, whose in zip(files, ("the user's file", "the library's file"), strict=False):
        there = "" if layer.file.exists() else " (does not exist yet)"
        say(f"{whose}: {printable(layer.file)}{there}")
    if not found:
        say("nothing is configured")
        next_step("init", "~/Music", why="inspects a folder and writes a configuration")
        return 0
    rows = [
        (setting.name, _text(value), ("library" if setting.of_library else "user") + _line(setting))
        for setting, value in sorted(found.values(), key=lambda pair: len(pair[0].key))
    ]
    print_table(("setting", "value", "from"), rows)
    return 0


def _line(setting: Setting) -> str:
    return f", line {setting.line}" if setting.line else ", its folder"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    names = {True: "true", False: "false", None: "null"}
    return names[value] if value is None or isinstance(value, bool) else _short(str(value))


def _short(path: str) -> str:
    home = os.path.expanduser("~")
    inside = path.startswith(home + os.sep) and len(home) > 1
    return printable(f"~{path[len(home) :]}" if inside else path)


def _get(options: argparse.Namespace) -> int:
    known = known_settings()
    found = _checked(layers(), known).get(_key(options.key, known))
    fact(key=options.key, value=found[1] if found else None)
    if found is None or found[1] is None:
        return 1
    values = found[1] if isinstance(found[1], list) else [found[1]]
    if not as_json():
        print(*(visible(_plain(value)) for value in values), sep="\n")
    return 0


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _set(options: argparse.Namespace) -> int:
    from genrenet.cli.configuration_text import with_setting, write

    known = known_settings()
    key, file = _key(options.key, known), _file(options)
    action = known.get(key)
    values = list(options.values)
    if action is not None:
        values = [_stored(Setting(key, value, file, 0), action, value) for value in values]
    value = values[0] if len(values) == 1 else values
    check(Setting(key, None if value == "null" else value, file, 0), known)
    write(file, with_setting(_content(file), key, values))
    say(f"{options.key} is set in {printable(file)}")
    fact(key=options.key, value=value, file=printable(file))
    return 0


def _stored(setting: Setting, action: argparse.Action, text: str) -> str:
    """Return a value as the file holds it: paths are given from the current folder, and stored
    relative to the file's folder.
    """
    from genrenet.models.adapters.registry import is_reference

    if action.dest in FILES_TOO and is_reference(text):
        scheme, _, rest = text.partition(":")
        return f"{scheme}:{_from(setting.file, rest)}" if os.path.exists(rest) else text
    return _from(setting.file, text) if is_file(setting, action, text) else text


def _from(file: Path, value: str) -> str:
    if value == "null" or os.path.isabs(os.path.expanduser(value)):
        return value
    there = os.path.abspath(value)
    inside = Path(there).is_relative_to(file.parent)
    return os.path.relpath(there, file.parent) if inside else there


def _unset(options: argparse.Namespace) -> int:
    from genrenet.cli.configuration_text import without_setting, write

    key, file = _key(options.key, known_settings()), _file(options)
    fact(key=options.key, file=printable(file))
    if key not in read(file).settings:
        say(f"{options.key} is not set in {printable(file)}")
        return 1
    write(file, without_setting(_content(file), key))
    say(f"{options.key} is no longer set in {printable(file)}")
    return 0


def _path(options: argparse.Namespace) -> int:
    file = _file(options)
    fact(file=printable(file), exists=file.exists())
    if not as_json():
        print(printable(file))
    return 0


def _edit(options: argparse.Namespace) -> int:
    from genrenet.cli.configuration_text import write

    file = _file(options)
    if not file.exists():
        write(file, f"# Settings of genrenet; shared ones: {', '.join(SHARED)}.\n")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError(
            f"the editor '{editor}' cannot be used",
            found=str(error),
            remedy=f"set EDITOR, or open {printable(file)} yourself",
        ) from error
    known = known_settings()
    for setting in parse(_content(file), file).settings.values():
        check(setting, known)
    say(f"{printable(file)} is valid")
    fact(file=printable(file))
    return 0


def _key(text: str, known: Keys) -> tuple[str, ...]:
    """Return the names of a setting; raise an error for an unknown one."""
    first, *rest = text.split(".")
    below = {words.partition(" ")[2] for words in parsers(first)} if first in COMMANDS else set()
    depth = 1 if rest and rest[0] in below else 0
    key = (first, *rest[:depth], *filter(None, [".".join(rest[depth:])]))
    if key in known or (rest and known.get((first, rest[0]), key) is None):
        return key
    names = [".".join(other) for other in known]
    alike = [name for name in names if name.rpartition(".")[2] == text][:4]
    near = f"did you mean {' or '.join(alike)}?" if alike else did_you_mean(text, names)
    remedy = near or f"settings are {', '.join(SHARED)}, and COMMAND.OPTION"
    raise ConfigurationError(f"there is no setting '{printable(text)}'", remedy=remedy)


def _file(options: argparse.Namespace) -> Path:
    """Return the file to change: the user's, or with ``--here`` the library's."""
    if options.here:
        return library_file(os.curdir) or Path(NAME).absolute()
    if os.environ.get(VARIABLE) == "":
        raise ConfigurationError(
            f"{VARIABLE} is empty, so no configuration is read", remedy="unset it, or name a file"
        )
    return user_file()


def _content(file: Path) -> str:
    read(file)  # raises an error if it is invalid
    return file.read_text(encoding="utf-8-sig") if file.exists() else ""
