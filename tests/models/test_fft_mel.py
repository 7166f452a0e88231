"""Mel power by FFT, against its definition in NumPy."""

import numpy as np
import pytest
import torch

from genrenet.models.fft_mel import FFTMel
from genrenet.models.mel import mel_triangles

SETTINGS = {
    "sample_rate": 8000,
    "n_fft": 256,
    "hop_length": 100,
    "n_mels": 20,
    "fmin": 50.0,
    "fmax": 3500.0,
}


def _noise(samples, batch=2):
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


def test_equals_its_definition():
    waves = _noise(1500)
    bank = mel_triangles(8000, 256, 20, 50.0, 3500.0)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    found = FFTMel(SETTINGS)(waves)
    for wave, ours in zip(waves.double().numpy(), found, strict=True):
        padded = np.pad(wave, 128, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, 256)[::100]
        wanted = bank @ (np.abs(np.fft.rfft(frames * window)) ** 2).T
        np.testing.assert_allclose(ours.numpy(), wanted, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("samples", [129, 999, 1000, 1001])
def test_there_is_a_column_for_every_hop_begun(samples):
    assert FFTMel(SETTINGS)(_noise(samples)).shape == (2, 20, samples // 100 + 1)


def test_power_grows_with_the_square_of_the_gain_and_silence_has_none():
    mel, waves = FFTMel(SETTINGS), _noise(1000)
    torch.testing.assert_close(mel(3 * waves), 9 * mel(waves))
    assert not mel(torch.zeros(1, 1000)).any()


def test_a_tone_is_in_the_band_of_its_frequency():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(4000) / 8000)
    bands = FFTMel(SETTINGS)(tone[None])[0, :, 5:-5].mean(dim=1)
    bank = mel_triangles(8000, 256, 20, 50.0, 3500.0)
    assert bands.argmax() == bank[:, 1000 * 256 // 8000].argmax()


def test_it_has_nothing_to_learn_and_moves_with_its_buffers():
    mel = FFTMel(SETTINGS)
    assert not list(mel.parameters())
    assert mel.double()(_noise(1000).double()).dtype == torch.float64
