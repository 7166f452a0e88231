"""The cache of both kinds of numbers: songs are found again by their content."""

import os

import numpy as np
import pytest

from genrenet.features.song_cache import SongCache
from genrenet.utils.cache import DAMAGE


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return SongCache("features", "settings", "two numbers")


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    path.write_bytes(b"music" * 100)
    return str(path)


def test_what_is_kept_comes_back_also_for_a_copy(cache, song, tmp_path):
    entry = cache.entry(song)
    assert entry.read() is None
    entry.write(f"'{song}' is cut", [f"'{song}' is short"], values=np.arange(3))
    copy = str(tmp_path / "a copy.wav")
    os.rename(song, copy)
    kept = cache.entry(copy).read()
    np.testing.assert_array_equal(kept.arrays["values"], np.arange(3))
    # What is told of the song names the file that was asked for.
    assert kept.error == f"'{copy}' is cut"
    assert kept.notes == [f"'{copy}' is short"]


def test_a_song_that_changes_while_it_is_read_is_not_kept(cache, song):
    entry = cache.entry(song)
    with open(song, "wb") as out:
        out.write(b"noise" * 101)
    entry.write(values=np.arange(3))
    assert entry.read() is None
    assert cache.entry(song).read() is None


def test_a_file_that_cannot_be_read_is_never_kept(cache, tmp_path):
    entry = cache.entry(str(tmp_path / "gone.wav"))
    entry.write(values=np.arange(3))
    assert entry.read() is None


def test_an_archive_of_another_program_is_damage(cache, song):
    entry = cache.entry(song)
    entry.write(values=np.arange(3))
    np.savez(entry.file, values=np.arange(3))
    with pytest.raises(DAMAGE):
        entry.read()
