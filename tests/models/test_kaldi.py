"""The front end of EfficientAT against torchaudio's Kaldi and the authors' arrays."""

import numpy as np
import pytest
import torch

from genrenet.models.frontend import FrontendError
from genrenet.models.kaldi import KaldiMel
from genrenet.models.mel import kaldi_triangles


def _noise(samples, batch=2):
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("clip", ["cute", "dubstep"])
def test_equals_the_authors_input(shared_data, clip):
    reference = np.load(shared_data / "clips" / f"mn04-{clip}.npz")
    waves = torch.from_numpy(reference["pcm"] / np.float32(32_768))
    logmel = KaldiMel()(waves)
    assert logmel.dtype == torch.float32
    np.testing.assert_allclose(logmel.numpy(), reference["logmel"], rtol=0, atol=1e-3)


@pytest.mark.parametrize("samples", [514, 800, 32_000, 32_001, 95_999, 96_321])
def test_columns_of_any_length(samples):
    frontend = KaldiMel()
    assert frontend(_noise(samples)).shape == (2, 128, frontend.n_stft_frames(samples))


def test_it_is_the_formula_in_double_precision():
    wave = _noise(4_000, 1)[0].double().numpy()
    sharp = np.pad(wave[1:] - 0.97 * wave[:-1], 512, mode="reflect")
    window = np.pad(np.hanning(800), 112)
    columns = [sharp[i : i + 1024] * window for i in range(0, len(sharp) - 1023, 320)]
    power = np.abs(np.fft.rfft(columns)).T ** 2
    wanted = (np.log(kaldi_triangles(32_000, 1024, 128, 0.0, 15_000.0) @ power + 1e-5) + 4.5) / 5
    found = KaldiMel()(torch.from_numpy(wave)[None])[0].numpy()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def test_silence_is_finite_and_levels_count():
    frontend, waves = KaldiMel(), _noise(32_000)
    assert torch.isfinite(frontend(torch.zeros(1, 32_000))).all()
    louder = frontend(10 * waves) - frontend(waves)
    assert 0.5 < louder.mean() < 1.0  # ln(100) / 5, less where the floor is near


def test_a_batch_is_its_rows_whatever_their_type():
    frontend, waves = KaldiMel(), _noise(32_000)
    together = frontend(waves)
    for row, wave in zip(together, waves, strict=True):
        torch.testing.assert_close(frontend(wave[None])[0], row, atol=1e-5, rtol=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(frontend(waves), together)
    half = waves.half()
    assert torch.equal(frontend(half), frontend(half.float()))
    assert not frontend(waves.requires_grad_()).requires_grad


def test_buffers_follow_the_device_and_stay_out_of_checkpoints():
    assert not KaldiMel().state_dict()
    frontend = KaldiMel().to("meta")
    assert frontend(torch.zeros(2, 32_000, device="meta")).device.type == "meta"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KaldiMel(fmax=17_000.0), "fmax 17000 Hz at 32000 Hz"),
        (lambda: KaldiMel(win_length=2_000), "win_length 2000 and n_fft 1024"),
        (lambda: KaldiMel()(torch.zeros(1, 513)), "more than 513 samples"),
        (lambda: KaldiMel()(torch.zeros(32_000)), "batch, samples"),
    ],
)
def test_what_does_not_fit_is_named(make, words):
    with pytest.raises(FrontendError, match=words):
        make()
