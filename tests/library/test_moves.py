"""Moved songs and folders are recognised by content, and not scored again."""

import os
import shutil

import pytest
import soundfile

from genrenet.library.corrections import correct
from genrenet.library.journal import Journal, Unfinished
from genrenet.library.moves import find_moves
from genrenet.library.table import read_about, read_table
from tests.helpers.tones import RATE, tone

PLACE = ["path", "mtime", "file_id"]


@pytest.mark.parametrize("name", ["genres.parquet", "genres.sqlite"])
def test_a_moved_folder_keeps_its_rows_and_corrections(name, scanned, library, tmp_path):
    _, before = scanned(name)
    correct(tmp_path / name, {str(library / "bass" / "bass-3.wav"): "dub"})
    (library / "bass").rename(library / "deep")
    (library / "treble" / "treble-0.wav").rename(library / "treble" / "zz.wav")
    counts, after = scanned(name)
    assert (counts.moved, counts.new, counts.changed, counts.gone, counts.same) == (9, 0, 0, 0, 15)
    corrected = after.set_index("path")["correction"].dropna().to_dict()
    assert corrected == {str(library / "deep" / "bass-3.wav"): "dub"}
    by_content = [
        table.drop(columns=[*PLACE, "correction"]).sort_values("sample", ignore_index=True)
        for table in (before, after)
    ]
    assert by_content[0].equals(by_content[1])
    for path, inode in zip(after["path"], after["file_id"], strict=True):
        assert inode.startswith(f"{os.stat(path).st_ino:x}-")
    assert scanned(name)[0].same == 24


def test_a_song_that_moved_and_another_in_its_place(scanned, library):
    scanned()
    song = library / "bass" / "bass-0.wav"
    song.rename(library / "middle" / "was-bass.wav")
    soundfile.write(song, tone(4000, 5.0, seed=77), RATE)
    counts, table = scanned()
    assert (counts.moved, counts.new, counts.changed, counts.gone) == (1, 0, 1, 0)
    found = table.set_index("path")["genre"]
    assert found[str(song)] == "treble"
    assert found[str(library / "middle" / "was-bass.wav")] == "bass"


def test_what_failed_is_tried_again_at_its_new_place(scanned, library):
    (library / "bass" / "a.mp3").write_text("not music at all, but plenty of letters")
    scanned()
    (library / "bass" / "a.mp3").rename(library / "bass" / "b.mp3")
    counts, table = scanned()
    assert (counts.moved, counts.new, counts.failed, counts.gone) == (0, 1, 1, 1)
    assert "b.mp3" in table["error"].dropna().item()


def test_songs_of_a_journal_are_known_too(scanned, library, tmp_path):
    _, table = scanned()
    out = tmp_path / "genres.parquet"
    journal = Journal(out, 0, read_about(out))
    (row,) = table[table["path"].str.endswith("bass-0.wav")].to_dict("records")
    journal.add({**row, "path": "/elsewhere/x.wav", "genre": "jazz"})
    journal.close()
    copy = library / "copy.wav"
    shutil.copy(library / "bass" / "bass-0.wav", copy)
    (move,) = find_moves([(str(copy), False)], None, Unfinished(out))
    assert (move.origin, move.known) == ("/elsewhere/x.wav", False)
    counts, after = scanned()
    assert counts.moved == 1
    assert after.set_index("path")["genre"][str(copy)] == "jazz"


def test_a_restart_scores_everything(scanned, library, tmp_path):
    scanned()
    (library / "bass").rename(library / "deep")
    counts, _ = scanned(restart=True)
    assert (counts.new, counts.moved) == (24, 0)
    assert len(read_table(tmp_path / "genres.parquet")) == 24
