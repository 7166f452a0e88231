"""The front end against librosa, between its back ends, and against the published arrays."""

import librosa
import numpy as np
import pytest
import torch

from genrenet import audio
from genrenet.models.frontend import LEVEL, FrontendError, LogMel, bound_level, normalise_level


def _music(batch=2, samples=349_440, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 12_000
    chord = sum(np.sin(2 * np.pi * f * time) / f**0.5 for f in (110.0, 277.2, 1318.5, 4186.0))
    envelope = np.exp(-((time * 2) % 1) * 4)
    waves = [0.3 * chord * envelope + 0.01 * rng.standard_normal(samples) for _ in range(batch)]
    return torch.tensor(np.stack(waves), dtype=torch.float32)


def _librosa(wave):
    mel = librosa.feature.melspectrogram(
        y=wave, sr=12_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect", power=2.0
    )
    return librosa.power_to_db(mel**2, ref=1.0, amin=1e-10, top_db=80.0)


@pytest.mark.parametrize("backend", ["nnaudio", "torchaudio", "fft"])
def test_equals_librosa(backend):
    waves = _music()
    ours = LogMel(backend=backend, level="keep")(waves)
    assert ours.shape == (2, 96, 1366)
    wanted = np.stack([_librosa(wave) for wave in waves.double().numpy()])
    assert np.abs(ours.numpy() - wanted).max() < 1e-3


def test_equals_published_input(shared_data):
    """The arrays the published taggers were given, but for what decoders skip at the start."""
    for name in ("cute", "dubstep"):
        wave = audio.load(shared_data / "clips" / f"bensound-{name}.mp3")
        # Today's decoders skip the MP3 encoder's delay; the one used then skipped 150 samples less.
        start = (len(wave) - 349_440) // 2 + 150
        frontend = LogMel(level="keep")
        ours = frontend(torch.from_numpy(wave[None, start : start + 349_440]))[0].numpy()
        published = np.load(shared_data / "clips" / f"bensound-{name}.npy")[0, 0]
        assert np.corrcoef(ours.ravel(), published.ravel())[0, 1] > 0.999
        assert abs(ours.mean() - published.mean()) < 0.1
        assert abs(ours.max() - published.max()) < 0.1


def test_clip_is_relative_to_each_clip_and_silence_is_finite():
    waves = _music()
    waves[1] *= 1e-3
    waves = torch.cat([waves, torch.zeros(1, waves.shape[1])])
    frontend = LogMel(level="keep")
    mels = frontend(waves)
    assert torch.isfinite(mels).all()
    for mel in mels:
        assert mel.max() - mel.min() <= 80.0 + 1e-4
    alone = frontend(waves[1:2])
    assert torch.allclose(alone[0], mels[1], atol=1e-4)


@pytest.mark.parametrize("compression", ["square-db", "log10-10000"])
@pytest.mark.parametrize("gain", [0.1, 0.01, 1e-3, 32_768.0])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_neither_gain_nor_offset_counts(gain, offset, compression):
    waves, frontend = _music(samples=96_000), LogMel(compression=compression)
    tolerance = 0.02 if offset else 1e-3  # the rounding of a quiet wave beside a large offset
    torch.testing.assert_close(
        frontend(gain * (waves + offset)), frontend(waves), atol=tolerance, rtol=0
    )


def test_clips_of_a_batch_have_levels_of_their_own():
    waves, frontend = _music(3, 48_000), LogMel()
    alone = torch.cat([frontend(wave[None]) for wave in waves])
    torch.testing.assert_close(frontend(waves * torch.tensor([[1.0], [0.01], [50.0]])), alone)


@pytest.mark.parametrize("value", [0.0, 0.2, -3e4, 1e-9])
def test_what_is_constant_stays_silent(value):
    mels = LogMel()(torch.full((1, 24_000), value))
    torch.testing.assert_close(mels, LogMel(level="keep")(torch.zeros(1, 24_000)))


def test_a_level_of_its_own_changes_nothing_where_it_is_that_already():
    wave = _music(1, 48_000)
    wave = normalise_level(wave)
    assert wave.square().mean().sqrt().item() == pytest.approx(LEVEL, rel=1e-5)
    kept, normalised = LogMel(level="keep")(wave), LogMel()(wave)
    torch.testing.assert_close(kept, normalised, atol=1e-3, rtol=0)


def _rms(waves):
    return waves.square().mean(-1).sqrt()


@pytest.mark.parametrize("offset", [0.0, 0.2])
@pytest.mark.parametrize("level", [0.101, 0.3, 0.99])
def test_plausible_levels_keep_every_bit_but_the_mean(level, offset):
    wave = normalise_level(_music(1, 48_000)) * (level / LEVEL) + offset
    centred = wave - wave.mean(-1, keepdim=True)
    assert torch.equal(bound_level(wave), centred - centred.mean(-1, keepdim=True))


@pytest.mark.parametrize("gain", [10**-1.5, 1e-4, 32_768.0])
def test_implausible_levels_are_brought_to_the_usual_one(gain):
    wave = normalise_level(_music(1, 48_000)) * 2
    bounded = bound_level(torch.cat([wave, wave * gain]))
    torch.testing.assert_close(_rms(bounded), torch.tensor([2 * LEVEL, LEVEL]))
    torch.testing.assert_close(bounded[1], bounded[0] / 2)


@pytest.mark.parametrize("compression", ["square-db", "log10-10000"])
@pytest.mark.parametrize("value", [0.0, 0.2, -3e4, 1e-9])
def test_what_is_constant_stays_silent_with_bounds(value, compression):
    settings = {"compression": compression}
    mels = LogMel(level="bound", **settings)(torch.full((1, 24_000), value))
    assert torch.isfinite(mels).all()
    torch.testing.assert_close(mels, LogMel(level="keep", **settings)(torch.zeros(1, 24_000)))


def test_bounds_survive_the_settings():
    frontend = LogMel(level="bound")
    again = LogMel.from_settings(frontend.settings)
    quiet = _music(1, 48_000) * 1e-3
    assert torch.equal(again(quiet), frontend(quiet))
    assert not torch.allclose(again(quiet), LogMel(level="keep")(quiet))


def test_older_settings_keep_the_level():
    settings = LogMel().settings
    assert LogMel.from_settings(settings).level == "normalise"
    del settings["level"]
    assert LogMel.from_settings(settings).level == "keep"


def test_buffers_follow_the_module_and_stay_out_of_checkpoints():
    frontend = LogMel()
    assert frontend.state_dict() == {}
    meta = frontend.to("meta")
    assert meta(torch.zeros(1, 349_440, device="meta")).device.type == "meta"


@pytest.mark.parametrize("option", ["trainable_stft", "trainable_mel"])
def test_trainable_bases_learn_and_are_saved(option):
    frontend = LogMel(**{option: True})
    assert frontend.state_dict()
    frontend(_music(1, 24_000)).mean().backward()
    grads = [p.grad for p in frontend.parameters() if p.requires_grad]
    assert grads
    assert all(g is not None and torch.isfinite(g).all() and g.abs().sum() > 0 for g in grads)


def test_no_gradient_without_trainable_bases():
    wave = _music(1, 24_000).requires_grad_()
    assert not LogMel()(wave).requires_grad


def test_autocast_does_not_reach_the_front_end():
    waves, frontend = _music(1, 48_000), LogMel()
    with torch.autocast("cpu", torch.bfloat16):
        mels = frontend(waves)
    assert mels.dtype == torch.float32
    assert torch.equal(mels, frontend(waves))


def test_rebuilds_from_its_settings():
    frontend = LogMel(sample_rate=16_000, n_mels=64, fmax=7000.0)
    again = LogMel.from_settings(frontend.settings)
    wave = _music(1, 32_000)
    assert torch.equal(frontend(wave), again(wave))
    assert again.settings == frontend.settings


def test_torchaudios_is_rebuilt_without_torchaudio():
    frontend = LogMel(sample_rate=16_000, n_mels=64, fmax=7000.0, backend="torchaudio")
    again = LogMel.from_settings(frontend.settings)
    assert again.settings == {**frontend.settings, "backend": "fft"}
    wave = _music(1, 32_000)
    assert torch.allclose(frontend(wave), again(wave), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fmax": 7000.0}, "7000"),
        ({"backend": "essentia"}, "essentia"),
        ({"level": "loud"}, "normalise"),
        ({"backend": "torchaudio", "trainable_mel": True}, "nnaudio"),
    ],
)
def test_impossible_settings_are_named(settings, words):
    with pytest.raises(FrontendError, match=words):
        LogMel(**settings)


def test_too_short_a_waveform_is_named():
    with pytest.raises(FrontendError, match=r"\(1, 100\)"):
        LogMel()(torch.zeros(1, 100))
