"""The table of a library: whole, in order, and never half of one."""

import os

import pyarrow.parquet as pq
import pytest

from genrenet.library.table import (
    About,
    TableError,
    columns_of,
    count_rows,
    file_of,
    read_about,
    read_rows,
    read_table,
    write_rows,
)

ABOUT = About(["blues", 'a "quoted" genre'], "model@12", {"trim": None, "frames": 3})
ROWS = [
    {"path": "/m/a.mp3", "genre": "blues", "confidence": 0.75, "frames": 3, "duration": 200.5,
     "checkpoint": "model@12", "error": None, "notes": "short", "size": 7, "mtime": 2**62,
     "score_blues": 0.75, 'score_a "quoted" genre': 0.25},
    {"path": "/m/b.mp3", "genre": None, "error": "no audio", "size": 1, "mtime": 2, "frames": 0,
     "checkpoint": "model@12"},
]  # fmt: skip


@pytest.mark.parametrize("name", ["t.parquet", "t.sqlite", "t.db"])
def test_what_is_written_is_read(name, tmp_path):
    assert write_rows(tmp_path / name, ROWS, ABOUT) == 2
    assert read_about(tmp_path / name) == ABOUT
    found = list(read_rows(tmp_path / name))
    assert found[0] == ROWS[0]
    assert found[1] == {**dict.fromkeys(columns_of(ABOUT.labels)), **ROWS[1]}
    table = read_table(tmp_path / name)
    assert list(table.columns) == columns_of(ABOUT.labels)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["t.parquet", "t.sqlite"])
def test_many_rows_stay_in_order(name, tmp_path):
    rows = [{"path": f"/m/{i:06d}", "size": i, "mtime": i} for i in range(20_000)]
    write_rows(tmp_path / name, iter(rows), ABOUT)
    assert [row["size"] for row in read_rows(tmp_path / name)] == list(range(20_000))
    assert count_rows(tmp_path / name) == 20_000


@pytest.mark.parametrize("name", ["t.parquet", "t.sqlite"])
def test_an_interrupted_write_leaves_the_former_table(name, tmp_path):
    write_rows(tmp_path / name, ROWS, ABOUT)

    def broken():
        yield ROWS[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(TableError, match="No space left"):
        write_rows(tmp_path / name, broken(), ABOUT)
    assert len(list(read_rows(tmp_path / name))) == 2
    assert os.listdir(tmp_path) == [name]


def test_what_is_no_table_is_named(tmp_path):
    with pytest.raises(TableError, match=r"wanted \.db or \.parquet"):
        read_about(tmp_path / "t.csv")
    with pytest.raises(TableError, match="there is no table"):
        read_about(tmp_path / "gone.parquet")
    for name in ("text.parquet", "text.sqlite"):
        (tmp_path / name).write_text("no table at all, but a few words")
        with pytest.raises(TableError, match="not the table of a scanned library"):
            list(read_rows(tmp_path / name))
    pq.write_table(pq.ParquetFile(_foreign(tmp_path)).read(), tmp_path / "other.parquet")
    with pytest.raises(TableError, match="not the table of a scanned library"):
        read_table(tmp_path / "other.parquet")
    write_rows(tmp_path / "old.parquet", ROWS, About(["blues"], "m", version=0))
    with pytest.raises(TableError, match="another version"):
        read_about(tmp_path / "old.parquet")


def _foreign(folder):
    import pandas as pd

    pd.DataFrame({"path": ["a"]}).to_parquet(folder / "foreign.parquet")
    return folder / "foreign.parquet"


def test_names_that_are_not_utf8_lead_back_to_their_files(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.mp3"
    open(odd, "wb").close()
    assert file_of(rf"{tmp_path}/caf\xe9.mp3") == os.fsdecode(odd)
    plain = tmp_path / r"really\xe9.mp3"
    plain.touch()
    assert file_of(str(plain)) == str(plain)
    assert file_of("/music/a.mp3") == "/music/a.mp3"
