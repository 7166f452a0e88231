"""Whether a catalog's files can be used: decodes them and reports what training would meet."""

from __future__ import annotations

from collections.abc import Callable

from genrenet import audio
from genrenet.catalog.base import Problem, in_threads
from genrenet.catalog.reading import Catalog

_RATE = 12_000  # Hz
# The kind of problem for each error of the audio room.
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


def check_catalog(
    catalog: Catalog,
    *,
    decode: bool = True,
    min_seconds: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> tuple[Problem, ...]:
    """Look for files that training would stumble over.

    Parameters
    ----------
    catalog : Catalog
    decode : bool
        Decode every file from end to end; otherwise only read the headers, which is fast but finds
        no damage, no silence and no samples that are not numbers.
    min_seconds : float >= 0
        Files shorter than this (s) are reported.
    progress : callable, optional
        Called with (files done, files in all).
    workers : int >= 1, optional
        Threads; by default one per core, at most 4.

    Returns
    -------
    tuple of Problem
        In the table's order. Kinds: "missing-file", "unreadable", "not-audio", "empty",
        "truncated", "non-finite", "too-short", "decoder-limit", "undecodable", "silent" if every
        sample is 0, and "out-of-phase" if channels cancel each other out.
    """

    def check(path: str) -> Problem | None:
        try:
            silent, notes = True, list[str]()
            if decode:
                # Block by block: memory does not grow with a song's length.
                samples = 0
                for block in audio.stream(path, _RATE, notes=notes):
                    samples, silent = samples + len(block), silent and not block.any()
                seconds = samples / _RATE
            else:
                seconds = audio.probe(path).duration
        except audio.AudioError as error:
            kind = next((k for e, k in _KINDS.items() if isinstance(error, e)), "unreadable")
            return Problem(path, kind, str(error))
        if seconds < min_seconds:
            message = f"{seconds:.2f} s, wanted at least {min_seconds:g} s"
            return Problem(path, "too-short", message)
        if decode and silent:
            return Problem(path, "silent", "every sample is 0")
        return Problem(path, "out-of-phase", "; ".join(notes)) if notes else None

    paths = catalog.table["path"].tolist()
    found = in_threads(check, paths, workers=workers, progress=progress)
    return tuple(problem for problem in found if problem is not None)
