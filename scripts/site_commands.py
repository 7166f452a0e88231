"""Hook of mkdocs: the reference of all commands, from the parsers that read the command line."""

from __future__ import annotations

import argparse
import html
import re
from collections.abc import Iterator

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from genrenet.cli import training
from genrenet.cli.commands import COMMANDS
from genrenet.cli.parsers import parsers
from genrenet.cli.parsing import CommandParser

PLACE = "<!-- commands -->"
"""What stands for the reference in the page."""

WIDTH = 88


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the reference into its page."""
    return markdown.replace(PLACE, reference()) if page.file.src_uri == "commands.md" else markdown


def reference() -> str:
    """Return a section a command, in Markdown."""
    parts: list[str] = []
    for command, (_, line) in COMMANDS.items():
        found = parsers(command)
        parts.append(f"## {command}")
        if not found:
            parts += [f"{_marked(_capital(line))}.", *_of_trainer(command)]
        # Sub-commands share the examples: they are shown once, before all of them.
        epilogs = {parser.epilog for parser in found.values()}
        shared = len(found) > 1 and len(epilogs) == 1
        if shared:
            parts += [f"{_marked(_capital(line))}.", *_prose(epilogs.pop() or "")]
        for words, parser in found.items():
            if words != command:
                parts.append(f"### {words}")
            parts += _of_parser(parser)
            if not shared:
                parts += _prose(parser.epilog or "")
    return "\n\n".join(parts)


def _of_parser(parser: CommandParser) -> Iterator[str]:
    """Yield what a parser knows of its command, without its examples."""
    formatter = parser.formatter_class(prog=parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
    if parser.description:
        yield _marked(parser.description)
    yield _block(formatter.format_help().removeprefix("usage: "))
    told = [one for one in parser._actions if one.dest not in ("help", "quiet", "json")]
    rows = [
        (_invocation(formatter, one), _explained(formatter, one))
        for one in told
        if one.help is not argparse.SUPPRESS and not isinstance(one, argparse._SubParsersAction)
    ]
    if rows:
        yield _options(rows)


def _of_trainer(command: str) -> Iterator[str]:
    """Yield what is known of a command whose options Lightning's own parser reads."""
    yield _block(f"genrenet {command} [--config NAME|FILE] [--GROUP.OPTION X] ...\n")
    aside = ("quiet", "json", "help")
    groups = training.GROUPS.items()
    yield _options([(f"--{word}", line) for word, line in groups if line and word not in aside])
    yield (
        f"`genrenet {command} --help_all` prints every option of these groups, with its type and "
        "default; `--print_config` prints the configuration that would be used. Options of "
        "Lightning's trainer are described in its own documentation."
    )
    yield from _prose(f"examples:\n{training.EXAMPLES[command]}")


def _invocation(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    return formatter._format_action_invocation(action)


def _explained(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    """Return the help of an option with its choices and default, where it does not name them."""
    text = formatter._expand_help(action) if action.help else ""
    choices = [str(one) for one in action.choices or ()]
    # They are shown in the place of the value where it has no name of its own.
    if choices and action.metavar is not None and not all(one in text for one in choices):
        text += f"; one of {', '.join(choices)}"
    plain = action.default in (None, False, argparse.SUPPRESS) or action.default in ([], ())
    if not plain and "default" not in text:
        default = action.default
        shown = " ".join(map(str, default)) if isinstance(default, (list, tuple)) else default
        text += f" (default: {shown})"
    if action.required and action.option_strings:
        text += "; required, here or in the configuration"
    return text


def _options(rows: list[tuple[str, str]]) -> str:
    lines = [
        f"<dt><code>{html.escape(name)}</code></dt><dd>{_marked(text)}</dd>" for name, text in rows
    ]
    return "\n".join(['<dl class="options">', *lines, "</dl>"])


def _prose(text: str) -> Iterator[str]:
    """Yield the text behind a parser's options: paragraphs, and commands in blocks."""
    lines: list[str] = []
    code = False
    for line in [*text.splitlines(), ""]:
        ends = not line or line.startswith(" ") != code or re.match(r"(exit code|\w+): ", line)
        if ends and lines:
            yield _block("\n".join(lines), "bash") if code else _marked(_capital(" ".join(lines)))
            lines = []
        if line:
            code = line.startswith(" ")
            lines.append(line[2:] if code else line)


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def _marked(text: str) -> str:
    """Return plain text as HTML, with quoted commands set as code."""
    safe = html.escape(text, quote=False).replace("*", "&#42;").replace("_", "&#95;")
    return re.sub(r"'(genrenet [^']+)'", r"<code>\1</code>", safe)
