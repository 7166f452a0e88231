"""Features of files: the part of a song that is used, and the cache keyed by content."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from genrenet import audio
from genrenet.features import (
    CLASSICAL,
    FeatureError,
    FeatureExtractor,
    cached_features,
    iter_features,
)
from genrenet.features.base import gaussian_dimensions
from genrenet.inference.song_reader import InferenceError
from tests.helpers.tones import RATE, tone


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


@pytest.fixture
def songs(tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(3)]
    for i, path in enumerate(paths):
        soundfile.write(path, tone(300.0 * (i + 1), 4.0, seed=i), RATE)
    return paths


class Counted:
    """Loudness and length, and what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, samples):
        self.asked.append(samples.shape)
        loudness = samples.square().mean(dim=1).sqrt()
        return torch.stack([loudness, torch.full_like(loudness, samples.shape[1])], dim=1)


@pytest.fixture
def counted():
    return Counted()


def extractor(counted, **settings):
    return FeatureExtractor("two", "", counted, ("loudness", "n"), sample_rate=RATE, **settings)


def vectors(found):
    return np.stack([song.vector for song in found])


@pytest.mark.parametrize("features", CLASSICAL, ids=lambda features: features.name)
def test_classical_features_of_files(features, songs, own_cache):
    found = cached_features(songs, features)
    assert [song.path for song in found] == songs
    assert vectors(found).shape == (3, len(features.columns))
    assert len(set(features.columns)) == len(features.columns)
    begin, length = features.span(4.0)
    wave = audio.load(songs[1], features.sample_rate, begin, length)
    expected = features.extract(torch.from_numpy(wave)[None])[0]
    np.testing.assert_allclose(found[1].vector, expected.numpy())
    np.testing.assert_array_equal(vectors(cached_features(songs, features)), vectors(found))


def test_classical_features_of_real_music(shared_data, own_cache):
    paths = sorted((shared_data / "clips").glob("*.mp3"))
    for features in CLASSICAL:
        rows = vectors(cached_features(paths, features))
        assert np.isfinite(rows).all()
        if features.kind == "gaussians":
            d = gaussian_dimensions(rows.shape[1])
            np.linalg.cholesky(rows[:, d:].reshape(-1, d, d))


def test_a_second_call_computes_nothing_and_counts_all(songs, own_cache, counted):
    calls = []
    features = extractor(counted)
    first = cached_features(songs, features, progress=lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    again = cached_features(songs[::-1], features, progress=lambda *done: calls.append(done))
    assert len(counted.asked) == 3
    assert len(calls) == 6
    np.testing.assert_array_equal(vectors(again), vectors(first)[::-1])
    assert first[0].vector.dtype == np.float64


def test_moved_and_copied_files_are_found_again_and_changed_ones_are_not(
    songs, own_cache, counted, tmp_path
):
    features = extractor(counted)
    first = vectors(cached_features(songs, features))
    (tmp_path / "new").mkdir()
    moved = shutil.move(songs[0], tmp_path / "new" / "other-name.wav")
    copied = shutil.copy(songs[1], tmp_path / "copy")
    found = cached_features([moved, copied], features)
    np.testing.assert_array_equal(vectors(found), first[:2])
    assert [song.path for song in found] == [str(moved), str(copied)]
    assert len(counted.asked) == 3
    soundfile.write(songs[2], tone(2000.0, 5.0), RATE)
    assert cached_features(songs[2:], features)[0].vector[1] == 5 * RATE
    assert len(counted.asked) == 4


def test_only_the_middle_is_used(songs, own_cache, counted):
    def lengths(**settings):
        return [song.vector[1] / RATE for song in cached_features(songs, replaced(**settings))]

    def replaced(**settings):
        return extractor(counted, **settings)

    assert lengths() == [4.0] * 3
    assert lengths(middle=0.5) == [2.0] * 3
    assert lengths(middle=0.5, max_seconds=1.0) == [1.0] * 3
    assert lengths(middle=0.01, min_seconds=0.75) == [0.75] * 3
    assert extractor(counted, middle=0.5).span(4.0) == (1.0, 2.0)
    assert sum(entry.is_dir() for entry in own_cache.iterdir()) == 4


def test_settings_and_versions_have_caches_of_their_own(counted):
    one = extractor(counted)
    others = [
        replace(one, version="2"),
        replace(one, settings={"n": 1}),
        replace(one, settings={"n": 2}),
        replace(one, sample_rate=8000),
        replace(one, name="three"),
        replace(one, columns=("n", "loudness")),
    ]
    assert len({features.key for features in (one, *others)}) == 7
    assert replace(one, summary="other words").key == one.key


def test_bad_files_give_errors_and_the_run_goes_on(songs, own_cache, counted, tmp_path):
    (tmp_path / "text.mp3").write_text("no music here, only letters")
    soundfile.write(tmp_path / "short.wav", tone(300, 0.4), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    (tmp_path / "folder.wav").mkdir()
    bad = ["text.mp3", "short.wav", "silent.wav", "folder.wav", "gone.wav"]
    paths = [str(tmp_path / name) for name in bad]
    found = cached_features([*paths, songs[0]], extractor(counted))
    words = ["no audio", "too short: found 0.40 s", "silent", "cannot read", "cannot find"]
    for song, word in zip(found, words, strict=False):
        assert song.vector is None
        assert word in song.error
        assert str(tmp_path) in song.error
    assert found[-1].vector is not None
    assert found[-1].error is None
    soundfile.write(tmp_path / "gone.wav", tone(300, 3.0), RATE)
    assert cached_features(paths[-1:], extractor(counted))[0].error is None


def test_a_truncated_file_has_both_features_and_an_error(own_cache, counted, tmp_path):
    soundfile.write(tmp_path / "whole.wav", tone(150, 8.0), RATE)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[: 5 * RATE * 2])
    for _ in range(2):
        (song,) = cached_features([tmp_path / "cut.wav"], extractor(counted))
        assert "cut.wav" in song.error
        assert song.vector[1] == pytest.approx(5 * RATE, abs=RATE / 10)
    assert len(counted.asked) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "other"])
def test_a_damaged_cache_file_is_computed_anew(damage, songs, own_cache, counted):
    features = extractor(counted)
    first = vectors(cached_features(songs, features))
    file = sorted(own_cache.rglob("*.npz"))[1]
    whole = file.read_bytes()
    with np.load(file) as held:  # bytes that nothing reads may change unnoticed
        middle = whole.index(held["vector"].tobytes())
    flipped = whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 8])
    if damage == "other":
        np.savez(file, vector=np.zeros(7), error=np.array(""))
    else:
        file.write_bytes(
            {
                "cut": whole[:-100],
                "flipped": flipped + whole[middle + 8 :],
                "text": b"no archive",
                "empty": b"",
            }[damage]
        )
    with pytest.warns(UserWarning, match="a damaged file in the cache"):
        np.testing.assert_array_equal(vectors(cached_features(songs, features)), first)
    assert len(counted.asked) == 4
    np.testing.assert_array_equal(vectors(cached_features(songs, features)), first)
    assert len(counted.asked) == 4


def test_whoever_stops_early_loses_nothing_and_repeats_cost_nothing(songs, own_cache, counted):
    features = extractor(counted)
    found = iter_features(songs, features)
    first = next(found)
    found.close()
    assert len(list(own_cache.rglob("*.npz"))) == 1
    given = [songs[0], songs[1], songs[0], songs[1], songs[0]]
    rows = vectors(iter_features(given, features))
    assert len(counted.asked) == 2
    np.testing.assert_array_equal(rows[[0, 2, 4]], [first.vector] * 3)
    np.testing.assert_array_equal(rows[1], rows[3])


def test_songs_of_one_content_are_kept_once(songs, own_cache, counted, tmp_path):
    copy = shutil.copy(songs[0], tmp_path / "copy.wav")
    one, other = cached_features([songs[0], copy], extractor(counted))
    np.testing.assert_array_equal(one.vector, other.vector)
    assert len(list(own_cache.rglob("*.npz"))) == 1
    assert not list(own_cache.rglob("*.part"))


def test_features_that_are_not_finite_are_an_error(songs, own_cache):
    def broken(samples):
        return torch.full((1, 2), torch.nan)

    (song,) = cached_features(songs[:1], extractor(broken))
    assert song.vector is None
    assert "'two'" in song.error
    assert "not finite" in song.error
    assert not list(own_cache.rglob("*.npz"))


def test_features_of_another_shape_are_named(songs, own_cache):
    with pytest.raises(FeatureError, match=r"'two'.*\(1, 5\).*\(1, 2\)"):
        cached_features(songs, extractor(lambda samples: torch.zeros(1, 5)))


def test_no_songs_and_no_device(songs, own_cache, counted):
    assert cached_features([], extractor(counted)) == []
    with pytest.raises(InferenceError, match="no device 'gpu9'"):
        cached_features(songs, extractor(counted), device="gpu9")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"middle": 0.0}, "middle 0"),
        ({"middle": 1.5}, "middle 1.5"),
        ({"kind": "gaussians", "columns": ("a", "b", "c")}, "3 columns of gaussians"),
        ({"columns": ()}, "0 columns"),
        ({"min_seconds": 9.0, "max_seconds": 5.0}, "9 to 5 s"),
    ],
)
def test_impossible_extractors_are_named(settings, words, counted):
    with pytest.raises(FeatureError, match=words):
        replace(extractor(counted), **settings)
