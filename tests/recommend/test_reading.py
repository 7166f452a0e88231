"""Histories from tables and exports: meaning of each format, and bad rows."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from genrenet.recommend import HistoryError, read_history, read_names
from tests.helpers.histories import plays


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "user,item,plays\nanna,x,2\nanna,y,1\nben,x,5\n",
        "User ID\tArtist-Name\tWeight\nanna\tx\t2\nanna\ty\t1\nben\tx\t5\n",
        "plays,song,username\n2,x,anna\n1,y,anna\n5,x,ben\n",
        "anna,x,2\nanna,y,1\nben,x,5\n",
        "anna\tx\t2\nanna\ty\t1\nben\tx\t5\n\n",
        "\ufeffuser,path\r\nanna,x\r\nanna,y\r\nanna,x\r\n" + "ben,x\r\n" * 5,
        "anna,x\nanna,y\nanna,x\n" + "ben,x\n" * 5,
    ],
)
def test_tables_with_and_without_header_say_the_same(tmp_path, text):
    found = read_history(write(tmp_path, "plays.txt", text))
    assert plays(found) == {("anna", "x"): 2, ("anna", "y"): 1, ("ben", "x"): 5}
    assert found.users == ["anna", "ben"]
    assert found.skipped == []
    assert found.plays.dtype == np.float32


def test_parquet_with_numbers_as_names(tmp_path):
    table = pd.DataFrame({"userID": [7, 7, 8], "artistID": [1, 2, 1], "weight": [3.0, np.nan, 4.0]})
    table.to_parquet(tmp_path / "plays.parquet")
    found = read_history(tmp_path / "plays.parquet")
    assert plays(found) == {("7", "1"): 3, ("8", "1"): 4}
    assert "1 rows of 3 skipped: line 2: plays ''" in found.skipped[0]


def test_several_files_are_one_history(tmp_path):
    first = write(tmp_path, "a.csv", "user,item,plays\nanna,x,2\n")
    second = write(tmp_path, "b.tsv", "ben\tx\t1\nanna\tx\t1\n")
    assert plays(read_history(first, second)) == {("anna", "x"): 3, ("ben", "x"): 1}


def test_the_listening_of_hetrec(shared_data):
    found = read_history(shared_data / "lastfm" / "user_artistsload.dat")
    truth = pd.read_csv(shared_data / "lastfm" / "user_artistsload.dat", sep="\t", header=None)
    assert found.plays.shape == (truth[0].nunique(), truth[1].nunique())
    assert found.plays.nnz == len(truth)
    assert found.plays.sum(dtype=np.float64) == truth[2].sum()
    names = read_names(shared_data / "lastfm" / "artists.dat")
    assert names["1"] == "MALICE MIZER"
    assert set(found.items) <= set(names)


# --- exports --------------------------------------------------------------------------------------


def test_last_fm_360k_keeps_quotes_and_artists_without_identifier(tmp_path):
    mbid = ["7746d775-9550-4360-b8d5-c37bd448ce01", "a3cb23fc-acd3-4ce0-8f36-1e5aa6a18432"]
    text = (
        f'u1\t{mbid[0]}\t"Weird Al" Yankovic\t5\n'
        f'u1\t\tbetty blowtorch\t2\nu2\t{mbid[0]}\t"Weird Al" Yankovic\t1\nu2\t{mbid[1]}\t\t3\n'
    )
    found = read_history(write(tmp_path, "usersha1-artmbid-artname-plays.tsv", text))
    assert found.items == ['"Weird Al" Yankovic', "betty blowtorch", mbid[1]]
    assert plays(found)["u1", "betty blowtorch"] == 2


@pytest.mark.parametrize(
    ("unit", "items"),
    [(None, ["Deep Dish", "Underworld"]), ("track", ["Deep Dish - Fuck Me", "Underworld - Boy"])],
)
def test_last_fm_1k(tmp_path, unit, items):
    text = (
        "user_000001\t2009-05-04T23:08:57Z\tf1b1\tDeep Dish\t\tFuck Me\n"
        "user_000001\t2009-05-04T13:54:10Z\ta7f7\tUnderworld\tt1\tBoy\n"
        "user_000002\t2009-05-04T13:52:04Z\ta7f7\tUnderworld\tt1\tBoy\n"
    )
    found = read_history(write(tmp_path, "1k.tsv", text), unit=unit)
    assert found.items == items
    assert plays(found)["user_000002", items[1]] == 1


@pytest.mark.parametrize(
    "text",
    [
        'Bj\u00f6rk,Post,"Army of Me, live",03 Mar 2018 12:00\nBj\u00f6rk,Post,Hyperballad,'
        "03 Mar 2018 12:04\nCan,Tago Mago,Halleluhwah,04 Mar 2018 08:00\n",
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        '1,"3 Mar 2018, 12:00",Bj\u00f6rk,m,Post,,"Army of Me, live",\n'
        '2,"3 Mar 2018, 12:04",Bj\u00f6rk,m,Post,,Hyperballad,\n'
        '3,"4 Mar 2018, 08:00",Can,,Tago Mago,,Halleluhwah,\n',
    ],
)
def test_scrobbles_of_one_user_are_called_like_the_file(tmp_path, text):
    path = write(tmp_path, "anna.csv", text)
    assert plays(read_history(path)) == {("anna", "Bj\u00f6rk"): 2, ("anna", "Can"): 1}
    assert "Bj\u00f6rk - Army of Me, live" in read_history(path, unit="track").items


def listen(artist, track, **more):
    return {
        "listened_at": 1,
        "track_metadata": {"artist_name": artist, "track_name": track},
        **more,
    }


LISTENS = [listen("Can", "Vitamin C"), listen("Can", "Spoon"), listen("Neu!", "Hallogallo")]


@pytest.mark.parametrize("form", ["lines", "list", "indented list", "api", "zip"])
def test_listenbrainz_in_all_its_forms(tmp_path, form):
    lines = "".join(json.dumps(each) + "\n" for each in LISTENS)
    path = tmp_path / ("anna.zip" if form == "zip" else "anna.json")
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("user.json", json.dumps({"user_id": 1, "username": "anna"}))
            archive.writestr("listens/2023/1.jsonl", json.dumps(LISTENS[0]) + "\n")
            archive.writestr("listens/2024/12.jsonl", "".join(lines.splitlines(True)[1:]))
            archive.writestr("feedback.jsonl", '{"score": 1}\n')
    elif form == "api":
        path.write_text(json.dumps({"payload": {"count": 3, "listens": LISTENS}}, indent=1))
    else:
        indent = 2 if form == "indented list" else None
        path.write_text(lines if form == "lines" else json.dumps(LISTENS, indent=indent))
    found = read_history(path)
    assert plays(found) == {("anna", "Can"): 2, ("anna", "Neu!"): 1}
    assert read_history(path, unit="track").items[1] == "Can - Spoon"


def test_listens_name_their_users_and_broken_ones_are_counted(tmp_path):
    each = [json.dumps(listen("Can", "Spoon", user_name=name)) for name in ("anna", "ben", "cid")]
    path = write(tmp_path, "dump.jsonl", "\n".join([each[0], "{broken", each[1], "[]", each[2]]))
    found = read_history(path)
    assert found.users == ["anna", "ben", "cid"]
    assert "2 rows of 5 skipped: line 2: no listen" in found.skipped[0]
    assert "line 4" in found.skipped[0]


# --- what is bad ----------------------------------------------------------------------------------


def test_bad_rows_are_skipped_counted_and_named(tmp_path):
    good = [f"u{row},x{row},1" for row in range(12)]
    bad = ["u1,a,-3", "u1,b,many", "u1,c,nan", "u1,d,inf", ",e,1", "u1,f", "u1,,2", "u1,g,1,1"]
    text = "\n".join(["user,item,plays", *good, *bad, "u1,h,0", "u9,last,7"]) + "\n"
    found = read_history(write(tmp_path, "plays.csv", text))
    assert len(plays(found)) == 13
    assert plays(found)["u9", "last"] == 7
    [line] = found.skipped
    assert "8 rows of 22 skipped" in line
    assert "line 14: plays '-3', wanted a number of 0 or more; line 15" in line
    assert "line 18: a user or an item without a name" in line
    assert "and 3 more" in line
    assert any("1 rows" in note and "0 plays" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", " \n\n", "is empty"),
        ("a.csv", "user,plays\nanna,3\n", "cannot detect the columns"),
        ("a.csv", "user,thing\nanna,x\n", "cannot detect the columns"),
        ("a.csv", "item,plays\nx,3\n", "no column of users: found the columns item, plays"),
        ("a.csv", "who,what,times\nanna,x,3\nben,x,2\n", "cannot detect the columns"),
        ("a.csv", "one,column,or,five,columns\n", "cannot detect the columns"),
        (
            "a.csv",
            "user,item,plays\nanna,x,a\nben,x,b\ncid,x,1\n",
            "2 bad rows of 3; line 2: plays",
        ),
        ("a.csv", "user,item,plays\n", "cannot be used"),
        ("a.csv", "a\0b", "is not text"),
        ("a.parquet", "user,item\n", "not a Parquet file"),
        ("a.json", "{broken\n", "cannot be used"),
        ("a.json", "[{]", "broken"),
        ("a.json", "", "is empty"),
        ("a.zip", "no archive", "contains no listens"),
    ],
)
def test_files_that_are_no_histories(tmp_path, name, text, message):
    with pytest.raises(HistoryError, match=message):
        read_history(write(tmp_path, name, text))


def test_what_is_not_there(tmp_path):
    with pytest.raises(HistoryError, match="there is no file"):
        read_history(tmp_path / "gone.csv")
    path = write(tmp_path, "a.csv", "user,artist\nanna,x\n")
    with pytest.raises(HistoryError, match="--unit track: found no column of tracks"):
        read_history(path, unit="track")
    with pytest.raises(HistoryError, match=r"no user 'ana'.*did you mean 'anna'"):
        read_history(path).user("ana")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("notes.txt", "x")
    with pytest.raises(HistoryError, match=r"contains no listens: found notes\.txt"):
        read_history(tmp_path / "other.zip")


def test_latin_letters_are_read_and_told(tmp_path):
    path = write(tmp_path, "a.tsv", "anna\tBj\u00f6rk\t3\n", "latin-1")
    found = read_history(path)
    assert found.items == ["Bj\u00f6rk"]
    assert "read as Windows-1252" in found.notes[1]


def test_lines_with_another_number_of_columns_are_named(tmp_path):
    path = write(tmp_path, "a.tsv", "a\tx\t1\nb\ty\n\nc\tz\t1\td\ne\tw\t-1\n" + "f\tv\t1\n" * 9)
    [line] = read_history(path).skipped
    assert "3 rows of 13 skipped: line 2: another number of columns; line 4: another" in line
    assert "line 5: plays '-1'" in line


def test_names_pass_over_their_header(tmp_path):
    path = write(
        tmp_path, "artists.dat", "id\tname\turl\tpictureURL\n1\tCan\tx\ty\n2\tNeu!\tx\ty\n"
    )
    assert read_names(path) == {"1": "Can", "2": "Neu!"}
    with pytest.raises(HistoryError, match="names no items"):
        read_names(write(tmp_path, "one.csv", "just a column\n"))
