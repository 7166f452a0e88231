"""Modules of torch, apart from the hooks: nothing imports them before they are used."""

import torch
from torch import nn

from genrenet.models.adapters import Backbone


class Bands(Backbone):
    """From samples (batch, 1, samples) to the mean magnitudes of bands, whole and squared."""

    sample_rate, frame_seconds = 8000, 1.0
    layer_names = ("linear", "power")

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        spectrum = torch.fft.rfft(x[:, 0]).abs()
        bands = torch.nn.functional.adaptive_avg_pool1d(spectrum, self.size)
        return torch.stack([bands, bands.square()], dim=1), None


class Pooled(nn.Module):
    """From log-mels (batch, n_mels, time) to logits (batch, n_labels)."""

    def __init__(self, n_labels: int, n_mels: int = 96, width: int = 16):
        super().__init__()
        self.convolution = nn.Conv1d(n_mels, width, kernel_size=5)
        self.head = nn.Linear(width, n_labels)

    def forward(self, logmel):
        return self.head(self.convolution(logmel).relu().amax(dim=-1))


class RawAudio(nn.Module):
    """Stretches of samples in place of a spectrogram: (batch, length, time)."""

    def __init__(self, length: int = 96):
        super().__init__()
        self.length = length

    def forward(self, waveform):
        return waveform.unfold(-1, self.length, self.length).transpose(1, 2)
