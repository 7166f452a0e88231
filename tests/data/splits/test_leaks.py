"""The leakage check: artists and identical audio in more than one part."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from genrenet import audio
from genrenet.data import splits
from genrenet.data.catalog import read_catalog
from genrenet.data.splits import Split, SplitError


def write(path, seed, seconds=1.0):
    samples = np.random.default_rng(seed).integers(-9000, 9000, int(8000 * seconds), dtype=np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, 8000)


@pytest.fixture
def twins(tmp_path):
    """Eight songs; a/0 is b/0 in another format, a/1 is a/2, b/3 is no music."""
    for genre in "ab":
        for n in range(4):
            write(tmp_path / genre / f"{n}.wav", 10 * ord(genre) + n)
    (tmp_path / "b" / "0.wav").unlink()
    write(tmp_path / "b" / "0.flac", 10 * ord("a"))
    write(tmp_path / "a" / "2.wav", 10 * ord("a") + 1)
    (tmp_path / "b" / "3.wav").write_text("not music")
    table = read_catalog(tmp_path, tags=False).table
    table["artist"] = ["Ann", "Ann", "Bea", "", "bea ", "Cy", "Cy", ""]
    return table


def sides(table, *parts):
    return Split("by hand", pd.Series(parts, index=table["track_id"]))


def test_leaks_are_found(twins):
    split = sides(twins, "train", "test", "train", "train", "test", "test", "test", "validation")
    steps = []
    leak = splits.leakage(twins, split, progress=lambda *step: steps.append(step))
    assert leak
    assert leak.artists == {"Ann": ("train", "test"), "Bea": ("train", "test")}
    assert leak.songs == (
        {"a/0": "train", "b/0": "test"},
        {"a/1": "test", "a/2": "train"},
    )
    assert list(leak.unreadable) == ["b/3"]
    assert leak.unknown_artists == 2
    assert steps[-1] == (7, 7)
    report = leak.report()
    for words in (
        "by hand: leaks (8 songs)",
        "Bea: train, test",
        "a/0 (train) = b/0 (test)",
        "b/3: ",
    ):
        assert words in report


def test_the_same_on_one_side_is_no_leak(twins):
    split = sides(twins, *["train"] * 5, "test", "test", "test")
    leak = splits.leakage(twins, split)
    assert not leak
    assert leak.artists == {}
    assert leak.songs == ()
    assert "no leak was found" in leak.report()


def test_songs_outside_the_split_do_not_count(twins):
    split = Split("two", pd.Series(["train", "test"], index=["a/0", "b/1"]))
    leak = splits.leakage(twins, split)
    assert not leak
    assert leak.n_songs == 2


def test_without_audio(twins):
    split = sides(twins, *["train", "test"] * 4)
    leak = splits.leakage(twins, split, audio=False)
    assert leak.artists
    assert leak.songs == ()
    assert leak.unreadable == {}
    assert "audio was not compared" in leak.report()


def test_lengths_that_nothing_shares_spare_the_decoding(tmp_path):
    """Only the three songs of about the same length on two sides are decoded."""
    for n, seconds in enumerate((1.0, 1.0, 1.3, 4.0, 9.0, 9.0)):
        write(tmp_path / "ab"[n % 2] / f"{n}.wav", n // 2, seconds)
    table = read_catalog(tmp_path, tags=False).table
    parts = table["track_id"].map(dict(zip(
        ["a/0", "b/1", "a/2", "b/3", "a/4", "b/5"],
        ["train", "test", "train", "train", "test", "test"], strict=True)))  # fmt: skip
    steps = []
    leak = splits.leakage(table, sides(table, *parts), progress=lambda *step: steps.append(step))
    assert steps[-1] == (3, 3)
    assert leak.songs == ({"a/0": "train", "b/1": "test"},)


def test_every_split_is_compared_and_every_file_decoded_once(twins, monkeypatch):
    decoded = []
    real = audio.fingerprint
    monkeypatch.setattr(audio, "fingerprint", lambda path: decoded.append(path) or real(path))
    clean = sides(twins, *["train"] * 5, "test", "test", "test")
    first = sides(twins, "train", "test", "test", "test", "test", "test", "test", "test")
    second = sides(twins, "train", "test", "train", "train", "train", "train", "test", "test")
    found = splits.leakages(twins, [clean, first, second])
    assert [len(item.songs) for item in found] == [0, 1, 1]
    assert found[1].songs == ({"a/0": "train", "b/0": "test"},)
    assert found[2].songs == ({"a/1": "test", "a/2": "train"},)
    assert [bool(item.artists) for item in found] == [False, True, True]
    assert len(decoded) == len(set(decoded)) == 7  # b/3 is no audio, which its header tells


def test_segments_of_a_song_on_two_sides(twins):
    twins = twins.assign(song=["a/0", "a/0", "a/2", "a/3", "b/0", "b/0", "b/2", "b/3"])
    split = sides(twins, "train", "test", *["train"] * 6)
    leak = splits.leakage(twins, split, audio=False)
    assert leak.segments == {"a/0": ("train", "test")}
    assert "songs with segments in more than one part: 1" in leak.report()


def test_a_column_is_missing(twins):
    split = sides(twins, *["train", "test"] * 4)
    with pytest.raises(SplitError, match="wanted 'artist'"):
        splits.leakage(twins.drop(columns="artist"), split)
