"""The command ``genrenet``: lists its sub-commands, and imports only the requested one.

Exit codes: 0 success; 1 finished, but with failures (they are listed); 2 invalid request; 70 a bug
in the program (its traceback is shown); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module

from genrenet.cli import configured, telling
from genrenet.cli.commands import COMMANDS as COMMANDS
from genrenet.cli.parsing import CommandParser
from genrenet.utils.errors import GenrenetError
from genrenet.utils.extras import needed_by
from genrenet.version import __version__

EXAMPLES = """examples:
  genrenet data check ~/Music
  genrenet fit --config cnn --data.source ~/Music
  genrenet test --ckpt_path runs/cnn/version_0/checkpoints/best.ckpt
  genrenet classify song.mp3 --checkpoint runs/cnn/version_0/checkpoints/best.ckpt
"""

_EXTRAS = {"serve": "web", "tune": "research"}
"""Extras of commands with another name."""


def _parser() -> CommandParser:
    commands = "\n".join(f"  {name:<11} {line}" for name, (_, line) in COMMANDS.items())
    parser = CommandParser(
        "genrenet",
        "Music genre classification: classify music, train networks, compare methods.",
        f"commands:\n{commands}\n\n{EXAMPLES}\n'genrenet COMMAND --help' says more.",
    )
    parser.add_argument("--version", action="version", version=f"genrenet {__version__}")
    parser.add_argument("command", metavar="COMMAND", choices=list(COMMANDS))
    return parser


def _report_plugins() -> None:
    """Report the faults of plugins, if any were loaded."""
    plugins = sys.modules.get("genrenet.plugins.manager")
    for problem in plugins.problems() if plugins else ():
        telling.warn(str(problem))


def _broken_package(error: Exception) -> str:
    """Return a third-party package whose import failed; '' for any other error."""
    importing = [
        str(frame.f_globals.get("__name__", ""))
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name == "<module>"
    ]
    # If a package is missing, or lacks a name, the importing code fails.
    wanted = error.name if isinstance(error, ImportError) else None
    package = (wanted or (importing or [""])[-1]).partition(".")[0]
    return "" if package in ("genrenet", "__main__") else package


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not arguments:
        parser.print_help()
        return 2
    name = parser.parse_args(arguments[:1]).command
    # For former names in a user's own configurations: Python hides such warnings by default.
    warnings.filterwarnings("default", r"genrenet\S+ has moved to ", DeprecationWarning)
    configured.applied.clear()
    try:
        with telling.session(name):
            return _run(name, arguments[1:])
    except BrokenPipeError:
        # The reader of our output has closed it (``| head``): not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(name: str, arguments: Sequence[str]) -> int:
    """Run a command, and convert its errors to messages and exit codes."""
    try:
        with needed_by(f"'genrenet {name}'", preferred=_EXTRAS.get(name, name)):
            module = import_module(f"genrenet.cli.{COMMANDS[name][0]}")
            code: int = module.run(name, arguments)
        _report_plugins()
        return code
    except GenrenetError as error:
        telling.failed(f"{error}{configured.origin(str(error))}")
        return 2
    except KeyboardInterrupt:
        telling.warn("interrupted")
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if package := _broken_package(error):
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            telling.failed(
                f"the package '{package}' cannot be loaded: found {reason};"
                " install the versions that were tested together (constraints.txt)"
            )
            return 2
        # Python itself would exit with 1, which means here that some songs were skipped.
        traceback.print_exc()
        return 70
