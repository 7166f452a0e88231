"""Check a catalog's files: decode them and report what would cause problems in training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from genrenet import audio
from genrenet.audio.sounding import MIN_SECONDS
from genrenet.data.catalog.base import Problem, in_threads
from genrenet.data.catalog.reading import Catalog

_RATE = 12_000  # Hz
# The kind of problem for each error of the audio package.
_KINDS: dict[type[audio.AudioError], str] = {
    audio.MissingFileError: "missing-file",
    audio.UnreadableFileError: "unreadable",
    audio.NotAudioError: "not-audio",
    audio.EmptyAudioError: "empty",
    audio.TruncatedAudioError: "truncated",
    audio.NonFiniteAudioError: "non-finite",
    audio.TooShortError: "too-short",
    audio.DecodingLimitError: "decoder-limit",
    audio.DecodingError: "undecodable",
}

PEAK = 4.0
"""Decoders of lossy files overshoot full scale (1), but never that far."""
QUIET = -50.0
"""dBFS (RMS without DC) below which a song is implausibly quiet."""
DC = 0.02
"""Mean of the samples beyond which a song has a DC offset."""
SILENT_SHARE = 0.5
"""Share of a song that may be silent: `SILENCE` dB below its loudest tenth of a second."""
SILENCE = -60.0
SHORT, SHORT_SEGMENT = 2.0, 1.0
"""Songs, and segments of songs, shorter than this (s) carry too little information."""
_WINDOW = _RATE // 10


@dataclass
class Level:
    """Level statistics of a song's samples, updated block by block."""

    samples: int = 0
    peak: float = 0.0
    total: float = 0.0
    energy: float = 0.0
    windows: list[np.ndarray] = field(default_factory=list)

    def add(self, block: np.ndarray) -> None:
        """Update the statistics with a block of samples."""
        self.samples += len(block)
        if len(block):
            self.peak = max(self.peak, float(np.abs(block).max()))
        self.total += float(block.sum(dtype=np.float64))
        self.energy += float(np.square(block, dtype=np.float64).sum())
        whole = block[: len(block) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
        self.windows.append(whole.std(axis=1, dtype=np.float64))

    def oddities(self) -> Iterable[str]:
        """Yield implausible values, each with its remedy."""
        mean = self.total / max(1, self.samples)
        rms = max(0.0, self.energy / max(1, self.samples) - mean**2) ** 0.5
        if self.peak > PEAK:
            yield f"peak {self.peak:.4g}, full scale is 1: integers stored as floats? rescale it"
        if abs(mean) > DC * max(1.0, self.peak):
            yield f"DC offset {mean:+.3f}: filter it out (a high-pass at 20 Hz)"
        if rms > 0 and (level := 20 * np.log10(rms)) < QUIET:
            yield f"RMS {level:.0f} dBFS, hardly audible: normalise it, or is it empty?"
        loud = np.concatenate(self.windows) if self.windows else np.zeros(0)
        if len(loud) and loud.max() > 0:
            silent = float((loud < loud.max() * 10 ** (SILENCE / 20)).mean())
            if silent > SILENT_SHARE:
                yield f"silent for {silent:.0%} of its {self.samples / _RATE:.0f} s: cut it"


def check_catalog(
    catalog: Catalog,
    *,
    decode: bool = True,
    min_seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> tuple[Problem, ...]:
    """Look for files that would cause problems in training.

    Parameters
    ----------
    catalog : Catalog
    decode : bool
        Decode every file from end to end; otherwise only read the headers, which is fast but does
        not find damage, silence, implausible levels or non-finite samples.
    min_seconds : float >= 0, optional
        Files shorter than this (s) are reported; by default `SHORT`, or `SHORT_SEGMENT` where files
        are segments of songs.
    progress : callable, optional
        Called with (files done, total number of files).
    workers : int >= 1, optional
        Threads; by default one per core, at most 4.

    Returns
    -------
    tuple of Problem
        In the table's order, at most one per file, followed by problems that the collection itself
        records ("checksum", of mirdata). Kinds: "missing-file", "unreadable", "not-audio", "empty",
        "truncated", "non-finite", "too-short", "decoder-limit", "undecodable", "silent" if every
        sample is 0, "level" if the peak, loudness, DC offset or share of silence is implausible,
        and "out-of-phase" if channels cancel each other out.
    """
    least = min_seconds
    if least is None:
        least = SHORT_SEGMENT if "song" in catalog.table else SHORT

    def check(path: str) -> Problem | None:
        level, notes = Level(), list[str]()
        try:
            if decode:
                # Block by block: memory does not grow with a song's length.
                for block in audio.stream(path, _RATE, notes=notes):
                    level.add(block)
                seconds = level.samples / _RATE
            else:
                seconds = audio.probe(path).duration
        except audio.AudioError as error:
            kind = next((k for e, k in _KINDS.items() if isinstance(error, e)), "unreadable")
            cut = isinstance(error, audio.TruncatedAudioError)
            used = cut and level.samples >= MIN_SECONDS * _RATE
            return Problem(path, kind, f"{error}{'; it is used as far as that' if used else ''}")
        if seconds < least:
            message = f"{seconds:.2f} s, wanted at least {least:g} s"
            return Problem(path, "too-short", message)
        if decode and level.peak == 0:
            return Problem(path, "silent", "every sample is 0")
        odd = list(level.oddities())
        if not odd and not notes:
            return None
        return Problem(path, "level" if odd else "out-of-phase", "; ".join([*odd, *notes]))

    paths = catalog.table["path"].tolist()
    found = in_threads(check, paths, workers=workers, progress=progress)
    own = catalog.check() if decode and catalog.check is not None else []
    return (*(problem for problem in found if problem is not None), *own)
