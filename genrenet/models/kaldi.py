"""The front end of EfficientAT: pre-emphasis, and a log-mel as in Kaldi.

Conventions
-----------
As that of `genrenet.models.frontend.LogMel`: it computes in float32 with autocast off and without
gradients, and its window and filter bank are non-persistent buffers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genrenet.models.frontend import FrontEnd, FrontendError, check_band, without_autocast
from genrenet.models.mel import kaldi_triangles

FLOOR = 1e-5
"""Added to the mel power before the logarithm."""


class KaldiMel(FrontEnd):
    """Waveform to the log-mel that the networks of EfficientAT were trained on.

    Parameters
    ----------
    sample_rate : int > 0
        Samples per second of the waveforms, in Hz.
    n_fft : int > 0
        FFT length in samples.
    win_length : int > 0
        Length of the window in samples, at most ``n_fft``.
    hop_length : int > 0
        Samples between neighbouring STFT frames.
    n_mels : int > 0
        Number of mel bands.
    fmin, fmax : float
        Lowest and highest frequency of the mel bank in Hz; ``fmax=None`` is 1 kHz below half the
        sample rate.
    emphasis : float in [0, 1)
        Coefficient of the pre-emphasis: share of the previous sample subtracted from each sample.

    Raises
    ------
    FrontendError
        Invalid settings, or a waveform shorter than the reflect padding needs.

    Notes
    -----
    Schmid, Koutini and Widmer (2023), "Efficient large-scale audio tagging via transformer-to-CNN
    knowledge distillation". The STFT is centred with reflect padding and a symmetric Hann window.
    The result is ``(ln(mel power + 1e-5) + 4.5) / 5``; levels are kept as they are.

    Examples
    --------
    >>> KaldiMel()(torch.zeros(2, 320_000)).shape
    torch.Size([2, 128, 1000])
    """

    def __init__(
        self,
        sample_rate: int = 32_000,
        n_fft: int = 1024,
        win_length: int = 800,
        hop_length: int = 320,
        n_mels: int = 128,
        fmin: float = 0.0,
        fmax: float | None = None,
        emphasis: float = 0.97,
    ) -> None:
        super().__init__()
        fmax = sample_rate / 2 - 1000.0 if fmax is None else fmax
        check_band(fmin, fmax, sample_rate)
        if not 0 < win_length <= n_fft:
            raise FrontendError(
                "the window does not fit the FFT",
                found=f"win_length {win_length} and n_fft {n_fft}",
                wanted="0 < win_length <= n_fft",
            )
        self.settings = {
            "sample_rate": sample_rate,
            "n_fft": n_fft,
            "win_length": win_length,
            "hop_length": hop_length,
            "n_mels": n_mels,
            "fmin": fmin,
            "fmax": fmax,
            "emphasis": emphasis,
        }
        self.sample_rate, self.n_mels = sample_rate, n_mels
        self.n_fft, self.hop_length, self.emphasis = n_fft, hop_length, emphasis
        bank = torch.from_numpy(kaldi_triangles(sample_rate, n_fft, n_mels, fmin, fmax)).float()
        around = (n_fft - win_length) // 2, n_fft - win_length - (n_fft - win_length) // 2
        window = torch.nn.functional.pad(torch.hann_window(win_length, periodic=False), around)
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("window", window, persistent=False)
        self.bank: Tensor
        self.window: Tensor

    def n_stft_frames(self, n_samples: int) -> int:
        """Return the number of STFT frames of ``n_samples`` samples."""
        return (n_samples - 1) // self.hop_length + 1

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel of a batch of waveforms.

        Parameters
        ----------
        waveform : Tensor, shape (batch, samples)
            Mono samples in [-1, 1], any floating-point type.

        Returns
        -------
        Tensor, shape (batch, n_mels, (samples - 1) // hop_length + 1), float32
        """
        least = self.n_fft // 2 + 1  # for reflection, and one for pre-emphasis
        if waveform.ndim != 2 or waveform.shape[-1] <= least:
            raise FrontendError(
                "the front end cannot take this waveform",
                found=f"a tensor of shape {tuple(waveform.shape)}",
                wanted=f"(batch, samples) with more than {least} samples",
                remedy="pad short audio to a whole frame first",
            )
        with without_autocast(waveform.device), torch.no_grad():
            waveform = waveform.float()
            sharp = waveform[:, 1:] - self.emphasis * waveform[:, :-1]
            spectrum = torch.stft(
                sharp, self.n_fft, self.hop_length, window=self.window, return_complex=True
            )
            power = spectrum.real.square() + spectrum.imag.square()
            return ((self.bank @ power + FLOOR).log() + 4.5) / 5.0
