"""The table of a library: complete, in order, and written atomically."""

import json
import os
import sqlite3
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrenet.library.table import (
    LATER,
    About,
    TableError,
    check_table,
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
    assert found[0] == {**dict.fromkeys(columns_of(ABOUT.labels)), **ROWS[0]}
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


CLASH = About(["Rock", "rock", "ROCK", "path", "error", "frames", "by"], "m")


@pytest.mark.parametrize("name", ["t.parquet", "t.sqlite"])
def test_genres_that_a_database_cannot_tell_apart(name, tmp_path):
    scores = {f"score_{label}": number / 10 for number, label in enumerate(CLASH.labels)}
    row = {"path": "/m/a.mp3", "genre": "rock", "frames": 3, "scored_by": "me", **scores}
    check_table(tmp_path / name, CLASH.labels)
    write_rows(tmp_path / name, [row], CLASH)
    (found,) = read_rows(tmp_path / name)
    assert {key: value for key, value in found.items() if value is not None} == row
    if name.endswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / name)) as held:
            told = held.execute('SELECT score_rock, "score_rock_2", "score_path" FROM songs')
            assert told.fetchall() == [(0.0, 0.1, 0.3)]
    else:
        names = pq.read_schema(tmp_path / name).names
        assert len({column.casefold() for column in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("t.sqlite", [f"genre {number}" for number in range(3000)]),
        ("t.sqlite", ["rock", "odd\udce9"]),
        ("t.parquet", ["rock", "odd\udce9"]),
    ],
)
def test_a_table_that_cannot_be_is_refused_before_the_work(name, labels, tmp_path):
    with pytest.raises(TableError, match=rf"cannot hold the scores of these {len(labels)} genres"):
        check_table(tmp_path / name, labels)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["t.parquet", "t.sqlite"])
def test_older_tables_are_read(name, tmp_path):
    """Without later columns; Parquet with genres that differ only in case under their own names."""
    labels = ["Rock", "rock"] if name == "t.parquet" else ["Rock", "pop"]
    columns = {"path": "/m/a.mp3", "genre": "Rock", "confidence": 0.5, "frames": 1}
    columns |= {"duration": 2.0, "checkpoint": "m", "error": None, "notes": None}
    columns |= {"size": 1, "mtime": 2} | {f"score_{label}": 0.5 for label in labels}
    about = json.dumps({"labels": labels, "checkpoint": "m", "settings": {}, "version": 1})
    if name == "t.parquet":
        table = pa.Table.from_pylist([columns]).replace_schema_metadata({"genrenet": about})
        pq.write_table(table, tmp_path / name)
    else:
        with closing(sqlite3.connect(tmp_path / name)) as held, held:
            held.execute("CREATE TABLE about (value TEXT)")
            held.execute("INSERT INTO about VALUES (?)", (about,))
            held.execute(f"CREATE TABLE songs ({', '.join(columns)})")
            holes = ", ".join("?" * len(columns))
            held.execute(f"INSERT INTO songs VALUES ({holes})", [*columns.values()])
    (row,) = read_rows(tmp_path / name)
    assert row == columns | dict.fromkeys(LATER)


def test_names_that_are_not_utf8_lead_back_to_their_files(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.mp3"
    open(odd, "wb").close()
    assert file_of(rf"{tmp_path}/caf\xe9.mp3") == os.fsdecode(odd)
    plain = tmp_path / r"really\xe9.mp3"
    plain.touch()
    assert file_of(str(plain)) == str(plain)
    assert file_of("/music/a.mp3") == "/music/a.mp3"
