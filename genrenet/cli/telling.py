"""Output of commands: messages for the user, or with ``--json`` one document for programs.

Standard output has messages and results. With ``-q`` it has only results, with ``--json`` one JSON
document, and everything else goes to standard error. Errors are always printed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from genrenet.utils.errors import printable, visible
from genrenet.utils.messages import columns, tell
from genrenet.utils.progress import QUIET, quiet
from genrenet.utils.strict_json import to_json


@dataclass
class _Session:
    """The output settings and facts of one command."""

    command: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    stdout: TextIO | None = None
    """Stream of the document; None while messages go to standard output."""
    documented: bool = False
    """Whether ``--json`` was given, and not only a format of results."""
    shown: bool = False
    aside: bool = False
    """Whether messages go to standard error, as standard output has a result."""


_session = _Session()


@contextmanager
def session(command: str) -> Iterator[None]:
    """Context of a command that prints its `facts` as JSON at the end, if requested."""
    global _session
    before, was_quiet = _session, os.environ.get(QUIET)
    _session = _Session(command)
    try:
        yield
        if as_json() and _session.facts and not _session.shown:
            show({"command": command, **_session.facts})
    finally:
        if _session.stdout is not None:
            sys.stdout = _session.stdout
        _session = before
        if was_quiet is None:
            os.environ.pop(QUIET, None)
        else:
            os.environ[QUIET] = was_quiet


def add_telling_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all commands for the amount and format of output."""
    add, unset = parser.add_argument, argparse.SUPPRESS
    add("-q", "--quiet", action="store_true", default=unset, help="print only results and errors")
    add("--json", action="store_true", default=unset, help="print one JSON document, for programs")


def heed(*, less: bool, document: bool, json: bool) -> None:
    """Apply ``-q`` and ``--json`` until the session's end.

    Other output than JSON goes to standard error, also that of third-party packages.

    Parameters
    ----------
    less : bool
        Whether messages are suppressed.
    document : bool
        Whether ``--json`` was given.
    json : bool
        Whether a result is to be printed as JSON.
    """
    if not _session.command:
        return  # a parser that is only inspected, and runs nothing
    _session.documented |= document
    if less:
        # Set in the environment, for the processes that this one starts.
        os.environ[QUIET] = "1"
    if (json or document) and _session.stdout is None:
        _session.stdout, sys.stdout = sys.stdout, sys.stderr


def messages_aside() -> None:
    """Send messages to standard error: standard output is for a result that programs read."""
    _session.aside = bool(_session.command)


def as_json() -> bool:
    """Return whether a JSON document is wanted."""
    return _session.stdout is not None


def say(*lines: str) -> None:
    """Print messages: to standard output, with ``--json`` to standard error, not with ``-q``.

    On a terminal they are wrapped at blanks; elsewhere each is one line.
    """
    if quiet():
        return
    for line in lines:
        tell(visible(line), _stream())


def _stream() -> TextIO:
    # With JSON, standard output is redirected to standard error already.
    return sys.stderr if _session.aside else sys.stdout


def warn(*lines: str) -> None:
    """Print an error to standard error, after the command's name."""
    for line in lines:
        tell(f"genrenet {_session.command}: {visible(line)}", sys.stderr)


def fact(**facts: Any) -> None:
    """Add to the document of ``--json``: plain values, paths as `printable` text."""
    _session.facts |= facts


def next_step(*words: str | os.PathLike[str], why: str = "") -> None:
    """Print the next command to run.

    Parameters
    ----------
    *words : str or path
        The command without ``genrenet``, and its arguments.
    why : str
        Its purpose, in a few words.
    """
    command = " ".join(["genrenet", *map(_quoted, words)])
    fact(next=command)
    if not quiet():  # not wrapped, so that it can be copied
        stream, line = _stream(), f"next: {command}"
        room = not stream.isatty() or len(line) + len(why) + 6 <= columns()
        comment = f"{'    ' if room else chr(10) + '      '}# {why}" if why else ""
        print(line + comment, file=stream, flush=True)


def _quoted(word: str | os.PathLike[str]) -> str:
    """Return a word quoted for a shell, with ``~`` still expanded."""
    text = printable(word)
    home, name = ("~/", text[2:]) if text.startswith("~/") else ("", text)
    return home + (shlex.quote(name) if name or not home else "")


def show(document: Any) -> None:
    """Print a result as JSON to standard output, instead of the facts."""
    _session.shown = True
    text = to_json(document, ensure_ascii=False, indent=1, default=str)
    # Bytes of names that are not text are escaped, as in JSON.
    print(
        text.encode("utf-8", "backslashreplace").decode(),
        file=_session.stdout or sys.stdout,
        flush=True,
    )


def failed(error: str) -> None:
    """Report that the command cannot be carried out, and why."""
    warn(f"error: {error}")
    if _session.documented and not _session.shown:
        show({"command": _session.command, "error": error})


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> plural(1, "song"), plural(2000, "song")
    ('1 song', '2,000 songs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shares(counts: Mapping[str, int], most: int = 12) -> str:
    """Return the number of items of each kind, in descending order.

    Examples
    --------
    >>> shares({"pop": 1, "rock": 2})
    'rock 2, pop 1'
    """
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{name} {number:,}" for name, number in ranked[:most]]
    rest = ranked[most:]
    if rest:
        named.append(f"{sum(number for _, number in rest):,} of {len(rest)} more")
    return ", ".join(named)
