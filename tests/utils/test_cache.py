"""The location of the cache, and a cache that cannot be created."""

import numpy as np
import pytest

from genrenet.utils.cache import (
    DAMAGE,
    CacheError,
    cache_folder,
    cache_root,
    read_arrays,
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
