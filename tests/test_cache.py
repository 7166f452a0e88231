"""The cache's place, and a cache that cannot be made."""

import pytest

from genrenet.cache import CacheError, cache_folder, cache_root


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
