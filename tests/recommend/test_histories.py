# ruff: noqa: E501
"""Small histories in common formats, the expected triples, and errors."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from genrenet.recommend import HistoryError, read_history
from tests.helpers.histories import plays

TRIPLES = {("1", "10"): 5, ("1", "20"): 3, ("2", "10"): 4}
PLAYED = {("anna", "x"): 2, ("anna", "y"): 1, ("ben", "x"): 5}
ONCE = dict.fromkeys(PLAYED, 1.0)

SAME = {
    "MovieLens 100K": ("1\t10\t5\t881250949\n1\t20\t3\t891717742\n2\t10\t4\t878887116\n", TRIPLES),
    "MovieLens 1M": ("1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n", TRIPLES),
    "halves of stars": ("1,10,4.5,964982703\n1,20,0.5,964981247\n", {("1", "10"): 4.5, ("1", "20"): 0.5}),
    "plays and times": ("anna\tx\t2\t1200000000\nanna\ty\t1\t1200000060\nben\tx\t5\t1300000000\n", PLAYED),
    "plays and dates": (
        "anna,x,2,2009-05-04T23:08:57Z\nanna,y,1,2009-05-05T00:08:57Z\nben,x,5,2010-05-04T23:08:57Z\n",
        PLAYED,
    ),
    "times first": ("2009-05-04,anna,x\n2009-05-05,anna,y\n2009-05-06,ben,x\n", ONCE),
    "times third": ("anna\tx\t1200000000\nanna\ty\t1200000060\nben\tx\t1300000000\n", ONCE),
    "milliseconds": ("anna,x,1200000000000\nanna,y,1200000060123\nben,x,1300000000456\n", ONCE),
    "microseconds": ("anna,x,1200000000000000\nanna,y,1200000060123000\nben,x,1300000000456000\n", ONCE),
    "times with a fraction": ("anna,x,1200000000.5\nanna,y,1200000060.25\nben,x,1300000000.0\n", ONCE),
    "dates third": ("anna,x,4 May 2009 23:08\nanna,y,14 May 2009 23:08\nben,x,4 June 2010 01:00\n", ONCE),
    "numbers of rows": ("0,anna,x,2\n1,anna,y,1\n2,ben,x,5\n", PLAYED),
    "semicolons": ("user;item;plays\nanna;x;2\nanna;y;1\nben;x;5\n", PLAYED),
    "semicolons, no header": ("anna;x;2\nanna;y;1\nben;x;5\n", PLAYED),
    "bars": ("anna|x|2\nanna|y|1\nben|x|5\n", PLAYED),
    "CRLF": ("user,item,plays\r\nanna,x,2\r\nanna,y,1\r\nben,x,5\r\n", PLAYED),
    "CR": ("user,item,plays\ranna,x,2\ranna,y,1\rben,x,5\r", PLAYED),
    "German": ("Nutzer;Titel;Wiedergaben\nanna;x;2\nanna;y;1\nben;x;5\n", PLAYED),
    "French": ("Utilisateur,Morceau,\u00c9coutes\nanna,x,2\nanna,y,1\nben,x,5\n", PLAYED),
    "Spanish": ("usuario,canci\u00f3n,reproducciones\nanna,x,2\nanna,y,1\nben,x,5\n", PLAYED),
    "decimal commas": ("anna;x;2,5\nanna;y;1,0\nben;x;5\n", {**PLAYED, ("anna", "x"): 2.5}),
    "commas of thousands": (
        'user,item,plays\nanna,x,"1,234"\nanna,y,"1,234,567"\nben,x,5\n',
        {("anna", "x"): 1234, ("anna", "y"): 1234567, ("ben", "x"): 5},
    ),
    "points of thousands": (
        "anna;x;1.234\nanna;y;1\nben;x;12.345\n",
        {("anna", "x"): 1234, ("anna", "y"): 1, ("ben", "x"): 12345},
    ),
    "points and commas": ("anna;x;1.234,5\nanna;y;1,5\n", {("anna", "x"): 1234.5, ("anna", "y"): 1.5}),
    "spaces of thousands": ("anna;x;1 234\nanna;y;1\n", {("anna", "x"): 1234, ("anna", "y"): 1}),
    "plain decimals": ("anna,x,1.234\nanna,y,1.5\n", {("anna", "x"): 1.234, ("anna", "y"): 1.5}),
    "the same row twice": ("anna,x,1\nanna,x,1\nanna,y,1\n", {("anna", "x"): 2, ("anna", "y"): 1}),
    "below zero": ("anna,x,2\nanna,y,1\nben,x,5\nben,y,-1\n", PLAYED),
    "quotes in a TSV": (
        'anna\t"Heroes\t2\nanna\ty\t1\nben\t12" Mix\t5\n',
        {("anna", '"Heroes'): 2, ("anna", "y"): 1, ("ben", '12" Mix'): 5},
    ),
    "a quote within a name": ('anna,12" Mix,2\nben,"a ""b"", c",5\n', {("anna", '12" Mix'): 2, ("ben", 'a "b", c'): 5}),
    "line separators in names": ("anna,x\u2028y,2\nben,x\x85,5\n", {("anna", "x\u2028y"): 2, ("ben", "x"): 5}),
}  # fmt: skip


def write(folder, text, encoding="utf-8"):
    path = folder / "history.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("name", SAME)
def test_triples(tmp_path, name):
    text, wanted = SAME[name]
    found = plays(read_history(write(tmp_path, text)))
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("separator", ["\t", "::", "|", ";", ","])
def test_encodings(tmp_path, encoding, separator):
    rows = [
        ("J\u00fcrgen", "Bj\u00f6rk", "2"),
        ("anna", "Mot\u00f6rhead", "7"),
        ("anna", "a b", "1"),
    ]
    text = "".join(separator.join(row) + "\r\n" for row in rows)
    found = read_history(write(tmp_path, text, encoding))
    assert plays(found) == {(user, item): float(count) for user, item, count in rows}
    assert any("read as" in note for note in found.notes) == (not encoding.startswith("utf-8"))


def test_windows_letters_that_latin_1_lacks(tmp_path):
    found = read_history(write(tmp_path, "anna,\u20ac\u2019s,2\nanna,b,1\n", "cp1252"))
    assert found.items[0] == "\u20ac\u2019s"
    assert "read as Windows-1252" in found.notes[1]


def test_what_was_assumed_is_told_and_can_be_said_otherwise(tmp_path):
    text, _ = SAME["MovieLens 100K"]
    path = write(tmp_path, text)
    (note,) = read_history(path).notes
    assert "1 user, 2 item, 3 rating (as a weight), 4 time; say otherwise with --columns" in note
    assert note.endswith("--columns user,item,rating,time")
    found = read_history(path, columns=["item", "user", "-", "time"])
    assert plays(found) == dict.fromkeys([("10", "1"), ("20", "1"), ("10", "2")], 1)
    assert found.notes == []
    # With a header, and of one user, who is called like the file.
    path = write(tmp_path, "wer,was,wieoft\nanna,x,2\nben,x,3\n")
    with pytest.raises(HistoryError, match=r"cannot detect .*--columns"):
        read_history(path)
    assert plays(read_history(path, columns=["user", "item", "plays"])) == {
        ("anna", "x"): 2,
        ("ben", "x"): 3,
    }
    path = write(tmp_path, "x,3\ny,4\n")
    assert plays(read_history(path, columns=["item", "plays"])) == {
        ("history", "x"): 3,
        ("history", "y"): 4,
    }


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["user", "thing", "plays"], "found user,thing,plays, wanted one of user, item"),
        (["user", "plays", "time"], "and an item"),
        (["user", "item"], "--columns names 2 columns: found 3 in"),
        (["item", "plays", "rating"], "--columns: found"),
    ],
)
def test_names_of_columns_that_are_refused(tmp_path, columns, message):
    with pytest.raises(HistoryError, match=message):
        read_history(write(tmp_path, "anna,x,2\nben,y,1\n"), columns=columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item,plays\nanna,x,1200000000\nben,y,1200000001\n", "found times, such as 12000"),
        ("user,item,count\nanna,x,2009-05-04\nben,y,2009-05-04\n", "found times, such as 2009"),
        # Times, or identifiers of items?
        (
            "anna,1200000000,3\nanna,1200000060,1\nben,1200000070,2\n",
            "cannot detect the columns",
        ),
        ("anna,x,Album,5\nben,y,Other,2\n", "cannot detect the columns"),
        ("anna,x,much\nben,y,little\n", "cannot detect the columns"),
        ("u1\tartist\ttrack\t5\nu2\tother\ttitle\t2\n", "cannot detect the columns"),
    ],
)
def test_columns_that_may_be_several_things(tmp_path, text, message):
    with pytest.raises(HistoryError, match=message):
        read_history(write(tmp_path, text))


def test_parquet_with_times_for_plays(tmp_path):
    path = tmp_path / "a.parquet"
    table = {"user": ["a", "b"], "item": ["x", "y"], "count": [1200000000, 1300000000]}
    pyarrow.parquet.write_table(pa.table(table), path)
    with pytest.raises(HistoryError, match="found times"):
        read_history(path)
    found = read_history(path, columns=["user", "item", "time"])
    assert plays(found) == {("a", "x"): 1, ("b", "y"): 1}


def test_an_open_quote_swallows_nothing(tmp_path):
    rows = [f"user{row % 40},song{row},{row % 9 + 1}" for row in range(1000)]
    rows[333] = 'user13,"song333,1'
    for closing in ('user39,"song999",4', "user39,song999,4"):
        rows[999] = closing
        text = "\n".join(["user,item,plays", *rows])
        with pytest.raises(HistoryError, match="a quote opens in line 335 ") as caught:
            read_history(write(tmp_path, text))
        assert "close the quote in line 335" in caught.value.remedy
    # Where tabs part columns a quote is a letter.
    found = read_history(write(tmp_path, text.replace(",", "\t")))
    assert found.plays.nnz == 1000
    assert found.skipped == []


def test_fields_over_several_lines_are_rows_and_told(tmp_path):
    text = 'user,item,plays\nanna,"a\nb",2\nanna,c,1\nben,"d\n\ne",x\nben,f\nben,g,3\nben,h,1\n'
    found = read_history(write(tmp_path, text))
    assert plays(found)["anna", "a\nb"] == 2
    assert plays(found)["ben", "g"] == 3
    assert [note.rpartition(": ")[2] for note in found.notes] == [
        "a field goes over lines 2 to 3",
        "a field goes over lines 5 to 7",
    ]
    assert "line 5: plays 'x'" in found.skipped[0]
    assert "line 8: another number of columns" in found.skipped[0]


def test_listens_as_lines_of_json_with_a_mark(tmp_path):
    listen = {
        "track_metadata": {"artist_name": "Bj\u00f6rk", "track_name": "Joga"},
        "user_name": "anna",
    }
    lines = "\r\n".join([json.dumps(listen, ensure_ascii=False)] * 2)
    for encoding in ("utf-8", "utf-8-sig"):
        path = tmp_path / "a.jsonl"
        path.write_bytes(lines.encode(encoding))
        assert plays(read_history(path)) == {("anna", "Bj\u00f6rk"): 2}
