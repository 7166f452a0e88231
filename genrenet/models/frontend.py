"""The front end: waveform to log-mel spectrogram, on the device the waveform is on.

Conventions
-----------
Mel power (Slaney scale and norm) of a centred, reflect-padded STFT with a periodic Hann window is
put on a decibel scale as the published taggers were trained: the mel power is squared before the
logarithm, so one unit of amplitude in dB is ``20 * log10(mel power)``, floored at 1e-10 on the
square and clipped to 80 dB below each clip's own maximum.

The front end always computes in float32, with autocast off: half precision underflows before the
logarithm. Windows and filter banks are non-persistent buffers: they follow ``.to(device)`` and stay
out of checkpoints, unless they are trainable.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from genrenet.models.fft_mel import FFTMel
from genrenet.models.registry import Recorded
from genrenet.utils.errors import GenrenetError

Backend = Literal["nnaudio", "torchaudio", "fft"]
Compression = Literal["square-db", "log10-10000"]
Level = Literal["keep", "normalise", "bound"]

LEVEL = 0.1
"""Root mean square of a frame whose level is normalised: -20 dB, about that of most music."""


class FrontendError(GenrenetError):
    """Settings or a waveform that the front end cannot use."""


def square_power_to_db(power: Tensor, *, floor: float = 1e-10, top_db: float = 80.0) -> Tensor:
    """Return the decibels of a squared mel power, clipped below each clip's maximum.

    Parameters
    ----------
    power : Tensor, shape (batch, n_mels, time), >= 0
        Mel power spectrogram.
    floor : float > 0
        Smallest value of the *square* of the power.
    top_db : float > 0
        Range kept below each clip's maximum, in dB.

    Returns
    -------
    Tensor, shape (batch, n_mels, time)
        ``10 * log10(max(power**2, floor))`` (dB re 1.0).

    Notes
    -----
    The square is what Choi et al. (2016) used as input of their taggers (kapre's early
    ``Melspectrogram``).
    """
    decibels = 10.0 * torch.log10(power.square().clamp_min(floor))
    peak = decibels.amax(dim=(-2, -1), keepdim=True)
    return torch.maximum(decibels, peak - top_db)


def normalise_level(waveform: Tensor) -> Tensor:
    """Remove the mean of each clip, and scale the clip to a root mean square of `LEVEL`.

    Parameters
    ----------
    waveform : Tensor of float32, shape (batch, samples)
        In any scale.

    Returns
    -------
    Tensor, shape (batch, samples)
        The same for any gain and any constant offset of the input. A clip that is constant to the
        precision of float32 becomes zero: its rounding noise is not signal.
    """
    centred, _, gain = _centred(waveform)
    return centred * gain


def bound_level(waveform: Tensor) -> Tensor:
    """Remove the mean of each clip, and bring implausible levels to `LEVEL`.

    Parameters
    ----------
    waveform : Tensor of float32, shape (batch, samples)
        In any scale.

    Returns
    -------
    Tensor, shape (batch, samples)
        Clips with a root mean square from `LEVEL` to 1 have a gain of exactly 1. Quieter clips are
        raised to `LEVEL`. Clips above 1, which samples in [-1, 1] cannot reach, are in another
        scale and are also brought to `LEVEL`. Constant clips become zero, as by `normalise_level`.
    """
    centred, level, gain = _centred(waveform)
    usual = (level >= LEVEL) & (level <= 1.0)
    return centred * torch.where(usual, torch.ones_like(gain), gain)


def _centred(waveform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return clips without their mean, their root mean square, and the gain that brings it to
    `LEVEL`.
    """
    mean = waveform.mean(dim=-1, keepdim=True)
    centred = waveform - mean
    # Runtimes of exported models that sum in plain float32 have errors of up to 4e-4 of the mean.
    centred = centred - centred.mean(dim=-1, keepdim=True)
    level = centred.square().mean(dim=-1, keepdim=True).sqrt()
    audible = level > 1e-6 * mean.abs() + 1e-12
    gain = torch.where(audible, LEVEL / level.clamp_min(1e-12), torch.zeros_like(level))
    return centred, level, gain


def without_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Return a context with autocast off: a device computes in the data types of the tensors."""
    if torch.amp.autocast_mode.is_autocast_available(device.type):
        return torch.autocast(device_type=device.type, enabled=False)
    return nullcontext()


class FrontEnd(Recorded, nn.Module):
    """Base of front ends: from waveforms of shape (batch, samples) to (batch, n_mels, time).

    A custom front end is a plain module (see `genrenet.models.plain`), or derives from this class
    or from `LogMel` and takes plain arguments. A checkpoint stores its import path and these
    arguments, and opening it restores exactly that front end or raises an error.

    Attributes
    ----------
    sample_rate : int > 0
        Samples per second of the waveforms, in Hz.
    n_mels : int > 0
        Number of bands.
    trainable : bool
        Whether training may change its parameters.
    """

    sample_rate: int
    n_mels: int
    trainable = False

    def n_stft_frames(self, n_samples: int) -> int:
        """Return the number of STFT frames of ``n_samples`` samples, the output's last axis."""
        return self._silence(n_samples).shape[-1]

    @property
    def owner(self) -> nn.Module:
        """The module that computes: itself, unless it wraps another."""
        return self

    @property
    def device(self) -> torch.device:
        """Device of its parameters and buffers."""
        held = next(chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if held is None else held.device

    def _silence(self, n_samples: int) -> Tensor:
        with torch.no_grad():
            found: Tensor = self(torch.zeros(1, n_samples, device=self.device))
        return found


def check_band(fmin: float, fmax: float, sample_rate: int) -> None:
    """Raise an error for a mel bank that does not fit the sample rate, all in Hz.

    Raises
    ------
    FrontendError
    """
    if not 0 <= fmin < fmax <= sample_rate / 2:
        raise FrontendError(
            "the mel bank does not fit the sample rate",
            found=f"fmin {fmin:g} Hz and fmax {fmax:g} Hz at {sample_rate} Hz",
            wanted="0 <= fmin < fmax <= half the sample rate",
        )


class LogMel(FrontEnd):
    """Waveform to log-mel spectrogram.

    Parameters
    ----------
    sample_rate : int > 0
        Samples per second of the waveforms, in Hz.
    n_fft : int > 0
        Window and FFT length in samples.
    hop_length : int > 0
        Samples between neighbouring STFT frames.
    n_mels : int > 0
        Number of mel bands.
    fmin, fmax : float
        Lowest and highest frequency of the mel bank in Hz; ``fmax=None`` is half the sample rate.
    top_db : float > 0
        Range in dB kept below each clip's maximum (``square-db`` only).
    compression : {"square-db", "log10-10000"}
        Compression of the mel power: `square_power_to_db`, or ``log10(10000 * power + 1)`` as in
        Pons and Serra's MusiCNN.
    level : {"keep", "normalise", "bound"}
        ``normalise`` brings waveforms to one level by `normalise_level` first, so that neither gain
        nor a constant offset has an effect; ``keep`` leaves them unchanged, for networks that were
        trained on absolute level; ``bound`` changes only implausible levels, by `bound_level`.
    backend : {"nnaudio", "torchaudio", "fft"}
        Implementation of the mel power. All agree to 1e-3 dB; ``nnaudio`` uses convolutions and can
        train its bases, ``torchaudio`` uses an FFT, and ``fft`` uses torch's FFT with the fewest
        operations: it is the fastest on a CPU, and used for inference.
    trainable_stft, trainable_mel : bool
        Let training change the STFT kernels or the mel bank (``nnaudio`` only).

    Raises
    ------
    FrontendError
        Invalid settings, or a waveform shorter than the reflect padding needs.

    Notes
    -----
    Cheuk et al. (2020), "nnAudio: an on-the-fly GPU audio to spectrogram conversion toolbox".

    Examples
    --------
    >>> LogMel()(torch.zeros(2, 349_440)).shape
    torch.Size([2, 96, 1366])
    """

    def __init__(
        self,
        sample_rate: int = 12_000,
        n_fft: int = 512,
        hop_length: int = 256,
        n_mels: int = 96,
        fmin: float = 0.0,
        fmax: float | None = None,
        top_db: float = 80.0,
        compression: Compression = "square-db",
        backend: Backend = "nnaudio",
        trainable_stft: bool = False,
        trainable_mel: bool = False,
        level: Level = "normalise",
    ) -> None:
        super().__init__()
        fmax = sample_rate / 2 if fmax is None else fmax
        check_band(fmin, fmax, sample_rate)
        for what, given, known in (
            ("backend", backend, get_args(Backend)),
            ("compression", compression, get_args(Compression)),
            ("level", level, get_args(Level)),
        ):
            if given not in known:
                raise FrontendError(
                    f"unknown front-end {what}", found=repr(given), wanted=" or ".join(known)
                )
        self.trainable = trainable_stft or trainable_mel
        if self.trainable and backend != "nnaudio":
            raise FrontendError(
                "only the nnaudio backend has trainable bases",
                found=f"backend {backend}",
                wanted="backend nnaudio",
            )
        self.settings: dict[str, Any] = {
            "sample_rate": sample_rate,
            "n_fft": n_fft,
            "hop_length": hop_length,
            "n_mels": n_mels,
            "fmin": fmin,
            "fmax": fmax,
            "top_db": top_db,
            "compression": compression,
            "backend": backend,
            "trainable_stft": trainable_stft,
            "trainable_mel": trainable_mel,
            "level": level,
        }
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.n_mels, self.top_db, self.compression = n_mels, top_db, compression
        self.level = level
        self.mel_power = _build(self.settings)
        for module in self.mel_power.modules():
            for name, buffer in list(module.named_buffers(recurse=False)):
                module.register_buffer(name, buffer, persistent=False)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LogMel:
        """Build a front end from the `settings` of another, which may be older than ``level``.

        The backend ``torchaudio`` becomes ``fft``, which computes the same: a checkpoint must open,
        and classify, where that package cannot be loaded.
        """
        known = {"level": "keep", **settings}
        if known.get("backend") == "torchaudio":
            known["backend"] = "fft"
        return cls(**known)

    def n_stft_frames(self, n_samples: int) -> int:
        """Return the number of STFT frames of ``n_samples`` samples."""
        return n_samples // self.hop_length + 1

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram of a batch of waveforms.

        Parameters
        ----------
        waveform : Tensor, shape (batch, samples)
            Mono samples in [-1, 1], any floating-point type.

        Returns
        -------
        Tensor, shape (batch, n_mels, samples // hop_length + 1), float32
            Decibels, or as defined by ``compression``.
        """
        if waveform.ndim != 2 or waveform.shape[-1] <= self.n_fft // 2:
            raise FrontendError(
                "the front end cannot take this waveform",
                found=f"a tensor of shape {tuple(waveform.shape)}",
                wanted=f"(batch, samples) with more than {self.n_fft // 2} samples",
                remedy="pad short audio to a whole frame first",
            )
        with (
            without_autocast(waveform.device),
            torch.set_grad_enabled(self.trainable and torch.is_grad_enabled()),
        ):
            waveform = waveform.float()
            if self.level == "normalise":
                waveform = normalise_level(waveform)
            elif self.level == "bound":
                waveform = bound_level(waveform)
            power = self.mel_power(waveform)
            if self.compression == "log10-10000":
                return torch.log10(10_000.0 * power + 1.0)
            return square_power_to_db(power, top_db=self.top_db)


def _torchaudio_mel() -> Any:
    """Return torchaudio's transform; only this backend needs that package."""
    try:
        from torchaudio.transforms import MelSpectrogram
    except (ImportError, OSError) as error:  # it is not installed, or was built for another torch
        raise FrontendError(
            "the front end's backend 'torchaudio' cannot be loaded",
            found=str(error).partition("\n")[0],
            wanted=f"a torchaudio that was built for torch {torch.__version__}",
            remedy="take backend nnaudio or fft, or run: pip install 'genrenet[train]' with the"
            " versions of constraints.txt",
        ) from error
    return MelSpectrogram


def _build(settings: Mapping[str, Any]) -> nn.Module:
    common = {
        "n_fft": settings["n_fft"],
        "hop_length": settings["hop_length"],
        "n_mels": settings["n_mels"],
    }
    if settings["backend"] == "torchaudio":
        transform: nn.Module = _torchaudio_mel()(
            sample_rate=settings["sample_rate"],
            f_min=settings["fmin"],
            f_max=settings["fmax"],
            center=True,
            pad_mode="reflect",
            power=2.0,
            norm="slaney",
            mel_scale="slaney",
            **common,
        )
        return transform
    if settings["backend"] == "fft":
        return FFTMel(settings)
    from nnAudio.features.mel import MelSpectrogram as NnAudioMel

    transform = NnAudioMel(
        sr=settings["sample_rate"],
        fmin=settings["fmin"],
        fmax=settings["fmax"],
        center=True,
        pad_mode="reflect",
        power=2.0,
        htk=False,
        norm=1,
        trainable_STFT=settings["trainable_stft"],
        trainable_mel=settings["trainable_mel"],
        verbose=False,
        **common,
    )
    return transform
