"""Blocks of spectra and their summaries, against NumPy and librosa."""

import librosa
import numpy as np
import pytest
import scipy.fft
import torch

from genrenet.features.filters import chroma_bank, hann, mel_bank
from genrenet.features.spectra import (
    MelPower,
    bins_and_ones,
    centroid,
    cepstrum,
    doubled_chroma,
    power,
    rolloff,
    squared_parts,
    to_loudest,
)

RATE, N_FFT, HOP = 8000, 256, 100


def _songs(samples=3000):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, samples, generator=generator, dtype=torch.float64)


def _squares(songs):
    return torch.cat(list(squared_parts(songs, N_FFT, HOP)))


def _power(songs):
    padded = np.pad(songs.numpy(), ((0, 0), (N_FFT // 2, N_FFT // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::HOP]
    return (np.abs(np.fft.rfft(frames * hann(N_FFT))) ** 2).reshape(-1, N_FFT // 2 + 1)


def test_power_is_that_of_centred_frames():
    songs = _songs()
    np.testing.assert_allclose(power(_squares(songs)).numpy(), _power(songs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("n_mels", "f_min", "f_max"), [(40, 0.0, None), (5, 300.0, 2000.0)])
def test_mel_power_is_the_bank_times_power(n_mels, f_min, f_max):
    songs = _songs()
    found = MelPower(songs, RATE, N_FFT, n_mels, f_min, f_max)(_squares(songs))
    wanted = _power(songs) @ mel_bank(RATE, N_FFT, n_mels, f_min, f_max).T
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_the_doubled_chroma_bank_sums_the_parts_up():
    songs = _songs()
    found = _squares(songs) @ torch.from_numpy(doubled_chroma(RATE, N_FFT))
    wanted = _power(songs) @ chroma_bank(RATE, N_FFT).T
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("top_db", [None, 20.0])
def test_the_cepstrum_is_librosas_of_each_song(top_db):
    mel = torch.rand(2, 7, 40, dtype=torch.float64) ** 8
    found = cepstrum(mel, 13, top_db)
    assert found.shape == (2, 13, 7)
    for song, ours in zip(mel.numpy(), found.numpy(), strict=True):
        decibels = librosa.power_to_db(song.T, amin=1e-10, top_db=top_db)
        wanted = scipy.fft.dct(decibels, axis=0, norm="ortho")[:13]
        np.testing.assert_allclose(ours, wanted, atol=1e-9)


def test_the_loudest_class_is_one_and_silence_stays_silent():
    raw = torch.tensor([[[1.0, 4.0, 2.0], [0.0, 0.0, 0.0], [1e-30, 5e-31, 0.0]]])
    found = to_loudest(raw)
    wanted = torch.tensor([[[0.25, 1.0, 0.5], [0.0, 0.0, 0.0], [1.0, 0.5, 0.0]]])
    torch.testing.assert_close(found, wanted.transpose(1, 2))


def test_centroid_and_rolloff_are_librosas():
    magnitudes = np.sqrt(_power(_songs()))
    bins = torch.from_numpy(bins_and_ones(RATE, N_FFT))
    wanted = librosa.feature.spectral_centroid(S=magnitudes.T, sr=RATE, n_fft=N_FFT)[0]
    found = centroid(torch.from_numpy(magnitudes), bins)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9)
    for share in (0.5, 0.85):
        wanted = librosa.feature.spectral_rolloff(
            S=magnitudes.T, sr=RATE, n_fft=N_FFT, roll_percent=share
        )[0]
        found = rolloff(torch.from_numpy(magnitudes), bins, share)
        np.testing.assert_allclose(found.numpy(), wanted)


def test_silence_is_at_zero_hertz():
    bins = torch.from_numpy(bins_and_ones(RATE, N_FFT))
    silence = torch.zeros(3, N_FFT // 2 + 1, dtype=torch.float64)
    assert centroid(silence, bins).tolist() == rolloff(silence, bins, 0.85).tolist() == [0, 0, 0]
