"""Catalogs as CSV, TSV and Parquet: read with all their faults, written, and read again."""

import os
import shutil
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from genrenet.data.catalog import (
    CatalogError,
    EmptyCatalogError,
    MissingColumnsError,
    Problem,
    UnreadableTableError,
    read_catalog,
    write_catalog,
)
from tests.helpers.songs import ids, kinds, song, tagged, text, two_genres


@pytest.fixture
def folder(tmp_path):
    return two_genres(tmp_path / "music")


def test_csv(folder):
    table = text(
        folder / "tracks.csv",
        "Path,genre,artist,track_id,duration,split\n"
        "blues/0.wav, blues ,NA,007,1.5,train\n"
        f"{folder}/blues/1.wav,blues,Ann,,,\n"
        "metal/0.wav,metal,,,nan,valid\n"
        "./metal/../metal/1.wav,metal,Bea,,0.25,test\n",
    )
    for source in (table, folder):
        catalog = read_catalog(source)
        assert (catalog.format, catalog.name, catalog.problems) == ("csv", "music", ())
        assert ids(catalog) == ["007", "blues/1", "metal/0", "metal/1"]
        assert catalog.table["artist"].tolist() == ["NA", "Ann", "", "Bea"]
        assert catalog.table["split"].tolist() == ["train", "", "validation", "test"]
        np.testing.assert_array_equal(catalog.table["duration"], [1.5, np.nan, np.nan, 0.25])
        assert catalog.table["path"].tolist()[3] == str(folder / "metal" / "1.wav")


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ";"), (".tsv", "\t"), (".csv", ",")])
def test_separators_and_byte_order_mark(folder, suffix, mark):
    rows = [("path", "genre"), *((f"{g}/{n}.wav", g) for g in ("blues", "metal") for n in "01")]
    content = "\ufeff" + "\r\n".join(mark.join(row) for row in rows)
    catalog = read_catalog(text(folder / f"songs{suffix}", content))
    assert len(catalog) == 4
    assert catalog.name == "songs"
    np.testing.assert_allclose(catalog.table["duration"], 0.25)  # no such column: from the header


def test_everything_wrong_with_a_table_is_in_one_report(folder):
    rows = [
        "path,genre,mood,track_id,duration,split",
        "blues/0.wav,blues,sad,a,1,train",
        "blues/1.wav,blues,sad,b,1,train",
        "blues/../blues/0.wav,metal,sad,c,1,train",
        "gone.wav,blues,sad,d,1,train",
        "blues/2.wav,,sad,e,1,train",
        ",blues,sad,f,1,train",
        "blues/2.wav,solo,sad,g,1,train",
        "metal/0.wav,metal,sad,h,long,train",
        "metal/1.wav,metal,sad,h,-1,later",
        "metal/2.wav,metal,sad,i,1,train,and,more",
    ]
    catalog = read_catalog(text(folder / "t.csv", "\n".join(rows)))
    assert ids(catalog) == ["a", "b", "metal/0", "metal/1"]
    assert sorted(kinds(catalog)) == sorted(
        ["unknown-column", "duplicate-path", "missing-file", "no-genre", "no-path",
         "too-few-songs", "bad-value", "bad-value", "bad-value", "duplicate-id", "duplicate-id",
         "bad-row"]
    )  # fmt: skip
    report = catalog.report(limit=1)
    assert "'mood'" in report
    assert "bad-value: and 2 more" in report
    assert all(isinstance(p, Problem) and p.message for p in catalog.problems)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_missing_columns_are_named(tmp_path, name):
    frame = pd.DataFrame({"filename": ["a.wav"], "label": ["blues"]})
    getattr(frame, "to_csv" if name.endswith("csv") else "to_parquet")(tmp_path / name, index=False)
    with pytest.raises(
        MissingColumnsError, match=r"'filename', 'label', wanted 'path' and 'genre'"
    ):
        read_catalog(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            "path,genre\ncafé.wav,blues".encode("latin-1"),
            "not UTF-8: found byte 0xe9 at 14",
        ),
        ("t.csv", "path,genre".encode("utf-16"), "not UTF-8"),
        ("t.csv", b'path,genre\n"' + b"x" * 200_000, "is not a CSV file"),
        ("t.parquet", b"path,genre\n", "not a Parquet file"),
    ],
)
def test_unreadable_tables(tmp_path, name, content, message):
    with pytest.raises(UnreadableTableError, match=message):
        read_catalog(text(tmp_path / name, content))


def test_empty_tables(tmp_path):
    with pytest.raises(MissingColumnsError, match="an empty file"):
        read_catalog(text(tmp_path / "t.csv", b""))
    with pytest.raises(EmptyCatalogError):
        read_catalog(text(tmp_path / "t.csv", "path,genre\n"))


def test_parquet_from_elsewhere(folder):
    """Numbers as identifiers, nothing as None or NaN, paths as bytes."""
    pd.DataFrame(
        {
            "path": [b"blues/0.wav", b"blues/1.wav", b"metal/0.wav", b"metal/1.wav"],
            "genre": ["blues", "blues", "metal", "metal"],
            "artist": ["Ann", None, "Bea", None],
            "duration": [1, np.nan, 2, 3],
            "track_id": [1, 2, 3, 4],
        },
        index=[9, 8, 7, 6],
    ).to_parquet(folder / "t.parquet")
    catalog = read_catalog(folder / "t.parquet")
    assert ids(catalog) == ["1", "2", "3", "4"]
    assert catalog.table["artist"].tolist() == ["Ann", "", "Bea", ""]
    np.testing.assert_array_equal(catalog.table["duration"], [1, np.nan, 2, 3])


STRANGE_NAMES = (
    b"caf\xe9.wav", b"new\nline.wav", b" spaces .wav", b"file:x.wav", b'50% "a,b".wav',
    "Veränderung.wav".encode(), b"back\\slash.wav",
)  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
@pytest.mark.parametrize("place", [".", "blues", "lists/deep"])
def test_there_and_back(folder, name, place):
    """Every kind of file name comes back, also from another folder."""
    for strange in STRANGE_NAMES:
        song(os.fsdecode(os.path.join(os.fsencode(folder / "blues"), strange)))
    tagged(folder / "metal" / "t.flac", artist='He said "no", twice', album="ÄÖ", title="; x")
    before = read_catalog(folder)
    before.table.loc[0, "duration"] = np.nan
    target = folder / place / name
    write_catalog(before, target)
    after = read_catalog(target)
    assert after.problems == ()
    pd.testing.assert_frame_equal(after.table, before.table)
    assert [p.name for p in target.parent.glob("*.part")] == []


def test_a_written_table_moves_with_its_folder(folder, tmp_path):
    write_catalog(read_catalog(folder), folder / "songs.csv")
    shutil.move(folder, tmp_path / "moved")
    catalog = read_catalog(tmp_path / "moved" / "songs.csv")
    assert len(catalog) == 6
    assert str(folder) not in (tmp_path / "moved" / "songs.csv").read_text()


def test_file_addresses_are_understood(folder):
    rows = ["path,genre"]
    for genre in ("blues", "metal"):
        rows += [
            f"file://localhost{quote(str(folder))}/{genre}/0.wav,{genre}",
            f"file:{genre}/%31.wav,{genre}",
        ]
    assert len(read_catalog(text(folder / "t.csv", "\n".join(rows)))) == 4


def test_the_split_is_written_too(folder):
    before = read_catalog(folder)
    before.table["split"] = ["train", "validation", "test"] * 2
    for name in ("t.csv", "t.parquet"):
        write_catalog(before, folder / name)
        pd.testing.assert_frame_equal(read_catalog(folder / name).table, before.table)


def test_writing_can_fail(folder):
    catalog = read_catalog(folder)
    with pytest.raises(CatalogError, match=r"suffix '\.xlsx'"):
        write_catalog(catalog, folder / "t.xlsx")
    with pytest.raises(CatalogError, match="cannot write"):
        write_catalog(catalog, folder / "blues" / "0.wav" / "t.csv")
    write_catalog(catalog, folder / "t.csv")
    before = (folder / "t.csv").read_text()
    catalog.table["title"] = pd.Series(["\udce9"] * len(catalog), dtype=object)
    with pytest.raises(CatalogError, match="cannot write"):
        write_catalog(catalog, folder / "t.csv")
    assert (folder / "t.csv").read_text() == before
    assert list(folder.glob("*.part")) == []


def test_a_column_twice(tmp_path):
    (tmp_path / "songs.csv").write_text("path,genre,Genre\na.wav,rock,pop\n")
    with pytest.raises(UnreadableTableError, match="has a column twice: found 'genre'"):
        read_catalog(tmp_path / "songs.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_open_quote_swallows_no_songs(tmp_path, separator):
    two_genres(tmp_path)
    rows = [("path", "genre", "title")]
    for number in range(12):
        genre = ("blues", "metal")[number % 2]
        rows.append((f"{genre}/{number % 3}.wav", genre, f"Song {number}"))
    rows[4] = (*rows[4][:2], '"Song')
    for last in ('"Song" 11', "Song 11"):
        rows[12] = (*rows[12][:2], last)
        lines = "\n".join(separator.join(row) for row in rows)
        table = text(tmp_path / "songs.csv", lines)
        with pytest.raises(UnreadableTableError, match="a quote opens in line 5 ") as caught:
            read_catalog(table)
        assert "quote in line 5" in caught.value.remedy


def test_a_field_over_several_lines_is_reported(tmp_path):
    two_genres(tmp_path)
    rows = [f"{genre}/{n}.wav,{genre},Song" for genre in ("blues", "metal") for n in range(3)]
    rows[1] = 'blues/1.wav,blues,"Song\nand more"'
    catalog = read_catalog(text(tmp_path / "songs.csv", "\n".join(["path,genre,title", *rows])))
    assert len(catalog) == 6
    assert catalog.table["title"][1] == "Song and more"
    (problem,) = [each for each in catalog.problems if each.kind == "several-lines"]
    assert "lines 3 to 4" in problem.message
    assert problem.path == str(tmp_path / "songs.csv")
