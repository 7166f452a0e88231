"""Channels that cancel each other out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genrenet import audio
from genrenet.data.catalog import read_catalog
from genrenet.data.catalog.checking import check_catalog
from genrenet.data.frames import FrameSettings
from genrenet.data.heard import Heard
from genrenet.inference.song_reader import SongFrames
from tests.helpers.audio_files import encode, signal, wav

RATE = 44_100


def _noise(seconds: float = 6.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def test_one_channel_stands_for_those_that_cancel(tmp_path: Path) -> None:
    left = _noise()
    path = wav(tmp_path / "x.wav", np.stack([left, -left], axis=1), RATE, "FLOAT")
    notes: list[str] = []
    np.testing.assert_array_equal(audio.load(path, None, notes=notes), left)
    assert notes == ["out-of-phase channels cancel each other out: one is used for 6.0 s"]
    left = signal(6.0, RATE, 1)[:, 0]
    for suffix, codec in [("mp3", "libmp3lame"), ("m4a", "aac"), ("opus", "libopus")]:
        path = tmp_path / f"x.{suffix}"
        rate = 48_000 if codec == "libopus" else RATE
        encode(path, np.stack([left, -left], axis=1), rate, codec)
        assert audio.load(path).std() == pytest.approx(left.std(), rel=0.05)


@pytest.mark.parametrize("quieter", [0.0, 0.02, 0.5, 0.9])
def test_the_mean_is_kept_where_it_sounds(tmp_path: Path, quieter: float) -> None:
    """Right is left inverted and somewhat quieter: a mean 20 dB down is where the choice turns."""
    left = _noise()
    both = np.stack([left, -left * (1 - quieter)], axis=1)
    samples = audio.load(wav(tmp_path / "x.wav", both, RATE, "FLOAT"), None)
    wanted = left if quieter < 0.1 else both.mean(axis=1)
    np.testing.assert_allclose(samples, wanted, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6, 16])
def test_other_recordings_stay_as_they_were(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(channels)
    loud = rng.uniform(-0.5, 0.5, (5 * RATE, channels)).astype(np.float32)
    loud[RATE : 2 * RATE] = 0
    loud[3 * RATE :, channels // 2 :] = 0
    path = wav(tmp_path / "x.wav", loud, RATE, "FLOAT")
    notes: list[str] = []
    samples = audio.load(path, None, notes=notes)
    weights = np.full(channels, 1 / channels, np.float32)
    # The order in which more than two products are added is the linear algebra library's choice.
    tolerance = 0 if channels <= 2 else 1e-7
    np.testing.assert_allclose(samples, loud @ weights, rtol=0, atol=tolerance)
    assert notes == []


def test_front_channels_of_surround_that_cancel(tmp_path: Path) -> None:
    left = _noise()
    six = np.zeros((len(left), 6), np.float32)
    six[:, 0], six[:, 1] = left, -left
    path = wav(tmp_path / "x.wav", six, RATE, "FLOAT")
    np.testing.assert_array_equal(audio.load(path, None), left)
    six[:, 2] = _noise(seed=1)  # a voice in the middle
    path = wav(tmp_path / "x.wav", six, RATE, "FLOAT")
    np.testing.assert_allclose(audio.load(path, None), six.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("rate", [None, 12_000])
def test_spans_and_blocks_are_mixed_as_the_whole(
    tmp_path: Path, suffix: str, rate: int | None
) -> None:
    left, turn = _noise(8.0), round(3.3 * RATE)
    right = np.concatenate([left[:turn], -left[turn:]])
    both = np.stack([left, right], axis=1)
    path = tmp_path / f"x.{suffix}"
    if suffix == "mp3":
        encode(path, both, RATE, "libmp3lame")
    else:
        wav(path, both, RATE)
    whole, hz = audio.load(path, rate), rate or RATE
    for offset, duration in [(0.0, 1.0), (2.9, 0.7), (3.31, 0.1), (4.5, 2.2), (5.999, 1.5)]:
        span = audio.load(path, rate, offset, duration)
        first = round(offset * hz)
        np.testing.assert_allclose(span, whole[first : first + len(span)], atol=1e-3)
    for block in (0.11, 0.9, 3.0):
        blocks = list(audio.stream(path, hz, block_seconds=block))
        np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-5)
    assert whole[round(5 * hz) : round(6 * hz)].std() == pytest.approx(
        whole[round(1 * hz) : round(2 * hz)].std(), rel=0.2
    )


@pytest.mark.parametrize("only", ["whole", 2])
def test_a_song_says_so(tmp_path: Path, only: Heard) -> None:
    left = _noise()
    folder = tmp_path / "music" / "noise"
    folder.mkdir(parents=True)
    path = wav(folder / "x.wav", np.stack([left, -left], axis=1), RATE)
    song = SongFrames(str(path), FrameSettings(seconds=1.5, trim=0), heard=only)
    assert len(list(song.batches())) > 0
    assert song.error is None
    assert any("out-of-phase" in note for note in song.notes)
    (tmp_path / "music" / "other").mkdir()
    for name in ("noise/y.wav", "other/a.wav", "other/b.wav"):
        wav(tmp_path / "music" / name, np.stack([left, left], axis=1), RATE)
    problems = check_catalog(read_catalog(str(tmp_path / "music")))
    assert [(Path(p.path).name, p.kind) for p in problems] == [("x.wav", "out-of-phase")]
