"""Reading collections: songs, identifiers, and errors."""

import dataclasses
import os
import shutil

import pytest

from genrenet.data.catalog import (
    CatalogError,
    EmptyCatalogError,
    OneGenreError,
    SourceNotFoundError,
    UnreadableTableError,
    check_catalog,
    read_catalog,
)
from genrenet.utils.errors import GenrenetError
from tests.helpers.songs import ids, kinds, song, text


def test_the_same_file_twice_is_one_song(folder):
    (folder / "metal" / "link.wav").symlink_to(folder / "blues" / "0.wav")
    catalog = read_catalog(folder)
    assert len(catalog) == 6
    [problem] = catalog.problems
    assert problem.kind == "duplicate-path"
    assert problem.path == str(folder / "metal" / "link.wav")
    assert "'blues', not 'metal'" in problem.message


def test_a_genre_with_too_few_songs_is_left_out(folder):
    song(folder / "solo" / "1.wav")
    (folder / "void").mkdir()
    catalog = read_catalog(folder)
    assert catalog.genres == ["blues", "metal"]
    assert kinds(catalog) == ["too-few-songs", "too-few-songs"]
    assert any("'solo'" in problem.message for problem in catalog.problems)
    assert read_catalog(folder, min_songs=1).genres == ["blues", "metal", "solo"]


def test_files_that_differ_in_suffix_alone_keep_it(folder):
    song(folder / "blues" / "0.flac", seed=7)
    found = ids(read_catalog(folder))
    assert len(set(found)) == 7
    assert {"blues/0.wav", "blues/0.flac", "blues/1"} <= set(found)


def test_names_that_are_not_utf8(folder):
    strange = song(
        os.path.join(os.fsencode(folder), b"metal", b"caf\xe9.wav").decode(
            "utf-8", "surrogateescape"
        )
    )
    catalog = read_catalog(folder)
    assert len(catalog) == 7
    assert strange in catalog.table["path"].tolist()
    assert r"metal/caf\xe9" in ids(catalog)
    catalog.report().encode("utf-8")
    assert check_catalog(catalog, min_seconds=0.1) == ()


def test_nothing_there(tmp_path):
    with pytest.raises(SourceNotFoundError, match="nowhere"):
        read_catalog(tmp_path / "nowhere")


def test_no_audio(tmp_path):
    with pytest.raises(EmptyCatalogError, match="an empty folder"):
        read_catalog(tmp_path)
    text(tmp_path / "blues" / "readme.txt", "x")
    with pytest.raises(EmptyCatalogError, match=r"1 \.txt.*one sub-folder per genre"):
        read_catalog(tmp_path)


def test_one_genre_is_not_enough(folder):
    shutil.rmtree(folder / "metal")
    song(folder / "soul" / "1.wav")
    with pytest.raises(OneGenreError, match=r"'blues' with 3 songs.*'soul'.*at least two genres"):
        read_catalog(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "xml"}, "unknown format: found 'xml'"),
        ({"min_songs": 0}, "min_songs"),
        ({"format": "fma"}, "no FMA tracks"),
        ({"format": "csv"}, "cannot read"),
    ],
)
def test_wrong_settings(folder, arguments, message):
    with pytest.raises(CatalogError, match=message):
        read_catalog(folder, **arguments)


def test_a_file_that_is_no_collection(folder):
    with pytest.raises(CatalogError, match=r"suffix '\.wav'"):
        read_catalog(folder / "blues" / "0.wav")
    with pytest.raises(CatalogError, match="is a file"):
        read_catalog(folder / "blues" / "0.wav", format="folder")


def test_all_errors_are_of_the_package():
    for error in (SourceNotFoundError, EmptyCatalogError, OneGenreError, UnreadableTableError):
        assert issubclass(error, CatalogError)
    assert issubclass(CatalogError, GenrenetError)


def test_a_catalog_does_not_change(folder):
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_catalog(folder).name = "other"


def test_emotify(shared_data):
    catalog = read_catalog(shared_data / "emotify")
    assert (catalog.format, catalog.name, len(catalog)) == ("csv", "emotify", 300)
    assert catalog.genres == ["classical", "electronic", "pop", "rock"]
    assert catalog.table["genre"].value_counts().tolist() == [75] * 4
    assert catalog.table["artist"].nunique() == 95
    assert catalog.artists_known
    assert catalog.problems == ()
    assert catalog.table["duration"].between(25, 61).all()  # three are shorter than a minute
    assert (catalog.table["duration"] > 59).sum() == 297
    assert (
        read_catalog(shared_data / "emotify", format="folder", tags=False).genres == catalog.genres
    )
