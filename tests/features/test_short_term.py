"""The 34 short-term features and their statistics against pyAudioAnalysis."""

import numpy as np
import pytest
import torch

from genrenet.features import (
    SHORT_TERM,
    FeatureError,
    framing,
    mid_term,
    short_term_statistics,
)
from genrenet.features.definitions import SHORT_TERM_NAMES
from genrenet.features.short_term import short_term
from tests.helpers.references import CLIPS, RATE, clip, py_audio_analysis

STEP = round(0.050 * RATE)


def scaled(wave):
    """Samples as pyAudioAnalysis wants them: of 16 bits, though not rounded."""
    return wave.astype(np.float64) * 32768


@pytest.mark.parametrize("name", CLIPS)
def test_equals_py_audio_analysis(name):
    reference, _ = py_audio_analysis()
    wave = clip(name)
    expected, names = reference.feature_extraction(scaled(wave), RATE, STEP, STEP, deltas=False)
    found = short_term(torch.from_numpy(wave)[None])[0].numpy()
    assert list(SHORT_TERM_NAMES) == names
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("rate", "window", "step"), [(RATE, 0.1, 0.05), (16_000, 0.020, 0.010), (44_100, 0.050, 0.025)]
)
def test_other_frames_equal_py_audio_analysis(rate, window, step):
    reference, _ = py_audio_analysis()
    wave = clip("song")
    sizes = round(window * rate), round(step * rate)
    expected, _ = reference.feature_extraction(scaled(wave), rate, *sizes, deltas=False)
    found = short_term(torch.from_numpy(wave)[None], sample_rate=rate, window=window, step=step)
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("mid", "mid_step", "step"), [(1.0, 1.0, 0.050), (2.0, 0.5, 0.025)])
def test_statistics_equal_py_audio_analysis(name, mid, mid_step, step):
    _, reference = py_audio_analysis()
    wave = clip(name)
    windows = [round(seconds * RATE) for seconds in (mid, mid_step, 0.050, step)]
    expected, _, names = reference.mid_feature_extraction(scaled(wave), RATE, *windows)
    # The reference has the 34 features and their deltas: 68 means, then 68 deviations.
    rows = np.r_[0:34, 68:102]
    found = short_term_statistics(
        torch.from_numpy(wave)[None], mid_window=mid, mid_step=mid_step, step=step
    )
    np.testing.assert_allclose(found[0].numpy(), expected.mean(axis=1)[rows], rtol=0, atol=1e-6)
    assert list(SHORT_TERM.columns) == [names[row] for row in rows]


def test_statistics_of_each_window():
    features = torch.randn(2, 3, 11, dtype=torch.float64)
    found = mid_term(features, window=4, step=3)
    assert found.shape == (2, 6, 4)
    for window, start in enumerate((0, 3, 6, 9)):
        part = features[..., start : start + 4]
        torch.testing.assert_close(found[:, :3, window], part.mean(dim=2))
        torch.testing.assert_close(found[:, 3:, window], part.std(dim=2, correction=0))


def test_blocks_do_not_show(monkeypatch):
    wave = torch.from_numpy(clip("song"))[None]
    whole = short_term(wave)
    monkeypatch.setattr(framing, "CPU_BLOCK", 3 * STEP)
    torch.testing.assert_close(short_term(wave), whole, rtol=1e-9, atol=1e-9)


def test_a_batch_is_its_songs_whatever_their_level():
    waves = torch.from_numpy(np.stack([clip("song"), 0.01 * clip("song")[::-1], clip("song") / 8]))
    found = short_term(waves)
    torch.testing.assert_close(found, torch.cat([short_term(wave[None]) for wave in waves]))
    torch.testing.assert_close(found[0], found[2], rtol=1e-5, atol=1e-5)


def test_silence_constants_and_short_songs_are_finite():
    waves = (torch.zeros(2, 30_000), torch.full((1, 30_000), 0.3), torch.tensor([[0.1]]))
    for wave in (*waves, torch.rand(1, 900) - 0.5):
        assert short_term(wave).isfinite().all()
        assert short_term_statistics(wave).isfinite().all()


def test_silence_equals_py_audio_analysis():
    reference, _ = py_audio_analysis()
    expected, _ = reference.feature_extraction(np.zeros(9000), RATE, STEP, STEP, deltas=False)
    np.testing.assert_allclose(short_term(torch.zeros(1, 9000))[0].numpy(), expected, atol=1e-9)


def test_tensors_stay_on_the_device():
    found = short_term_statistics(torch.zeros(3, 30_000, device="meta"))
    assert found.device.type == "meta"
    assert found.shape == (3, 68)
    assert found.dtype == torch.float64


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": 0.005}, "110 samples at 22050 Hz"),
        ({"sample_rate": 4000}, "at 4000 Hz"),
        ({"step": 1e-6}, "every 0"),
    ],
)
def test_impossible_settings_are_named(settings, words):
    with pytest.raises(FeatureError, match=words):
        short_term(torch.zeros(1, 9000), **settings)


def test_impossible_windows_are_named():
    with pytest.raises(FeatureError, match="one frame at least"):
        short_term_statistics(torch.zeros(1, 9000), mid_window=0.01)
