"""Modules of torch, apart from the hooks: nothing imports them before they are used."""

from torch import nn


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
