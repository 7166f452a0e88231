"""Deformations of audio, as they occur in distribution and playback, each with a strength.

``mp3:64k``, ``aac:64k``, ``opus:32k``
    Encoded at this bit rate, in bits per second, and decoded again.
``pitch:+1``
    Transposed up by this number of semitones (down with ``-``), at the same tempo.
``tempo:0.9``
    Played at this multiple of the tempo, at the same pitch.
``noise:20dB``
    White noise added; the strength is the signal-to-noise ratio.
``gain:-12dB``
    Amplified or, with ``-``, attenuated; samples beyond full scale are clipped.
``lowpass:4k``
    Low-pass filtered at a frequency in Hz (Butterworth, eighth order).
``clip:5%``
    Amplified so that this share of the samples is clipped.
``crop:5s``
    Only this number of seconds from its middle.

Codecs and tempo changes are FFmpeg's (PyAV); a pitch change is a tempo change and resampling. The
same song, deformation and package versions give the same samples.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from genrenet.utils.errors import GenrenetError

Wave = NDArray[np.float32]

_CHUNK = 1 << 14
_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_CODECS = {"mp3": ("libmp3lame", "mp3"), "aac": ("aac", "mp4"), "opus": ("libopus", "ogg")}


class DeformationError(GenrenetError):
    """An unknown deformation, or a song that cannot be deformed."""


@dataclass(frozen=True)
class Deformation:
    """A deformation of one kind and strength.

    Attributes
    ----------
    name : str
        The requested name, such as ``mp3:64k``.
    kind : str
    strength : float
        In the unit of the kind.
    """

    name: str
    kind: str
    strength: float

    @classmethod
    def of(cls, text: str) -> Deformation:
        """Parse a deformation from its name.

        Raises
        ------
        DeformationError
            Unknown kind, or an invalid strength.

        Examples
        --------
        >>> Deformation.of("mp3:64k")
        Deformation(name='mp3:64k', kind='mp3', strength=64000.0)
        """
        name = text.strip()
        kind, _, strength = name.partition(":")
        if kind not in KINDS:
            raise DeformationError(
                f"no deformation '{name}'", wanted=f"KIND:STRENGTH with one of {', '.join(KINDS)}"
            )
        known = KINDS[kind]
        found = re.fullmatch(f"{_NUMBER}(k?){known.unit}", strength.strip(), re.IGNORECASE)
        value = float(found[1]) * (1000 if found[2] else 1) if found else math.nan
        if not known.least <= value <= known.most:
            raise DeformationError(
                f"strength of the deformation '{name}'",
                found=repr(strength),
                wanted=f"{known.what}, such as {kind}:{known.example}",
            )
        return cls(name, kind, value)

    def apply(self, wave: Wave, rate: int, seed: int = 0) -> Wave:
        """Deform a song.

        Parameters
        ----------
        wave : ndarray of float32, shape (samples,)
        rate : int > 0
        seed : int >= 0
            Seed of the noise.

        Returns
        -------
        ndarray of float32, shape (other samples,)
            At the same rate.

        Raises
        ------
        DeformationError
            There are no samples, or FFmpeg cannot do it.
        """
        if not np.any(wave):
            raise DeformationError(f"'{self.name}' changes sound", found="silence")
        try:
            found = KINDS[self.kind].change(wave, rate, self.strength, seed)
        except (av.FFmpegError, ValueError) as error:
            raise DeformationError(f"'{self.name}' failed", found=str(error)) from error
        return np.ascontiguousarray(found, np.float32)


def deformations(names: str | list[str]) -> list[Deformation]:
    """Return deformations by their names, each once; a text is split at commas."""
    listed = names.split(",") if isinstance(names, str) else names
    found: dict[tuple[str, float], Deformation] = {}
    for name in listed:
        if name.strip():
            one = Deformation.of(name)
            found.setdefault((one.kind, one.strength), one)
    return list(found.values())


def _encoded(codec: str) -> Callable[[Wave, int, float, int], Wave]:
    def change(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
        name, container = _CODECS[codec]
        known = av.Codec(name, "w").audio_rates
        at = rate if not known or rate in known else min((r for r in known if r > rate), default=0)
        at = at or max(known or [rate])
        file = io.BytesIO()
        with av.open(file, "w", format=container) as out:
            stream = out.add_stream(name, rate=at, options={"threads": "1"})
            stream.layout, stream.bit_rate = "mono", round(strength)
            for frame in _frames(wave, rate):
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        file.seek(0)
        resampler = av.AudioResampler("flt", "mono", rate)
        with av.open(file) as source:
            pieces = [
                part.to_ndarray()[0]
                for frame in source.decode(audio=0)
                for part in resampler.resample(frame)
            ]
            pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
        found = np.concatenate(pieces)[: len(wave)]
        return np.pad(found, (0, len(wave) - len(found)))

    return change


def _frames(wave: Wave, rate: int) -> Iterator[av.AudioFrame]:
    for start in range(0, len(wave), _CHUNK):
        part = np.ascontiguousarray(wave[None, start : start + _CHUNK], np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame


def _tempo(wave: Wave, rate: int, strength: float, seed: int = 0) -> Wave:
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate)
    )
    graph.link_nodes(
        source,
        graph.add("atempo", f"{strength:.9f}"),
        graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"),
        graph.add("abuffersink"),
    ).configure()
    pieces: list[Wave] = []
    for frame in [*_frames(wave, rate), None]:
        graph.push(frame)
        while True:
            try:
                pieces.append(graph.pull().to_ndarray()[0])
            except (BlockingIOError, EOFError):
                break
    return np.concatenate(pieces)


def _pitch(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    ratio = 2 ** (strength / 12)
    slower = _tempo(wave, rate, 1 / ratio)
    return np.asarray(soxr.resample(slower, rate * ratio, rate))


def _noise(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    noise = np.random.default_rng(seed).standard_normal(len(wave), np.float32)
    loud = np.sqrt(np.mean(wave.astype(np.float64) ** 2) / 10 ** (strength / 10))
    return np.asarray(wave + np.float32(loud) * noise)


def _gain(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    return np.asarray(np.clip(wave * np.float32(10 ** (strength / 20)), -1, 1))


def _lowpass(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    from scipy.signal import butter, sosfiltfilt

    if strength >= rate / 2:
        return wave
    return np.asarray(sosfiltfilt(butter(4, strength, fs=rate, output="sos"), wave))


def _clip(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    most = float(np.quantile(np.abs(wave), 1 - strength / 100))
    return np.asarray(np.clip(wave / max(most, 1e-6), -1, 1))


def _crop(wave: Wave, rate: int, strength: float, seed: int) -> Wave:
    length = round(strength * rate)
    begin = max(0, (len(wave) - length) // 2)
    return wave[begin : begin + length]


@dataclass(frozen=True)
class Kind:
    """A kind of deformation.

    Attributes
    ----------
    what, unit, example : str
        Description of its strength, the unit that a strength may end with, and an example.
    least, most : float
        Range of the strength.
    change : callable
        Function of samples, rate, strength and seed.
    """

    what: str
    unit: str
    example: str
    least: float
    most: float
    change: Callable[[Wave, int, float, int], Wave]


KINDS = {
    "mp3": Kind("bits a second, 8k to 320k", "", "64k", 8e3, 320e3, _encoded("mp3")),
    "aac": Kind("bits a second, 8k to 256k", "", "64k", 8e3, 256e3, _encoded("aac")),
    "opus": Kind("bits a second, 6k to 256k", "", "32k", 6e3, 256e3, _encoded("opus")),
    "pitch": Kind("semitones, -12 to +12", "", "+1", -12, 12, _pitch),
    "tempo": Kind("a factor, 0.5 to 2", "", "0.9", 0.5, 2, _tempo),
    "noise": Kind("decibels, -20dB to 100dB", "(?:dB)?", "20dB", -20, 100, _noise),
    "gain": Kind("decibels, -90dB to +60dB", "(?:dB)?", "-12dB", -90, 60, _gain),
    "lowpass": Kind("hertz, 50 to 24k", "(?:Hz)?", "4k", 50, 24e3, _lowpass),
    "clip": Kind("percent of the samples, 0.1% to 90%", "%?", "5%", 0.1, 90, _clip),
    "crop": Kind("seconds, 0.5s to 600s", "s?", "5s", 0.5, 600, _crop),
}
