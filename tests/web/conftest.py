"""A real server with its data, and a real browser for its page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import soundfile

from genrenet.web.app import create_app
from genrenet.web.service import Service
from tests.helpers.library_tables import write_shelf, write_songs
from tests.helpers.served import make_service, scan_of, serving
from tests.helpers.tones import RATE, tone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


NAMES = ("chromium", "chromium-browser", "google-chrome")


class Site(NamedTuple):
    """A server with the folder it serves and what it works with."""

    url: str
    folder: Path
    service: Service


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; tests that need it skip where there is none (set CHROMIUM to name one)."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    from playwright.sync_api import sync_playwright  # the API's own tests need none

    with sync_playwright() as playwright:
        # Without a sandbox, for containers; the only pages it sees are our own.
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a new session that must not run into faults of scripts or of the policy."""
    with browser.new_context(viewport={"width": 1000, "height": 800}) as context:
        opened = context.new_page()
        opened.set_default_timeout(20_000)
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on(
            "console",
            # A refused request is news in the console, but no fault of the page.
            lambda said: (
                faults.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )
        yield opened
        assert not faults


@pytest.fixture(scope="session")
def site(music: Path, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of `music`, of some faulty songs and of a long one that changes its genre."""
    root = tmp_path_factory.mktemp("page") / "music"
    shutil.copytree(music, root)
    table = scan_of(root, checkpoint, tmp_path_factory.mktemp("scan") / "songs.parquet")
    (root / "odd").mkdir()
    (root / "odd" / "broken.mp3").write_text("only text")
    parts = [np.tile(tone(hz, 20, seed=4), 9) for hz in (150, 4000, 900)]
    soundfile.write(root / "odd" / "long.flac", np.concatenate(parts), RATE)
    whole = (root / "bass" / "bass-1.wav").read_bytes()
    (root / "odd" / "cut.wav").write_bytes(whole[: len(whole) * 2 // 3])
    soundfile.write(root / "odd" / "old.au", tone(150, 5, seed=5), RATE)
    service = make_service(root, checkpoint, table=table, at_once=1, queue=1, max_upload=2_000_000)
    with serving(service) as server:
        yield Site(server.url, root, service)


@pytest.fixture(scope="session")
def shelf(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of a small library whose songs are known by heart; see `library_tables`."""
    root = tmp_path_factory.mktemp("shelf") / "music"
    root.mkdir()
    write_songs(root)
    table = write_shelf(root, tmp_path_factory.mktemp("shelf-table") / "songs.parquet")
    service = make_service(root, checkpoint, table=table)
    with serving(service) as server:
        yield Site(server.url, root, service)


@pytest.fixture(scope="module")
def folder(music, tmp_path_factory) -> Path:
    """Music with a broken file, a silent one, a truncated one and a long one."""
    root = tmp_path_factory.mktemp("served") / "music"
    shutil.copytree(music, root)
    (root / "broken.mp3").write_bytes(b"only text")
    soundfile.write(root / "silent.wav", np.zeros(3 * RATE), RATE)
    whole = (root / "bass" / "bass-1.wav").read_bytes()
    (root / "cut.wav").write_bytes(whole[: len(whole) * 2 // 3])
    soundfile.write(root / "long.flac", np.tile(tone(900, 20, seed=3), 6), RATE)
    return root


@pytest.fixture(scope="module")
def service(folder, checkpoint, tmp_path_factory):
    table = scan_of(folder, checkpoint, tmp_path_factory.mktemp("table") / "t.parquet")
    return make_service(folder, checkpoint, table=table, max_seconds=100.0, max_upload=4_000_000)


@pytest.fixture
def uploads(tmp_path) -> Path:
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


@pytest.fixture
def client(service, uploads):
    return create_app(service, str(uploads)).test_client()
