"""Artist, album, title and duration from the songs' own tags."""

import math

from genrenet.data.catalog import read_catalog
from genrenet.data.catalog.tags import read_tags
from tests.helpers.songs import kinds, song, tagged, text


def test_tags_are_read(folder):
    for n in range(2):
        tagged(
            folder / "soul" / f"{n}.flac", artist=["Ann", "Bea"], album=" LP ", title=f"Song {n}"
        )
    tagged(folder / "soul" / "2.flac", albumartist="Cy", artist="Unknown Artist")
    table = read_catalog(folder).table.set_index("track_id")
    assert table.loc["soul/0", ["artist", "album", "title"]].tolist() == [
        "Ann, Bea",
        "LP",
        "Song 0",
    ]
    assert table.loc["soul/2", "artist"] == "Cy"
    untagged = read_catalog(folder, tags=False).table
    assert set(untagged["artist"]) == {""}
    assert untagged["duration"].isna().all()


def test_artists_are_known_from_nine_tenths_on(tmp_path):
    for n in range(10):
        tagged(tmp_path / "ab"[n % 2] / f"{n}.flac", artist=f"artist {n}" if n else "")
    assert read_catalog(tmp_path).artists_known
    song(tmp_path / "a" / "nobody.wav")
    assert not read_catalog(tmp_path).artists_known


def test_damaged_tags_do_no_harm(folder):
    text(folder / "blues" / "broken.mp3", b"this is no MP3 at all")
    text(folder / "blues" / "empty.ogg", b"")
    catalog = read_catalog(folder)
    assert len(catalog) == 8
    assert {"unreadable-tags"} == set(kinds(catalog))
    assert math.isnan(catalog.table.set_index("track_id").loc["blues/broken", "duration"])


def test_a_field_that_is_there_twice_counts_once(tmp_path):
    file = tmp_path / "song.flac"
    tagged(file, artist=["Ann", "Bea", "Ann"], title=["One", "One"])
    fields, _ = read_tags(str(file))
    assert (fields["artist"], fields["title"]) == ("Ann, Bea", "One")
