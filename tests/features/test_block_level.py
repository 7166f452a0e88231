"""Block-level features, against the same in NumPy, SciPy and librosa."""

import numpy as np
import pytest
import torch

from genrenet.features.block_level import (
    block_level,
    modulation_spectrum,
    semitone_bank,
    spectral_pattern,
)
from genrenet.features.classical import BLOCK_LEVEL
from tests.helpers.references import clip


def reference_pattern(song):
    import librosa

    magnitudes = np.abs(librosa.stft(song.astype(np.float64), n_fft=2048, hop_length=512)).T
    level = 20 * np.log10(np.maximum(magnitudes @ semitone_bank(22_050, 2048).T, 1e-3))
    level = np.maximum(level - level.max() + 80, 0)
    blocks = np.lib.stride_tricks.sliding_window_view(level, 10, axis=0)[::5]
    return np.percentile(np.sort(blocks, axis=2), 90, axis=0).ravel()


def reference_modulation(song):
    import librosa

    rows = librosa.feature.mfcc(y=song.astype(np.float64), sr=22_050, n_mfcc=20)
    hertz = np.fft.rfftfreq(512, 512 / 22_050)
    found = np.zeros((20, 16))
    blocks = np.lib.stride_tricks.sliding_window_view(rows, 512, axis=1)[:, ::128]
    blocks = blocks - blocks.mean(axis=2, keepdims=True)
    magnitudes = np.abs(np.fft.rfft(blocks * np.hanning(512), axis=2))
    for k in range(16):
        centre = 0.5 * 2 ** (k / 3)
        weights = np.maximum(0, 1 - 3 * np.abs(np.log2(np.maximum(hertz, 1e-3) / centre)))
        found[:, k] = (magnitudes @ (weights / weights.sum())).mean(axis=1)
    return np.log1p(found).ravel()


@pytest.mark.parametrize("precision", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", ["blues", "metal", "chord", "song"])
def test_equal_to_the_references(name, precision):
    song = np.resize(clip(name), 15 * 22_050)  # longer than a block of the modulation spectrum
    samples = torch.from_numpy(song)[None].to(precision)
    level = spectral_pattern(samples)[0].double().numpy()
    np.testing.assert_allclose(level, reference_pattern(song), atol=1e-2)
    found = modulation_spectrum(samples)[0].double().numpy()
    np.testing.assert_allclose(found, reference_modulation(song), atol=1e-4)


def test_a_batch_is_its_songs_one_by_one():
    batch = torch.from_numpy(np.stack([np.resize(clip(n), 300_000) for n in ("chord", "song")]))
    one_by_one = torch.cat([block_level(song[None]) for song in batch])
    torch.testing.assert_close(block_level(batch), one_by_one, atol=1e-4, rtol=1e-4)


def test_a_semitone_lights_its_band():
    hertz = 440.0
    tone = 0.5 * torch.sin(2 * torch.pi * hertz * torch.arange(44_100) / 22_050)
    level = spectral_pattern(tone[None]).view(77, 10)
    assert level[:, 5].argmax() == round(12 * np.log2(hertz / 53.4478))


@pytest.mark.parametrize("n_samples", [1, 2048, 22_050])
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_silence_constants_and_short_songs_are_finite(n_samples, value):
    found = block_level(torch.full((2, n_samples), value))
    assert found.shape == (2, len(BLOCK_LEVEL.columns))
    assert found.isfinite().all()


def test_everything_stays_on_the_device():
    assert modulation_spectrum(torch.zeros(2, 400_000, device="meta")).device.type == "meta"
