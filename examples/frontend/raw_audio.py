"""The front end `RawAudio`."""

from __future__ import annotations

from torch import Tensor, nn


class RawAudio(nn.Module):
    """Overlapping stretches of samples, for networks that learn their own filters.

    Parameters
    ----------
    length : int >= 1
        Samples in a stretch: the number of bins that a network sees.
    hop : int >= 1
        Samples from one stretch to the next.

    Attributes
    ----------
    sample_rate : int
        Of the waveforms, in Hz. Where it is not 12,000, give ``--data.sample_rate`` too.
    """

    sample_rate = 12_000

    def __init__(self, length: int = 96, hop: int = 96) -> None:
        super().__init__()
        self.length, self.hop = length, hop

    def forward(self, waveform: Tensor) -> Tensor:
        """Cut waveforms.

        Parameters
        ----------
        waveform : Tensor of float32, shape (batch, samples)
            At least ``length`` samples.

        Returns
        -------
        Tensor of float32, shape (batch, length, time)
        """
        return waveform.unfold(-1, self.length, self.hop).transpose(1, 2)
