"""Augmentation during training, on the device: gain, noise, masked bands and mixup.

Every transform draws its random numbers on the device of its input, one draw per clip, and is the
identity in eval mode.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Beta

from genrenet.utils.errors import GenrenetError


class AugmentationError(GenrenetError):
    """An augmentation setting out of range."""


def _at_least_zero(**settings: float) -> None:
    for name, value in settings.items():
        if value < 0:
            raise AugmentationError(
                f"augmentation setting {name}", found=f"{value:g}", wanted=">= 0"
            )


class WaveformAugment(nn.Module):
    """Random gain and white noise on raw waveforms.

    Parameters
    ----------
    gain_db : float >= 0
        Gains are uniform in [-gain_db, gain_db] dB.
    noise_snr_db : float or None
        Minimum signal-to-noise ratio of the added white noise, in dB; each clip's is uniform
        between this and 30 dB above it. None adds no noise.
    shortest : float in (0, 1]
        Half of the clips, at random, keep only their beginning, repeated to their length, like
        songs that are shorter than a frame. The kept share is log-uniform between this and 1; 1
        leaves all clips unchanged.
    """

    def __init__(
        self, gain_db: float = 6.0, noise_snr_db: float | None = None, shortest: float = 1.0
    ) -> None:
        super().__init__()
        _at_least_zero(gain_db=gain_db)
        if not 0 < shortest <= 1:
            raise AugmentationError(
                "augmentation setting shortest", found=f"{shortest:g}", wanted="above 0, at most 1"
            )
        self.gain_db, self.noise_snr_db, self.shortest = gain_db, noise_snr_db, shortest

    def forward(self, waveform: Tensor) -> Tensor:
        """Augment waveforms of shape (batch, samples); the identity in eval mode."""
        if not self.training:
            return waveform
        draws = (waveform.shape[0], 1)
        if self.shortest < 1:
            waveform = self._shortened(waveform)
        if self.noise_snr_db is not None:
            snr = self.noise_snr_db + 30.0 * torch.rand(draws, device=waveform.device)
            level = waveform.square().mean(dim=-1, keepdim=True).sqrt()
            noise = torch.randn_like(waveform)
            waveform = waveform + noise * level * torch.pow(10.0, -snr / 20.0)
        if self.gain_db:
            gain = self.gain_db * (2.0 * torch.rand(draws, device=waveform.device) - 1.0)
            waveform = waveform * torch.pow(10.0, gain / 20.0)
        return waveform

    def _shortened(self, waveform: Tensor) -> Tensor:
        (clips, size), device = waveform.shape, waveform.device
        share = self.shortest ** torch.rand(clips, 1, device=device)
        share = torch.where(torch.rand(clips, 1, device=device) < 0.5, share, 1.0)
        kept = (share * size).long().clamp_min(1)
        return waveform.gather(1, torch.arange(size, device=device) % kept)


class SpecAugment(nn.Module):
    """Masks bands of mels and intervals of time, as torchaudio's masking does.

    Parameters
    ----------
    mel_width : int >= 0
        Maximum width of a masked band, in mel bands.
    time_width : int >= 0
        Maximum length of a masked interval, in STFT frames.
    n_masks : int >= 0
        Number of masks of each kind.

    Notes
    -----
    Park et al. (2019), "SpecAugment". Masked cells are set to the clip's mean, so that a mask is
    neither loud nor silent.
    """

    def __init__(self, mel_width: int = 16, time_width: int = 100, n_masks: int = 2) -> None:
        super().__init__()
        _at_least_zero(mel_width=mel_width, time_width=time_width, n_masks=n_masks)
        self.mel_width, self.time_width, self.n_masks = mel_width, time_width, n_masks

    def forward(self, logmel: Tensor) -> Tensor:
        """Mask log-mels of shape (batch, n_mels, time); the identity in eval mode."""
        if not self.training:
            return logmel
        mean = logmel.mean(dim=(-2, -1), keepdim=True)
        masked = logmel
        for _ in range(self.n_masks):
            for axis, widest in ((1, self.mel_width), (2, self.time_width)):
                masked = torch.where(_stretch(masked, axis, widest), mean, masked)
        return masked


def _stretch(logmel: Tensor, axis: int, widest: int) -> Tensor:
    """Return the mask of each clip along an axis: at any position, 0 to ``widest`` cells wide."""
    size = logmel.shape[axis]
    draws = (logmel.shape[0], 1, 1)
    width = torch.rand(draws, device=logmel.device, dtype=logmel.dtype) * min(widest, size)
    start = torch.rand(draws, device=logmel.device, dtype=logmel.dtype) * (size - width)
    place = torch.arange(size, device=logmel.device).reshape((-1, 1) if axis == 1 else (1, -1))
    return (place >= start.long()) & (place < start.long() + width.long())


class Mixup(nn.Module):
    """Mixes each clip, and its target, with another one of the batch.

    Parameters
    ----------
    alpha : float >= 0
        Both parameters of the Beta distribution of the mixing weight; 0 turns mixup off.

    Notes
    -----
    Zhang et al. (2018), "mixup: beyond empirical risk minimization", here on log-mels.
    """

    def __init__(self, alpha: float = 0.3) -> None:
        super().__init__()
        _at_least_zero(alpha=alpha)
        self.alpha = alpha

    def forward(self, logmel: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time)
        target : Tensor, shape (batch, labels)
            Rows that sum to one.

        Returns
        -------
        tuple of Tensor
            Mixed log-mels and targets, of the same shapes.
        """
        if not self.training or not self.alpha:
            return logmel, target
        parameter = torch.full((logmel.shape[0],), self.alpha, device=logmel.device)
        # At least one half, so that a clip keeps the larger weight (the pairing is symmetric
        # anyway).
        weight = Beta(parameter, parameter, validate_args=False).sample()
        weight = torch.maximum(weight, 1.0 - weight)
        partner = torch.randperm(logmel.shape[0], device=logmel.device)
        along_mel, along_target = weight[:, None, None], weight[:, None]
        return (
            along_mel * logmel + (1.0 - along_mel) * logmel[partner],
            along_target * target + (1.0 - along_target) * target[partner],
        )
