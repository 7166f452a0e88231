"""An argument parser with one-line errors."""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from genrenet.cli import telling
from genrenet.cli.commands import UNCONFIGURED
from genrenet.cli.configured import Parse, origin, parse_configured
from genrenet.utils.errors import GenrenetError, visible

if TYPE_CHECKING:
    from genrenet.inference.taxonomy import Taxonomy


class _Help(argparse.HelpFormatter):
    """Wraps prose and long examples to the width, and keeps the rest as it is written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        prose: list[str] = []

        def fold_prose() -> None:
            wide = max(map(len, prose), default=0) > width
            lines.extend(_wrapped(" ".join(prose), width) if wide else prose)
            prose.clear()

        for line in text.splitlines():
            if not line or line.startswith(" ") or re.match(r"(exit code|\w+): ", line):
                fold_prose()
            if not line or line.startswith(" "):
                lines.extend(_folded_example(line, width))
            else:
                prose.append(line)
        fold_prose()
        return "\n".join(lines)


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _folded_example(line: str, width: int) -> list[str]:
    """Return a command and its comment, split into lines that can be copied."""
    if len(line) <= width:
        return [line]
    left = " " * (len(line) - len(line.lstrip()))
    command, gap, comment = line.strip().partition("   ")
    # An option and its value are not separated.
    bound = re.sub(r"(--?[\w.-]+) (?=[^-])", "\\1\0", command)
    parts = [part.replace("\0", " ") for part in _wrapped(left + bound, width - 2, f"{left}  ")]
    parts = [f"{part} \\" for part in parts[:-1]] + parts[-1:]
    return parts + (_wrapped(f"{left}    {comment.strip()}", width, f"{left}    ") if gap else [])


class CommandParser(argparse.ArgumentParser):
    """argparse's parser with unchanged examples, and one-line errors with exit code 2.

    Every command takes ``-q`` and ``--json``; see `genrenet.cli.telling`.

    Parameters
    ----------
    prog : str
        ``genrenet`` and the command.
    description, epilog : str
        Text before and after the list of options.

    Attributes
    ----------
    passes_on : collection of str
        First parts of options that are passed on to another parser.
    """

    passes_on: Collection[str] = ()

    def __init__(self, prog: str, description: str = "", epilog: str = "") -> None:
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=_Help)
        self._at_work = False
        if " " in prog:
            telling.add_telling_options(self)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and fill in missing arguments from configurations."""
        return self._parse(super().parse_known_args, args, namespace)

    def parse_known_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """The same for options between arguments."""
        return self._parse(super().parse_known_intermixed_args, args, namespace)

    def _parse(
        self, parse: Parse, args: Sequence[str] | None, namespace: argparse.Namespace | None
    ) -> tuple[argparse.Namespace, list[str]]:
        arguments = list(sys.argv[1:] if args is None else args)
        command = self.prog.split()[1:2]
        if self._at_work or not command or command[0] in UNCONFIGURED:
            found, rest = parse(arguments, namespace or argparse.Namespace())
            if command and not self._at_work:
                self._heed(found)
            return found, rest
        self._at_work = True
        try:
            found, rest = parse_configured(self, parse, arguments)
        finally:
            self._at_work = False
        self._heed(found)
        return found, rest

    def _heed(self, options: argparse.Namespace) -> None:
        document, json = getattr(options, "json", False), False
        printed = getattr(options, "out", None) is None
        formats = [one.choices or () for one in self._actions if one.dest == "format"]
        if printed and any("json" in choices for choices in formats):
            if document:
                options.format = "json"
            json = options.format == "json"
            if options.format not in ("table", "json"):
                telling.messages_aside()
        telling.heed(less=getattr(options, "quiet", False), document=document, json=json)

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where help is; exit with code 2."""
        told = visible(message) + origin(message)
        print(f"{self.prog}: error: {told}; see '{self.prog} --help'", file=sys.stderr)
        sys.exit(2)


def count(text: str) -> int:
    """Return an integer of 1 or more, for a parser's ``type``."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {number}, wanted 1 or more")
    return number


def frames(text: str) -> int | Literal["all"]:
    """Return how many frames of a song to use, for a parser's ``type``."""
    return "all" if text == "all" else count(text)


FRAMES_HELP = "frames per song, evenly spread (default: half a minute, at least two frames)"
TRIM_HELP = "maximum number of seconds skipped at both ends (at most a tenth of a song)"


class SettingError(GenrenetError):
    """An invalid setting of a method."""


def setting(text: str) -> tuple[str, Any]:
    """Parse NAME=VALUE, with the value as YAML.

    Raises
    ------
    SettingError
        The text has another form.
    """
    import yaml

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingError(f"--set {text}", wanted="NAME=VALUE")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise SettingError(f"--set {text}", found="no YAML", wanted="a value") from error


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, wanted 0 or more")
    return number


class _Offline(argparse.Action):
    """Forbids downloads at once, in this process and those it starts."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(nargs=0, **keywords)

    def __call__(self, *_: Any, **__: Any) -> None:
        os.environ["GENRENET_OFFLINE"] = "1"


class _TrustRemoteCode(argparse.Action):
    """Allows code of backbones at once, in this process and those it starts."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(nargs=0, **keywords)

    def __call__(self, *_: Any, **__: Any) -> None:
        trust_remote_code()


def trust_remote_code() -> None:
    """Allow code that comes with backbones, in this process and those it starts."""
    from genrenet.models.adapters.registry import REMOTE_CODE
    from genrenet.models.registry import TRUST

    os.environ[TRUST] = ",".join(filter(None, [os.environ.get(TRUST, ""), REMOTE_CODE]))


TRUST_HELP = "run Python code that comes with a backbone (hf:ORG/NAME); read it first"


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows third-party code that comes with weights."""
    parser.add_argument("--trust-remote-code", action=_TrustRemoteCode, help=TRUST_HELP)


def add_collection_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for the source of a collection's genres."""
    parser.add_argument(
        "--labels",
        choices=("auto", "folders", "tags"),
        default="auto",
        help="source of the genres: the files' tags, or the folders even if they look like artists "
        "(default: auto, the folders or the table)",
    )


def add_multi_label_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for several genres per song."""
    parser.add_argument(
        "--multi-label",
        action="store_true",
        help="multi-label: a table's column genres (or genre) has several genres per song, "
        "separated by semicolons (default: if there is a column genres and no column genre)",
    )


def add_taxonomy_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for the names of genres."""
    parser.add_argument(
        "--taxonomy",
        metavar="NAME",
        help="genre names: ours, discogs, musicbrainz, beets, or a CSV file with the columns genre "
        "and name (default: the model's labels)",
    )


def chosen_taxonomy(options: argparse.Namespace) -> Taxonomy | None:
    """Return the taxonomy of ``--taxonomy``, None without it.

    Raises
    ------
    TaxonomyError
        There is no such taxonomy.
    """
    from genrenet.inference.taxonomy import taxonomy

    return taxonomy(options.taxonomy) if options.taxonomy else None


def add_albums_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that combines the scores of an album's songs."""
    parser.add_argument(
        "--albums",
        action="store_true",
        help="combine the scores of songs with the same album tag in one folder",
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all commands that apply a network to songs."""
    add = parser.add_argument
    add("--frames", type=frames, metavar="N|all", help=FRAMES_HELP)
    add("--trim", type=_seconds, metavar="S", help=TRIM_HELP)
    add("--device", help="such as cpu, cuda or cuda:1 (default: the fastest available)")
    add("--precision", default="auto", help="auto, 32, bf16 or 16 (default: auto, the fastest)")
    add(
        "--compile",
        action="store_true",
        help="compile the network first; worthwhile for many songs",
    )
    add("--offline", action=_Offline, help="download nothing; use only files on this machine")
    add(
        "--commercial",
        action="store_true",
        help="refuse models not clearly free for commercial use",
    )
    add_trust_option(parser)
    add_taxonomy_option(parser)
    add("--workers", type=count, metavar="N", help="number of cores (default: all)")
