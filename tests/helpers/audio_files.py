"""Audio files of every kind for the tests of `genrenet.audio`, made from a known signal."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile as sf
from numpy.typing import NDArray

SECONDS = 6.0


@dataclass(frozen=True)
class Kind:
    """A file format and what is known of it."""

    name: str  # file name
    backend: str
    codec: str  # FFmpeg's encoder or libsndfile's subtype
    rate: int = 44_100
    container: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)
    bit_rate: int = 192_000
    exact: float | None = None  # greatest error of a sample; None if the coding is lossy
    delay: int = 0  # samples that the decoded signal lags behind: the format cannot say how many
    writer: str = ""  # "soundfile" or "av", if other than the backend


def _sf(name: str, codec: str, exact: float | None, **more: object) -> Kind:
    return Kind(name, "soundfile", codec, exact=exact, writer="soundfile", **more)


def _av(name: str, codec: str, **more: object) -> Kind:
    return Kind(name, "av", codec, writer="av", **more)


# Without perceptual noise substitution AAC decodes to the same samples every time.
_NO_NOISE = {"aac_pns": "0"}

KINDS = {
    kind.name: kind
    for kind in (
        _sf("16.wav", "PCM_16", 4e-5),
        _sf("8.wav", "PCM_U8", 1e-2),
        _sf("24.wav", "PCM_24", 1e-6),
        _sf("32.wav", "PCM_32", 1e-6),
        _sf("float.wav", "FLOAT", 1e-6),
        _sf("double.wav", "DOUBLE", 1e-6),
        _sf("ulaw.wav", "ULAW", 3e-2),
        _sf("big.rf64", "PCM_16", 4e-5, container="RF64"),
        _sf("sony.w64", "PCM_16", 4e-5),
        _sf("apple.aiff", "PCM_24", 1e-6),
        _sf("core.caf", "PCM_16", 4e-5),
        _sf("sun.au", "PCM_16", 4e-5),
        _sf("free.flac", "PCM_16", 4e-5),
        _sf("xiph.ogg", "VORBIS", None),
        Kind("xiph.opus", "av", "OPUS", rate=48_000, container="OGG", writer="soundfile"),
        _av("lame.mp3", "libmp3lame"),
        _av("low.mp3", "libmp3lame", rate=22_050, bit_rate=64_000),
        _av("bare.mp3", "libmp3lame", options={"write_xing": "0"}, delay=1105),
        _av("old.mp2", "mp2", delay=481),
        _av("late.m4a", "aac", codec_options=_NO_NOISE),
        _av("early.m4a", "aac", options={"movflags": "faststart"}, codec_options=_NO_NOISE),
        _av("lossless.m4a", "alac", exact=4e-5),
        _av("adts.aac", "aac", codec_options=_NO_NOISE, delay=1024),
        _av("web.webm", "libopus", rate=48_000),
        _av("matroska.mka", "flac", exact=4e-5),
        _av("windows.wma", "wmav2", delay=-2048),  # the decoder drops its first frame
        _av("pack.wv", "wavpack", exact=4e-5),
        _av("dolby.ac3", "ac3", rate=48_000, delay=256),
    )
}


def signal(seconds: float, rate: int, channels: int = 2) -> NDArray[np.float32]:
    """A slow sweep from 200 Hz to 2 kHz, so that every moment is unlike the others."""
    time = np.arange(round(seconds * rate)) / rate
    sweep = 0.4 * np.sin(2 * np.pi * (200 * time + 900 * time**2 / seconds))
    gains = np.linspace(1.0, 0.5, channels)
    return (sweep[:, None] * gains).astype(np.float32)


def write(folder: Path, kind: Kind, seconds: float = SECONDS) -> Path:
    """The signal of `signal`, in stereo, as a file of one kind."""
    path = folder / kind.name
    samples = signal(seconds, kind.rate)
    if kind.writer == "soundfile":
        sf.write(path, samples, kind.rate, subtype=kind.codec, format=kind.container)
    else:
        encode(
            path,
            samples,
            kind.rate,
            kind.codec,
            container=kind.container,
            options=kind.options,
            codec_options=kind.codec_options,
            bit_rate=kind.bit_rate,
        )
    return path


def encode(
    target: Path | object,
    samples: NDArray[np.float32],
    rate: int,
    codec: str,
    *,
    layout: str = "stereo",
    container: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    bit_rate: int = 192_000,
) -> None:
    """Encode samples of shape (n, channels) with FFmpeg, to a path or an object with `write`."""
    file = os.fspath(target) if isinstance(target, os.PathLike) else target
    with av.open(file, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout, options=codec_options or {})
        if not codec.startswith(("pcm", "flac", "alac", "wavpack")):
            stream.bit_rate = bit_rate
        kinds = stream.codec_context.codec.audio_formats
        kind = next((k for k in kinds if k.name in ("s16", "s16p")), kinds[0])
        stream.format = kind
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(kind, layout, rate, frame_size=size)
        packed = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))


class Pipe:
    """Something to write to that cannot seek back, so headers keep their unknown lengths."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        """Append."""
        self.data += bytes(data)
        return len(data)


def cut(path: Path, fraction: float = 0.5) -> Path:
    """A copy of a file without its end."""
    copy = path.with_name(f"cut-{path.name}")
    data = path.read_bytes()
    copy.write_bytes(data[: round(len(data) * fraction)])
    return copy


def wav(path: Path, samples: np.ndarray, rate: int = 8000, subtype: str = "PCM_16") -> Path:
    sf.write(path, samples, rate, subtype=subtype)
    return path


def sine(hz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
