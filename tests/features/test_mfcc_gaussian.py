"""MFCC Gaussians against NumPy and SciPy in float64."""

from dataclasses import asdict, replace

import librosa
import numpy as np
import pytest
import scipy.fft
import torch

from genrenet.features import (
    FeatureError,
    MfccGaussianSettings,
    gaussian_features,
    mfcc_matrix,
)
from genrenet.features.definitions import gaussian_columns
from genrenet.features.mfcc_gaussian import mfcc_gaussian
from tests.helpers.references import CLIPS, clip

DEFAULTS = MfccGaussianSettings()
OTHERS = replace(
    DEFAULTS,
    sample_rate=16_000,
    interval=0.005,
    frame=0.030,
    n_fft=600,
    n_mels=30,
    n_mfcc=12,
    f_min=60.0,
    f_max=7000.0,
    scale="slaney",
    norm="slaney",
    pre_emphasis=0.97,
    relative=1e-3,
    absolute=1e-2,
)


def reference_matrix(wave, settings):
    wave = wave.astype(np.float64)
    wave = np.append(wave[:1], wave[1:] - settings.pre_emphasis * wave[:-1])
    length, hop = (round(s * settings.sample_rate) for s in (settings.frame, settings.interval))
    n_fft = settings.n_fft or 512
    bank = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=n_fft,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
        htk=settings.scale == "htk",
        norm="slaney" if settings.norm == "slaney" else None,
        dtype=np.float64,
    )
    rows = []
    for start in range(0, len(wave) - length + 1, hop):
        frame = wave[start : start + length] * np.hamming(length)
        mel = bank @ np.abs(scipy.fft.rfft(frame, n_fft)) ** 2
        rows.append(scipy.fft.dct(np.log(np.maximum(mel, settings.log_floor)), norm="ortho"))
    return np.array(rows)[:, : settings.n_mfcc]


def reference_gaussian(points, settings):
    covariance = np.cov(points.T, bias=True)
    raised = settings.relative * np.diag(covariance).mean() + settings.absolute
    return np.r_[points.mean(axis=0), (covariance + raised * np.eye(len(covariance))).ravel()]


@pytest.mark.parametrize("settings", [DEFAULTS, OTHERS])
@pytest.mark.parametrize("name", CLIPS)
def test_equals_numpy(name, settings):
    wave = clip(name)
    points = mfcc_matrix(torch.from_numpy(wave)[None], settings)[0].numpy()
    expected = reference_matrix(wave, settings)
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-8)
    row = mfcc_gaussian(torch.from_numpy(wave)[None], settings)[0].numpy()
    np.testing.assert_allclose(row, reference_gaussian(expected, settings), rtol=1e-8, atol=1e-8)
    assert len(row) == len(gaussian_columns(settings.n_mfcc))


def test_a_batch_is_its_songs():
    waves = torch.from_numpy(np.stack([clip("song"), 0.01 * clip("song")[::-1]]))
    alone = torch.cat([mfcc_gaussian(wave[None]) for wave in waves])
    torch.testing.assert_close(mfcc_gaussian(waves), alone)


@pytest.mark.parametrize("settings", [DEFAULTS, OTHERS])
@pytest.mark.parametrize("kind", ["silence", "constant", "short", "one", "tone"])
def test_all_songs_are_positive_definite(kind, settings):
    wave = {
        "silence": torch.zeros(1, 30_000),
        "constant": torch.full((1, 30_000), 0.7),
        "short": torch.rand(1, 700) - 0.5,
        "one": torch.tensor([[0.3]]),
        "tone": torch.sin(torch.arange(30_000) * 0.1)[None],
    }[kind]
    row = mfcc_gaussian(wave, settings)[0]
    assert row.isfinite().all()
    covariance = row[settings.n_mfcc :].view(settings.n_mfcc, settings.n_mfcc)
    assert torch.equal(covariance, covariance.T)
    assert torch.linalg.eigvalsh(covariance).min() >= 0.99 * settings.absolute
    torch.linalg.cholesky(covariance)


def test_tensors_stay_on_the_device():
    found = mfcc_gaussian(torch.zeros(3, 30_000, device="meta"))
    assert found.device.type == "meta"
    assert found.shape == (3, 240)
    assert mfcc_gaussian(torch.zeros(1, 30_000)).dtype == torch.float64


def test_settings_are_part_of_the_extractor():
    one, other = gaussian_features(DEFAULTS), gaussian_features(OTHERS)
    assert one.key != other.key
    assert one.key == gaussian_features(MfccGaussianSettings()).key
    assert (one.sample_rate, other.sample_rate, one.middle) == (22_050, 16_000, 0.5)
    assert other.settings == asdict(OTHERS)
    assert len(other.columns) == 12 + 144
    wave = torch.from_numpy(clip("chord"))[None]
    torch.testing.assert_close(other.extract(wave), mfcc_gaussian(wave, OTHERS))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_mfcc": 21}, "21 of 20 bands"),
        ({"n_fft": 256}, "441 samples"),
        ({"absolute": 0.0}, "positive definite"),
        ({"log_floor": 0.0}, "positive definite"),
    ],
)
def test_impossible_settings_are_named(settings, words):
    with pytest.raises(FeatureError, match=words):
        MfccGaussianSettings(**settings)


def test_an_interval_of_nothing_is_named():
    with pytest.raises(FeatureError, match="every 0"):
        mfcc_matrix(torch.zeros(1, 5000), MfccGaussianSettings(interval=1e-6))
