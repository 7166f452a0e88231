"""The messages in docs/troubleshooting.md occur in the program's source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
MESSAGES = re.findall(r"^- \*\*`([^`]+)`\*\*", PAGE, re.M)
LEAST = 8
"""Letters of a text in the source that say more than its placeholders."""


def texts():
    """Patterns of all texts in the source, with anything in the place of what is filled in."""
    for folder in ("genrenet", "plugins"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                fixed = [
                    part.value if isinstance(part, ast.Constant) else None
                    for part in parts
                    if isinstance(part, ast.Constant | ast.FormattedValue)
                ]
                if all(isinstance(one, str | None) for one in fixed):
                    yield fixed


@pytest.fixture(scope="module")
def patterns():
    """Pairs of a pattern and how many characters it fixes."""
    found = {}
    for fixed in texts():
        text = "".join("\0" if one is None else one for one in fixed).partition(": found ")[0]
        found[re.escape(text).replace("\0", ".+")] = len(text.replace("\0", ""))
    return [(re.compile(one, re.S), said) for one, said in found.items() if said >= LEAST]


def is_said(message, patterns):
    """Whether a text of the source makes a message, most of which is not filled in."""
    told = re.sub(r"'[^']*'", "", message)
    # A message about an audio file is put together of words for its kind of fault and the name.
    heads = {message, message.partition(" '")[0]} if message.endswith("'") else {message}
    return any(
        said >= 0.5 * len(told) and one.fullmatch(head) for one, said in patterns for head in heads
    )


def test_there_are_messages(patterns):
    assert len(MESSAGES) > 40
    assert len(MESSAGES) == len(set(MESSAGES))
    assert not is_said("no songs are left on '/mnt/music'", patterns)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_is_in_the_source(message, patterns):
    assert is_said(message, patterns)
