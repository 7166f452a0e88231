"""Approximate nearest neighbours: recall, caching, and rebuilding."""

import numpy as np
import pytest

from genrenet.library.similarity import SongSpace
from genrenet.library.song_index import KEPT, KIND, SongIndex
from genrenet.utils.cache import cache_root


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))


def songs(count=3000, features=24, seed=0):
    """Songs around a few hundred centres, as a library has artists."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((300, features))
    jitter = 0.5 * rng.standard_normal((count, features))
    return SongSpace(centres[rng.integers(0, 300, count)] + jitter, "embeddings")


def recall(found, wanted):
    return np.mean([len({*a} & {*b}) / len(b) for a, b in zip(found, wanted, strict=True)])


def test_small_libraries_are_compared_song_by_song():
    index = SongIndex(songs(200))
    index.build()
    assert not index.approximate
    assert not (cache_root() / KIND).exists()


def test_the_index_finds_nearly_what_comparing_all_finds():
    space = songs()
    index, told = SongIndex(space, exact=100), []
    before = index.nearest(space.vectors[:50], 10)
    index.build(lambda *far: told.append(far))
    assert index.approximate
    assert told[-1] == (3000, 3000)
    found, cosines = index.nearest(space.vectors[:50], 10)
    assert (found[:, 0] == np.arange(50)).all()
    assert recall(found, before[0]) >= 0.95
    assert (np.diff(cosines, axis=1) <= 0).all()
    own = np.einsum("nf,nkf->nk", space.vectors[:50], space.vectors[found])
    assert cosines == pytest.approx(own, abs=1e-5)
    assert index.nearest(space.vectors[:1], 5000)[0].shape == (1, 3000)


def test_an_index_is_read_again_and_a_damaged_one_made_again():
    space = songs()
    SongIndex(space, exact=100).build()
    (file,) = (cache_root() / KIND).iterdir()
    wanted = SongIndex(space).nearest(space.vectors[:20], 10)[0]
    for content in (None, b"", file.read_bytes()[:1000], b"x" * 5000):
        if content is not None:
            file.write_bytes(content)
        index = SongIndex(space, exact=100)
        index.build()
        assert recall(index.nearest(space.vectors[:20], 10)[0], wanted) >= 0.95


def test_few_indexes_are_kept():
    for seed in range(KEPT + 2):
        SongIndex(songs(200, seed=seed), exact=100).build()
    assert len([*(cache_root() / KIND).iterdir()]) == KEPT


def test_songs_of_which_nothing_is_known_have_neighbours_too():
    space = SongSpace(np.zeros((300, 8)), "embeddings")
    index = SongIndex(space, exact=100)
    index.build()
    found, cosines = index.nearest(space.vectors[:3], 10)
    assert found.shape == (3, 10)
    assert (cosines == 0).all()
