"""The cache's place, and a cache that cannot be made."""

import hashlib

import numpy as np
import pytest

from genrenet.utils.cache import (
    DAMAGE,
    CacheError,
    cache_folder,
    cache_root,
    content_of,
    content_sample,
    read_arrays,
    sha256_of,
    write_arrays,
)


def test_the_environment_moves_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "here"))
    assert cache_root() == tmp_path / "here"
    assert cache_folder("a", "b") == tmp_path / "here" / "a" / "b"
    assert (tmp_path / "here" / "a" / "b").is_dir()
    monkeypatch.delenv("GENRENET_CACHE")
    assert "genrenet" in str(cache_root())


def test_one_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "file"))
    with pytest.raises(CacheError, match="set GENRENET_CACHE"):
        cache_folder("stores")


def test_arrays_are_kept_whole_or_not_at_all(tmp_path):
    file = tmp_path / "folder" / "song.npz"
    write_arrays(file, numbers=np.arange(5), word=np.array("déjà vu"))
    held = read_arrays(file)
    np.testing.assert_array_equal(held["numbers"], np.arange(5))
    assert held["word"].item() == "déjà vu"
    assert [path.name for path in file.parent.iterdir()] == ["song.npz"]
    with pytest.raises(CacheError, match="cannot write"):
        write_arrays(file / "below-a-file.npz", numbers=np.arange(5))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DAMAGE):
        read_arrays(file)


def test_content_is_read_again_when_a_file_changes(tmp_path):
    file = tmp_path / "song"
    file.write_bytes(b"one")
    first = content_of(file)
    assert first == sha256_of(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"other")
    assert content_of(file) == hashlib.sha256(b"other").hexdigest()
    with pytest.raises(OSError, match="gone"):
        content_of(tmp_path / "gone")


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, (1 << 18) + 1, 3_000_000])
def test_a_sample_tells_songs_of_one_size_apart(tmp_path, size):
    rng = np.random.default_rng(size)
    one, other = tmp_path / "one", tmp_path / "other"
    for file in (one, other):
        file.write_bytes(rng.bytes(size))
    samples = content_sample(one), content_sample(other)
    assert samples[0] != samples[1]
    assert content_sample(str(one)) == samples[0]
    one.rename(tmp_path / "kept")
    other.rename(one)
    assert content_sample(one) == samples[1]
    data = bytearray((tmp_path / "kept").read_bytes())
    for place in (0, size - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        other.write_bytes(changed)
        assert content_sample(other) != samples[0]
    other.write_bytes(data + b"\0")
    assert content_sample(other) != samples[0]


def test_a_sample_of_a_long_file_reads_little(tmp_path):
    file = tmp_path / "song"
    with open(file, "wb") as out:
        out.truncate(5_000_000_000)  # a hole: takes no room
    first = content_sample(file)
    with open(file, "r+b") as out:
        out.seek(-60_000, 2)
        out.write(b"tag")
    assert content_sample(file) != first
    with pytest.raises(OSError, match="gone"):
        content_sample(tmp_path / "gone")
