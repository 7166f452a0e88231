"""Maps: similar songs are close to each other, for few songs and for many."""

import numpy as np
import pytest

from genrenet.library.similarity import SongSpace
from genrenet.library.song_map import KIND, song_map, with_places
from genrenet.utils.cache import cache_root


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))


def groups(count, seed=0):
    """Songs of five kinds, and which."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 5, count)
    rows = 4 * rng.standard_normal((5, 16))[kind] + rng.standard_normal((count, 16))
    return SongSpace(rows, "embeddings").vectors, kind


@pytest.mark.parametrize("landmarks", [1000, 200])
def test_songs_of_a_kind_stand_together(landmarks):
    vectors, kind = groups(600)
    places = song_map(vectors, landmarks=landmarks)
    assert (places.shape, places.dtype) == ((600, 2), np.float32)
    assert np.abs(places).max() == pytest.approx(1)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert np.mean(kind[gaps.argmin(axis=1)] == kind) > 0.95
    assert len(np.unique(places, axis=0)) == 600


def test_a_map_is_kept_and_a_damaged_one_made_again():
    vectors, _ = groups(60)
    places = song_map(vectors)
    (file,) = (cache_root() / KIND).iterdir()
    before = file.stat().st_mtime_ns
    assert (song_map(vectors) == places).all()
    assert file.stat().st_mtime_ns == before
    file.write_bytes(b"damaged")
    assert song_map(vectors) == pytest.approx(places, abs=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7])
def test_few_songs_and_songs_that_are_all_one(count):
    vectors, _ = groups(count) if count else (np.zeros((0, 16), np.float32), None)
    for rows in (vectors, np.zeros_like(vectors), np.ones_like(vectors)):
        places = song_map(rows)
        assert places.shape == (count, 2)
        assert np.isfinite(places).all()


def test_songs_of_one_number():
    assert song_map(np.array([[1.0], [-1.0], [1.0], [1.0], [-1.0]], np.float32)).shape == (5, 2)


def test_new_songs_stand_among_their_kind_and_others_stay():
    vectors, kind = groups(300)
    places = song_map(vectors)
    before = places.copy()
    before[::10] = np.nan
    found = with_places(before, vectors)
    old = ~np.isnan(before[:, 0])
    assert (found[old] == places[old]).all()
    for new in np.flatnonzero(~old):
        nearest = np.linalg.norm(found[old] - found[new], axis=1).argmin()
        assert kind[old][nearest] == kind[new]
    assert (with_places(places, vectors) == places).all()
