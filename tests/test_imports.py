"""Shared test code is in tests/helpers: no test module imports from another, or a conftest."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Programs that tests write as text import as well: text is searched, not syntax.
IMPORT = re.compile(
    r"^\s*(?:from|import)\s+tests(?:\.\w+)*(?:\.| import )(?:conftest|test_\w+)", re.M
)


@pytest.mark.parametrize(
    "line",
    [
        "from tests.conftest import tone",
        "from tests import conftest",
        "    from tests.web.test_api import post",
        "import tests.audio.test_parts",
    ],
)
def test_the_search_knows_every_form(line):
    assert IMPORT.search(line)


def test_helpers_may_be_imported():
    assert not IMPORT.search("from tests.helpers.tones import RATE, tone")


def test_no_test_is_imported_from_another():
    sources = sorted(TESTS.rglob("*.py"))
    assert len(sources) > 100
    found = {
        str(path.relative_to(TESTS)): IMPORT.findall(path.read_text("utf-8")) for path in sources
    }
    found.pop(Path(__file__).name)
    assert {name: lines for name, lines in found.items() if lines} == {}
