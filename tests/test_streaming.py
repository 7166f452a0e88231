"""Decoding ahead: frames in order, where they lie, and every song in its turn."""

import numpy as np
import pytest
import soundfile
import torch

from genrenet.frames import FrameSettings, frame_starts
from genrenet.streaming import decode_ahead
from tests.conftest import RATE, tone

SETTINGS = FrameSettings(1.5, 0.0, RATE)


@pytest.mark.parametrize("batch_frames", [1, 2, 5])
@pytest.mark.parametrize("trim", [0.0, 0.7])
def test_frames_are_those_of_the_whole_file(batch_frames, trim, tmp_path):
    wave = tone(300, 8.0)
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    settings = SETTINGS.with_trim(trim)
    (song,) = decode_ahead([str(tmp_path / "a.wav")], settings, batch_frames=batch_frames)
    batches = list(song.batches())
    assert {len(batch) for batch in batches[:-1]} <= {batch_frames}
    frames = torch.cat(batches)
    starts = frame_starts(len(wave), settings)
    assert len(frames) == len(starts)
    for i, start in enumerate(starts):
        expected = wave[start : start + settings.n_samples]
        np.testing.assert_allclose(frames[i], expected, atol=1e-6)
        assert song.span(i) == pytest.approx((start / RATE, start / RATE + 1.5))
    assert song.error is None
    assert not song.silent


def test_a_short_song_is_one_padded_frame(tmp_path):
    soundfile.write(tmp_path / "short.wav", tone(300, 1.0), RATE)
    (song,) = decode_ahead([str(tmp_path / "short.wav")], SETTINGS)
    (batch,) = song.batches()
    assert batch.shape == (1, SETTINGS.n_samples)
    assert not batch[0, RATE:].any()
    assert song.span(0) == (0.0, 1.0)


def test_songs_come_in_turn_and_bad_ones_say_why(tmp_path):
    soundfile.write(tmp_path / "good.wav", tone(300, 4.0), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(4 * RATE), RATE)
    (tmp_path / "text.wav").write_text("no music")
    names = ["good.wav", "text.wav", "gone.wav", "silent.wav", "good.wav"]
    paths = [str(tmp_path / name) for name in names]
    found = [(song, sum(map(len, song.batches()))) for song in decode_ahead(paths, SETTINGS)]
    assert [song.path for song, _ in found] == paths
    assert [count for _, count in found] == [2, 0, 0, 2, 2]
    errors = [song.error for song, _ in found]
    assert errors[0] is None is errors[4]
    assert "text.wav" in errors[1]
    assert "cannot find" in errors[2]
    assert "silent" in errors[3]


def test_nothing_is_decoded_further_ahead_than_one_song(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(300, 2.0), RATE)
    asked = []

    def paths():
        for i in range(5):
            asked.append(i)
            yield str(tmp_path / "a.wav")

    for turn, song in enumerate(decode_ahead(paths(), SETTINGS)):
        list(song.batches())
        assert len(asked) <= turn + 2
