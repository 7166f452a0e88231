"""The five spectral features against librosa, frame by frame."""

import librosa
import numpy as np
import pytest
import torch

from genrenet.features import (
    FeatureError,
    chroma,
    mfcc,
    spectral_centroid,
    spectral_features,
    spectral_rolloff,
    zero_crossing_rate,
)
from genrenet.features.definitions import SPECTRAL_NAMES
from tests.helpers.references import CLIPS, RATE, clip

ALL = (mfcc, chroma, spectral_centroid, spectral_rolloff, zero_crossing_rate, spectral_features)


def ours(function, wave, **settings):
    return function(torch.from_numpy(wave)[None], **settings)[0].numpy()


@pytest.mark.parametrize("name", CLIPS)
def test_equals_librosa(name):
    wave = clip(name).astype(np.float64)
    np.testing.assert_allclose(ours(mfcc, wave), librosa.feature.mfcc(y=wave), rtol=0, atol=1e-4)
    expected = librosa.feature.chroma_stft(y=wave, tuning=0.0)
    np.testing.assert_allclose(ours(chroma, wave), expected, rtol=0, atol=1e-6)
    expected = librosa.feature.spectral_centroid(y=wave)[0]
    np.testing.assert_allclose(ours(spectral_centroid, wave), expected, rtol=1e-9)
    expected = librosa.feature.spectral_rolloff(y=wave)[0]
    np.testing.assert_allclose(ours(spectral_rolloff, wave), expected, rtol=1e-9)
    expected = librosa.feature.zero_crossing_rate(wave)[0]
    np.testing.assert_allclose(ours(zero_crossing_rate, wave), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CLIPS)
def test_equals_librosa_in_single_precision(name):
    """Where both round, seven digits of the loudest are right, and a roll-off may fall beside."""
    wave = clip(name)
    found, expected = ours(mfcc, wave), librosa.feature.mfcc(y=wave)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    expected = librosa.feature.chroma_stft(y=wave, tuning=0.0)
    np.testing.assert_allclose(ours(chroma, wave), expected, rtol=0, atol=1e-4)
    expected = librosa.feature.spectral_centroid(y=wave)[0]
    np.testing.assert_allclose(ours(spectral_centroid, wave), expected, rtol=1e-4)
    apart = np.abs(ours(spectral_rolloff, wave) - librosa.feature.spectral_rolloff(y=wave)[0])
    assert apart.max() < 1.01 * RATE / 2048
    assert (apart > 0).mean() < 0.01
    expected = librosa.feature.zero_crossing_rate(wave)[0]
    np.testing.assert_allclose(ours(zero_crossing_rate, wave), expected, rtol=0, atol=1e-7)


def test_other_settings_equal_librosa():
    wave = clip("song").astype(np.float64)
    sizes = {"n_fft": 1024, "hop_length": 300}
    found = ours(
        mfcc, wave, sample_rate=16_000, n_mfcc=13, n_mels=40, f_min=50.0, f_max=7e3, **sizes
    )
    expected = librosa.feature.mfcc(
        y=wave, sr=16_000, n_mfcc=13, n_mels=40, fmin=50.0, fmax=7e3, **sizes
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    expected = librosa.feature.chroma_stft(y=wave, sr=16_000, tuning=0.0, **sizes)
    np.testing.assert_allclose(
        ours(chroma, wave, sample_rate=16_000, **sizes), expected, rtol=0, atol=1e-6
    )
    expected = librosa.feature.spectral_rolloff(y=wave, sr=16_000, roll_percent=0.5, **sizes)[0]
    found = ours(spectral_rolloff, wave, sample_rate=16_000, roll_percent=0.5, **sizes)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    for length in (999, 1000):
        expected = librosa.feature.zero_crossing_rate(wave, frame_length=length, hop_length=300)[0]
        found = ours(zero_crossing_rate, wave, frame_length=length, hop_length=300)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_five_are_the_five():
    waves = torch.from_numpy(clip("song"))[None]
    parts = [f(waves) for f in (mfcc, chroma, spectral_centroid, zero_crossing_rate)]
    parts = [part if part.ndim == 3 else part[:, None] for part in parts]
    expected = torch.cat([*parts, spectral_rolloff(waves)[:, None]], dim=1)
    torch.testing.assert_close(spectral_features(waves), expected)
    assert expected.shape[1] == len(SPECTRAL_NAMES) == 35


@pytest.mark.parametrize("function", ALL)
def test_a_batch_is_its_songs(function):
    waves = torch.from_numpy(np.stack([clip("song"), 0.01 * clip("song")[::-1]]))
    alone = torch.cat([function(wave[None]) for wave in waves])
    torch.testing.assert_close(function(waves), alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("function", ALL)
def test_silence_constants_and_short_songs_are_finite(function):
    for wave in (torch.zeros(2, 9000), torch.full((1, 9000), 0.5), torch.tensor([[0.1]])):
        assert function(wave).isfinite().all()


@pytest.mark.parametrize("function", ALL)
def test_tensors_stay_on_the_device(function):
    found = function(torch.zeros(2, 9000, device="meta"))
    assert found.device.type == "meta"
    assert found.shape == function(torch.zeros(2, 9000)).shape
    assert function(torch.zeros(2, 9000, dtype=torch.float16)).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert function(torch.zeros(2, 9000)).dtype == torch.float32


def test_what_inference_makes_training_can_use():
    wave = torch.randn(1, 5000)
    with torch.inference_mode():
        chroma(wave, n_fft=510)
    weight = torch.ones(12, requires_grad=True)
    (chroma(wave, n_fft=510).sum(dim=2) * weight).sum().backward()
    assert weight.grad is not None


def test_impossible_requests_are_named():
    with pytest.raises(FeatureError, match=r"\(5,\)"):
        mfcc(torch.zeros(5))
    with pytest.raises(FeatureError, match="20000 Hz"):
        mfcc(torch.zeros(1, 5000), f_max=20_000.0)
    with pytest.raises(FeatureError, match="empty bands"):
        mfcc(torch.zeros(1, 5000), n_fft=256)
    with pytest.raises(FeatureError, match="roll_percent 85"):
        spectral_rolloff(torch.zeros(1, 5000), roll_percent=85.0)
    with pytest.raises(FeatureError, match="every 0"):
        chroma(torch.zeros(1, 5000), hop_length=0)
