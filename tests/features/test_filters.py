"""Filter banks, transforms and windows against librosa and SciPy, and invalid settings."""

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch

from genrenet.features.base import FeatureError
from genrenet.features.filters import chroma_bank, constant, dct_matrix, hamming, hann, mel_bank


@pytest.mark.parametrize("length", [1, 2, 7, 512])
def test_windows_are_scipys(length):
    wanted = scipy.signal.get_window("hann", length, fftbins=True)
    if length > 1:  # SciPy's window of one sample is one
        np.testing.assert_allclose(hann(length), wanted, atol=1e-15)
    wanted = scipy.signal.get_window("hamming", length, fftbins=False)
    np.testing.assert_allclose(hamming(length), wanted, atol=1e-15)


@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(128, 20), (13, 13), (1, 1)])
def test_the_cosine_transform_is_scipys(n_inputs, n_outputs):
    x = np.random.default_rng(0).standard_normal((3, n_inputs))
    wanted = scipy.fft.dct(x, norm="ortho")[:, :n_outputs]
    np.testing.assert_allclose(x @ dct_matrix(n_inputs, n_outputs), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_chroma"), [(22_050, 2048, 12), (12_000, 512, 12), (44_100, 4096, 24)]
)
def test_the_chroma_bank_is_librosas(rate, n_fft, n_chroma):
    wanted = librosa.filters.chroma(
        sr=rate, n_fft=n_fft, n_chroma=n_chroma, tuning=0.0, dtype=np.float64
    )
    np.testing.assert_allclose(chroma_bank(rate, n_fft, n_chroma), wanted, atol=1e-12)


def test_a_pitch_is_loudest_in_its_class():
    bank, bins = chroma_bank(22_050, 4096), np.fft.rfftfreq(4096, 1 / 22_050)
    for hertz, place in ((440.0, 9), (880.0, 9), (1046.5, 0), (1318.5, 4)):
        assert bank[:, np.abs(bins - hertz).argmin()].argmax() == place


def test_the_mel_bank_reaches_to_half_the_sample_rate():
    found = mel_bank(16_000, 512, 40)
    assert found.shape == (40, 257)
    assert np.array_equal(found, mel_bank(16_000, 512, 40, 0.0, 8000.0))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"f_max": 8001.0}, "does not fit"),
        ({"f_min": -1.0}, "does not fit"),
        ({"f_min": 500.0, "f_max": 500.0}, "does not fit"),
        ({"n_mels": 0}, "found 0 bands"),
        ({"n_fft": 64}, r"empty bands: found \d+ of 40 that lie between two of 33 bins"),
    ],
)
def test_impossible_banks_are_named(settings, words):
    with pytest.raises(FeatureError, match=words):
        mel_bank(**{"sample_rate": 16_000, "n_fft": 512, "n_mels": 40, **settings})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constants_are_made_once_for_each_type(dtype):
    like = torch.zeros(1, dtype=dtype)
    with torch.inference_mode():
        first = constant(like, hann, 37)
    assert first.dtype == dtype
    assert constant(like, hann, 37) is first
    assert not first.is_inference()
    np.testing.assert_allclose(first.numpy(), hann(37), atol=1e-7)
