"""What changed since the last scan: new, moved, touched, tagged and hidden files."""

import os
import shutil
from pathlib import Path

import mutagen.wave
import pyarrow.parquet as pq
import pytest
import soundfile
from mutagen.id3 import TALB, TIT2, TPE1

from genrenet.library.changes import ScanError
from genrenet.library.genre_tags import write_genre
from genrenet.library.table import read_about, read_rows, read_table, write_rows
from genrenet.library.tag_plans import Wish
from genrenet.library.tagging import tag_songs, undo_tags
from genrenet.utils.file_stamp import FileStamp
from tests.helpers.tones import RATE, tone


@pytest.mark.parametrize("name", ["genres.parquet", "genres.sqlite"])
def test_the_table_follows_the_files(name, scanned, library):
    _, before = scanned(name)
    (library / "bass" / "bass-0.wav").unlink()
    shutil.copy(library / "treble" / "treble-1.wav", library / "bass" / "bass-1.wav")
    soundfile.write(library / "middle" / "new.wav", tone(900, 4.0), RATE)
    counts, after = scanned(name)
    assert (counts.songs, counts.new, counts.changed, counts.gone) == (24, 1, 0, 1)
    assert (counts.same, counts.moved) == (22, 1)  # a copy need not be scored
    by_name = after.set_index(after["path"].map(os.path.basename))
    assert by_name.loc["bass-1.wav", "genre"] == "treble"
    assert by_name.loc["new.wav", "genre"] == "middle"
    assert "bass-0.wav" not in by_name.index
    untouched = before[~before["path"].str.contains("bass-[01]")]
    kept = after[after["path"].isin(untouched["path"])]
    assert kept.reset_index(drop=True).equals(untouched.reset_index(drop=True))
    counts, again = scanned(name)
    assert (counts.same, counts.new, counts.changed, counts.gone) == (24, 0, 0, 0)
    assert again.equals(after)


def swap(one, two):
    one.rename(held := one.with_name("held"))
    two.rename(one)
    held.rename(two)


@pytest.mark.parametrize("name", ["genres.parquet", "genres.sqlite"])
@pytest.mark.parametrize("one_time", [True, False])
def test_swapped_names_of_songs_of_one_size(name, one_time, scanned, library):
    one, two = library / "bass" / "bass-1.wav", library / "treble" / "treble-1.wav"
    assert one.stat().st_size == two.stat().st_size
    for song in (one, two) if one_time else ():
        os.utime(song, (7, 7))
    scanned(name)
    swap(one, two)
    counts, table = scanned(name)
    assert (counts.changed, counts.moved, counts.same) == (0, 2, 22)
    found = table.set_index("path")["genre"]
    assert (found[str(one)], found[str(two)]) == ("treble", "bass")
    assert scanned(name)[0].same == 24


def test_what_only_looks_changed_is_not_scored_again(scanned, library, monkeypatch):
    _, before = scanned()
    songs = sorted(library.rglob("*.wav"))
    for number, song in enumerate(songs):
        if number % 3 == 0:
            os.utime(song, (9, 9))
        elif number % 3 == 1:
            song.chmod(0o600)
        else:  # moved to another drive and back
            shutil.copy2(song, held := song.with_name("held"))
            held.replace(song)
    counts, table = scanned()
    assert (counts.same, counts.changed) == (24, 0)
    looks = [column for column in FileStamp._fields if column != "sample"]
    assert table.drop(columns=looks).equals(before.drop(columns=looks))
    for row in table.to_dict("records"):
        assert FileStamp.of(row) == FileStamp.now(row["path"], sampled=True)

    def unwanted(path):
        raise AssertionError(f"{path} was opened, though nothing speaks for a change")

    monkeypatch.setattr("genrenet.utils.file_stamp.content_sample", unwanted)
    for song in songs:
        song.chmod(0o644)
    counts, again = scanned()
    assert counts.same == 24
    assert set(again["mtime"]) == set(table["mtime"])


def test_songs_that_were_tagged_are_not_scored_again(scanned, library, tmp_path):
    scanned()
    done = [
        song.kind for song in tag_songs(tmp_path / "genres.parquet", Wish(0), undo=tmp_path / "u")
    ]
    assert done == ["tagged"] * 24
    assert scanned()[0].same == 24
    done = [song.kind for song in undo_tags(tmp_path / "u", write=True)]
    assert done == ["tagged"] * 24
    assert scanned()[0].same == 24
    write_genre(str(library / "bass" / "bass-1.wav"), ["by another program"])
    assert scanned()[0].changed == 1


def test_rows_of_other_libraries_and_hidden_folders_stay(scanned, library, tmp_path):
    other = Path(shutil.move(library / "treble", tmp_path / "other"))
    scanned("t.parquet", library, other)
    counts, table = scanned("t.parquet", library)
    assert (counts.songs, counts.gone) == (24, 0)
    shutil.rmtree(other)
    other.mkdir()
    with pytest.raises(ScanError, match="is its drive connected"):
        scanned("t.parquet", library, other)
    assert read_table(tmp_path / "t.parquet").equals(table)


def test_names_that_are_not_utf8_are_followed_too(scanned, library):
    odd = os.fsencode(library) + b"/bass/caf\xe9.wav"
    shutil.copy(library / "bass" / "bass-0.wav", odd)
    counts, table = scanned()
    assert counts.songs == 25
    assert table["path"].str.contains(r"caf\xe9", regex=False).sum() == 1
    assert scanned()[0].same == 25


def test_a_tagged_table_is_read_by_the_next_scan(scanned, library, tmp_path):
    _, table = scanned()
    rows = table.to_dict("records")
    write_rows(tmp_path / "genres.parquet", rows, read_about(tmp_path / "genres.parquet"))
    assert scanned()[0].same == 24


def test_a_folder_that_hides_its_files_keeps_their_rows(scanned, library, monkeypatch):
    _, table = scanned()
    stat = os.stat

    def refusing(path, *arguments, **options):
        if "treble-" in str(path):
            raise PermissionError(13, "Permission denied")
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refusing)
    counts, after = scanned()
    assert counts.unreadable == [str(library / "treble")]
    assert (counts.songs, counts.gone) == (24, 0)
    assert after.equals(table)


def test_rows_hold_artist_album_and_title_and_older_tables_get_them(scanned, library, tmp_path):
    song = sorted(library.rglob("*.wav"))[0]
    for tagged, title in ((song, "One"), (sorted(library.rglob("*.wav"))[1], "Two")):
        tags = mutagen.wave.WAVE(tagged)
        tags.add_tags()
        for frame in (TPE1(text=["Anna", "Ben"]), TALB(text="Sines"), TIT2(text=title)):
            tags.tags.add(frame)
        tags.save()
    _, table = scanned()
    found = table.set_index("path")[["artist", "album", "title"]]
    assert found.loc[str(song)].tolist() == ["Anna, Ben", "Sines", "One"]
    assert (found.iloc[2:] == "").all(axis=None)
    # A table of an earlier release has no such columns; its songs are not scored again.
    out = tmp_path / "genres.parquet"
    older = pq.read_table(out).drop_columns(["artist", "album", "title", "subgenres"])
    pq.write_table(older, out)
    assert all(row["title"] is None for row in read_rows(out))
    counts, again = scanned()
    assert counts.same == 24
    assert again[["artist", "album", "title"]].equals(table[["artist", "album", "title"]])
