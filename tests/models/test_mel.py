"""Mel banks against librosa, torchaudio and Kaldi, and the shapes of their triangles."""

import librosa
import numpy as np
import pytest

from genrenet.models.mel import kaldi_triangles, mel_triangles


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [(12_000, 512, 96, 0.0, 6000.0), (16_000, 512, 96, 0.0, 8000.0), (32_000, 1024, 40, 50, 9e3)],
)
def test_the_mel_bank_is_that_of_librosa_and_torchaudio(rate, n_fft, n_mels, fmin, fmax):
    from torchaudio.functional import melscale_fbanks

    ours = mel_triangles(rate, n_fft, n_mels, fmin, fmax)
    wanted = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, dtype=np.float64
    )
    assert np.allclose(ours, wanted, rtol=1e-12, atol=1e-15)
    theirs = melscale_fbanks(n_fft // 2 + 1, fmin, fmax, n_mels, rate, "slaney", "slaney")
    assert np.allclose(ours, theirs.T.numpy(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [(32_000, 1024, 128, 0.0, 15_000.0), (16_000, 512, 40, 20.0, 7600.0), (12_000, 512, 9, 0, 6e3)],
)
def test_the_mel_bank_is_kaldis(rate, n_fft, n_mels, fmin, fmax):
    from torchaudio.compliance.kaldi import get_mel_banks

    ours = kaldi_triangles(rate, n_fft, n_mels, fmin, fmax)
    theirs, _ = get_mel_banks(n_mels, n_fft, rate, fmin, fmax, 100.0, -500.0, 1.0)
    assert ours.shape == (n_mels, n_fft // 2 + 1)
    assert not ours[:, -1].any()
    np.testing.assert_allclose(ours[:, :-1], theirs.numpy(), rtol=0, atol=2e-4)


def test_the_htk_scale_is_librosas():
    ours = mel_triangles(22_050, 1024, 40, 20.0, 8000.0, scale="htk")
    wanted = librosa.filters.mel(
        sr=22_050, n_fft=1024, n_mels=40, fmin=20.0, fmax=8000.0, htk=True, dtype=np.float64
    )
    np.testing.assert_allclose(ours, wanted, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_triangles_have_height_one_or_equal_area(scale):
    n_fft, rate = 1 << 14, 16_000
    bank = mel_triangles(rate, n_fft, 20, 0.0, 8000.0, scale, "none")
    assert bank.max() <= 1
    np.testing.assert_allclose(bank.max(axis=1), 1.0, atol=0.01)
    areas = mel_triangles(rate, n_fft, 20, 0.0, 8000.0, scale).sum(axis=1) * rate / n_fft
    np.testing.assert_allclose(areas, 1.0, atol=1e-3)


@pytest.mark.parametrize("norm", ["slaney", "none"])
def test_nothing_outside_the_band_counts(norm):
    bank = mel_triangles(16_000, 512, 10, 1010.0, 2990.0, norm=norm)
    bins = np.fft.rfftfreq(512, 1 / 16_000)
    assert not bank[:, (bins < 1010) | (bins > 2990)].any()
    assert bank[:, (bins > 1010) & (bins < 2990)].any(axis=0).all()
    assert not kaldi_triangles(16_000, 512, 10, 1010.0, 2990.0)[:, bins < 1010].any()


def test_neighbours_sum_to_one_between_the_first_and_the_last_peak():
    for bank in (
        kaldi_triangles(32_000, 1024, 32, 0.0, 15_000.0),
        mel_triangles(32_000, 1024, 32, 0.0, 15_000.0, norm="none"),
    ):
        inner = slice(bank[0].argmax() + 1, bank[-1].argmax())
        np.testing.assert_allclose(bank.sum(axis=0)[inner], 1.0, atol=1e-12)


def test_a_triangle_between_two_bins_is_empty():
    bank = mel_triangles(16_000, 64, 60, 0.0, 8000.0)
    assert bank.shape == (60, 33)
    assert np.isfinite(bank).all()
    assert not bank.any(axis=1).all()
