"""Songs of scans and folders."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan
from genrenet.library.songs import LibraryError, library_songs
from tests.helpers.tones import RATE


@pytest.fixture
def shelf(music: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("bass/bass-0.wav", "middle/middle-1.wav", "treble/treble-2.wav"):
        shutil.copy(music / name, folder)
    return folder


def test_a_folder_and_its_table_say_the_same(shelf: Path, checkpoint: Path, tmp_path: Path):
    (shelf / "broken.mp3").write_bytes(b"no music")
    soundfile.write(shelf / "silent.wav", np.zeros(5 * RATE), RATE)
    (shelf / "linked.wav").symlink_to(shelf / "bass-0.wav")
    table = tmp_path / "genres.parquet"
    scan([shelf], table, open_method(checkpoint), identity_of(checkpoint))
    scanned, scored = library_songs(table, ""), library_songs(shelf, str(checkpoint))
    assert [Path(path).name for path in scored.paths] == [
        "bass-0.wav", "middle-1.wav", "treble-2.wav",
    ]  # fmt: skip
    assert scored.genres == ["bass", "middle", "treble"] == scored.labels
    assert scanned.paths == scored.paths
    assert (scanned.scores == scored.scores).all()
    assert scanned.duration == pytest.approx([5, 5, 5])
    assert scanned.left_out.keys() == scored.left_out.keys()
    assert {Path(path).name for path in scored.left_out} == {
        "broken.mp3", "silent.wav", "linked.wav",
    }  # fmt: skip
    assert scanned.take([2, 0]).genres == ["treble", "bass"]
    assert scanned.take([]).scores.shape == (0, 3)


def test_files_moved_since_the_scan_are_left_out_and_named(
    shelf: Path, checkpoint: Path, tmp_path: Path
):
    table = tmp_path / "genres.sqlite"
    scan([shelf], table, open_method(checkpoint), identity_of(checkpoint))
    (shelf / "bass-0.wav").unlink()
    songs = library_songs(table, "")
    assert len(songs) == 2
    assert "gone" in songs.left_out[str(shelf / "bass-0.wav")]
    shutil.rmtree(shelf)
    with pytest.raises(LibraryError, match=r"3 songs left out.*scan the library again"):
        library_songs(table, "")
