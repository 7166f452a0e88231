"""The generated large library: the requested number of songs, all of them existing."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from genrenet.web import library_queries as queries
from genrenet.web.library_index import LibraryIndex
from genrenet.web.library_queries import Wanted

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_it_has_songs_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    if not hasattr(os, "link"):
        pytest.skip("no links")
    library = importlib.import_module("large_library")
    music, table = library.make_library(tmp_path, 3000)
    index = LibraryIndex(str(music.resolve()), table)
    about = queries.overview(index)
    assert about["files"] == 3000
    assert all((music / path.as_py()).is_file() for path in index.paths)
    for kind in ("copies", "unsure", "not_music", "errors", "untagged"):
        assert 0 < about[kind] < 1500, kind
    assert any(genre["subgenres"] for genre in about["genres"])
    rows, total = queries.artists(index, Wanted(), slice(0, 2))
    assert len(rows) == 2 < total
    assert rows[0]["songs"] >= rows[1]["songs"]
