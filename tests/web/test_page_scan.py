"""Scans in a real browser: started by a button, followed, cancelled, and rejected."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from genrenet.library.locking import table_lock
from tests.helpers.browser import STILL, faults
from tests.helpers.served import make_service, scan_of, serving


@pytest.fixture
def site(music, checkpoint, tmp_path):
    """A server, its folder and its table."""
    root = tmp_path / "music"
    shutil.copytree(music, root)
    table = scan_of(root, checkpoint, tmp_path / "songs.parquet")
    service = make_service(root, checkpoint, table=table, checkpoints=[str(checkpoint)])
    with serving(service) as server:
        yield server.url, root, table


def test_the_library_is_brought_up_to_date(page, site):
    url, root, table = site
    page.emulate_media(**STILL)
    page.goto(url)
    start = page.get_by_role("button", name="Look for changes")
    expect(start).to_be_visible()
    panel = page.get_by_role("region", name="Keep the library up to date")
    with table_lock(table):
        start.click()
        expect(panel.get_by_role("status")).to_contain_text("Another scan or tagging is at work")
        assert faults(page) == []
    for number in range(60):
        song = (root / "bass/bass-1.wav").read_bytes() + bytes([number])
        (root / f"more-{number}.wav").write_bytes(song)
    start.press("Enter")
    stop = panel.get_by_role("button", name="Cancel")
    expect(stop).to_be_focused()
    expect(panel.get_by_role("status")).to_contain_text("of 60 songs")
    assert faults(page) == []
    page.reload()  # it goes on meanwhile
    expect(panel.get_by_role("status")).to_have_text("Up to date: 60 new.", timeout=60_000)
    facts = page.get_by_role("list", name="The library in figures")
    expect(facts.get_by_role("listitem").first).to_have_text(re.compile("84 songs"))
