"""Augmentation: only in training, within its bounds, on any device."""

import pytest
import torch

from genrenet.training.augmentation import AugmentationError, Mixup, SpecAugment, WaveformAugment


def test_identity_in_eval_mode():
    wave, mel, target = torch.randn(3, 500), torch.randn(3, 96, 50), torch.eye(3)
    assert torch.equal(WaveformAugment(6.0, 20.0).eval()(wave), wave)
    assert torch.equal(SpecAugment().eval()(mel), mel)
    assert Mixup().eval()(mel, target)[0] is mel


def test_gain_is_within_bounds_and_one_per_clip():
    torch.manual_seed(0)
    wave = torch.randn(200, 50)
    gains = WaveformAugment(6.0)(wave) / wave
    decibels = 20 * gains.log10()
    assert torch.allclose(decibels, decibels[:, :1].expand_as(decibels), atol=1e-3)
    assert decibels.abs().max() <= 6.0 + 1e-3
    assert decibels.std() > 1.0


def test_noise_keeps_its_distance():
    torch.manual_seed(0)
    wave = torch.randn(50, 4000)
    noise = WaveformAugment(0.0, noise_snr_db=10.0)(wave) - wave
    snr = 10 * (wave.square().mean(-1) / noise.square().mean(-1)).log10()
    assert snr.min() > 9.5
    assert snr.max() < 40.5
    assert WaveformAugment(0.0, 10.0)(torch.zeros(1, 100)).eq(0).all()


def test_masks_hide_bands_and_stretches_with_the_mean():
    torch.manual_seed(0)
    mel = torch.randn(8, 96, 400) + 30
    masked = SpecAugment(mel_width=20, time_width=80, n_masks=1)(mel)
    changed = masked != mel
    assert 0 < changed.float().mean() < 0.5
    mean = mel.mean(dim=(-2, -1))
    for clip in range(8):
        hidden = masked[clip][changed[clip]]
        assert torch.allclose(hidden, mean[clip].expand_as(hidden), atol=1e-4)
    assert not torch.equal(changed[0], changed[1])


@pytest.mark.parametrize("columns", [400, 90])
def test_masks_are_where_torchaudio_puts_them(columns):
    from torchaudio.transforms import FrequencyMasking, TimeMasking

    mel = torch.randn(8, 96, columns, generator=torch.Generator().manual_seed(1)) + 30
    torch.manual_seed(5)
    ours = SpecAugment(mel_width=20, time_width=80, n_masks=2)(mel)
    torch.manual_seed(5)
    theirs = mel[:, None]
    for _ in range(2):
        for mask in (FrequencyMasking(20, iid_masks=True), TimeMasking(80, iid_masks=True)):
            theirs = mask(theirs, 1e3)
    hidden = theirs[:, 0] == 1e3
    assert torch.equal(ours != mel, hidden)
    assert 0 < hidden.float().mean() < 0.8
    # A mask is no longer than what it hides.
    short = SpecAugment(mel_width=0, time_width=500)(mel)
    assert torch.isfinite(short).all()


def test_mixup_mixes_clips_and_targets_alike():
    torch.manual_seed(0)
    mel = torch.arange(6.0)[:, None, None].expand(6, 4, 5)
    target = torch.eye(6)
    mixed, weights = Mixup(0.5)(mel, target)
    assert torch.allclose(weights.sum(-1), torch.ones(6))
    assert torch.equal(weights.argmax(-1), torch.arange(6))
    assert torch.allclose(mixed[:, 0, 0], weights @ torch.arange(6.0), atol=1e-5)
    assert Mixup(0.0)(mel, target)[1] is target


@pytest.mark.parametrize("make", [WaveformAugment, SpecAugment])
def test_makes_its_tensors_on_the_device_of_the_input(make):
    x = torch.zeros(2, 96, 400, device="meta")
    module = make()
    assert module(x if make is SpecAugment else x[:, 0]).device.type == "meta"


def test_bad_settings_are_named():
    with pytest.raises(AugmentationError, match="gain_db"):
        WaveformAugment(gain_db=-1)
    with pytest.raises(AugmentationError, match="alpha"):
        Mixup(-0.1)


def test_shortened_clips_repeat_their_beginning():
    waves = torch.randn(64, 1200)
    augment = WaveformAugment(gain_db=0.0, shortest=0.25).train()
    torch.manual_seed(0)
    found = augment(waves)
    kept = []
    for before, after in zip(waves, found, strict=True):
        changed = (after != before).nonzero()
        length = int(changed[0]) if len(changed) else 1200
        assert torch.equal(after, before[:length].repeat(5)[:1200])
        kept.append(length / 1200)
    assert min(kept) >= 0.249
    assert 16 < sum(share < 1 for share in kept) < 48
    assert torch.equal(augment.eval()(waves), waves)
    with pytest.raises(AugmentationError, match="shortest"):
        WaveformAugment(shortest=0.0)
