"""Rows of a table, found by path, folder and size."""

import pytest

from genrenet.library import table as module
from genrenet.library.lookup import Wanted
from genrenet.library.table import About, read_rows, write_rows

PATHS = sorted([f"/m/{folder}/{n:03}.mp3" for folder in ("a", "a b", "ab", "é") for n in range(50)])


@pytest.fixture(params=["t.parquet", "t.sqlite"])
def table(request, tmp_path, monkeypatch):
    """A table of 200 songs, in several row groups where there are such."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    rows = [{"path": path, "size": n, "mtime": 1} for n, path in enumerate(PATHS)]
    write_rows(tmp_path / request.param, rows, About(["rock"], "model"))
    return tmp_path / request.param


def found(table, keys=None, **wanted):
    return list(read_rows(table, Wanted(**wanted), keys))


def test_rows_by_path_folder_and_size(table):
    assert [row["path"] for row in read_rows(table)] == PATHS
    names = {"/m/a/007.mp3", "/m/é/049.mp3", "/m/gone.mp3"}
    there = ["/m/a/007.mp3", "/m/é/049.mp3"]
    assert [row["path"] for row in found(table, paths=names)] == there
    below = [row["path"] for row in found(table, folders={"/m/a", "/m/none"})]
    assert below == [path for path in PATHS if path.startswith("/m/a/")]
    assert [row["path"] for row in found(table, sizes=[3, 150, 999])] == [PATHS[3], PATHS[150]]
    both = found(table, paths=["/m/ab/000.mp3"], folders=["/m/é"], sizes=[0])
    assert len(both) == 52
    assert found(table) == []
    assert len(found(table, folders=["/"])) == 200


def test_only_some_columns_are_read(table):
    assert found(table, ("path", "sample"), sizes=[1]) == [{"path": PATHS[1], "sample": None}]
    assert {*next(read_rows(table, keys=("size",)))} == {"size"}


def test_wanted_says_what_it_holds():
    wanted = Wanted(paths={"/x/y.mp3"}, folders={"/m/a"})
    held = ["/x/y.mp3", "/m/a/1.mp3", "/m/a/b/1.mp3", "/m/a"]
    assert all(map(wanted.holds, held))
    assert not any(map(wanted.holds, ["/x/z.mp3", "/m/ab/1.mp3", "/m", "/"]))
