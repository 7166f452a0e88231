"""Errors of audio files, each with its own expected state and remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from genrenet.utils.errors import GenrenetError, printable

Path: TypeAlias = "str | os.PathLike[str]"
Mono: TypeAlias = npt.NDArray[np.float32]


class AudioError(GenrenetError):
    """A file that cannot be decoded as audio; `path` is the file."""

    path: Path = ""  # set after construction: only the message is pickled


class MissingFileError(AudioError):
    """There is no such file."""


class UnreadableFileError(AudioError):
    """The operating system cannot read the file: a folder, permissions, a link loop."""


class NotAudioError(AudioError):
    """The file's content is not audio known to any decoder."""


class EmptyAudioError(AudioError):
    """The file has no bytes, or its audio no samples."""


class TruncatedAudioError(AudioError):
    """The file ends before the end stated in its header, or the rest is damaged.

    `samples`, shape (n,), float32, are those that `load` could read, at the requested rate; empty
    for `stream`, which has yielded them. `seconds` >= 0 is their length within the span.
    """

    samples: Mono = np.zeros(0, np.float32)
    seconds: float = 0.0


class NonFiniteAudioError(AudioError):
    """A sample is NaN or infinite."""


class TooShortError(AudioError):
    """There is less audio than requested, or a span begins after the end."""


class DecodingError(AudioError):
    """A decoder failed for an unknown reason; `__cause__` is its exception."""


class DecodingLimitError(DecodingError):
    """Decoding took too long or too much memory, or ended the process in which it ran."""


_SAYS = {  # fault, wanted, remedy
    MissingFileError: ("cannot find", "a file", "check its name and whether its disk is connected"),
    UnreadableFileError: ("cannot read", "a readable file", "check its permissions and links"),
    NotAudioError: ("no audio in", "a format that libsndfile or FFmpeg decodes", "leave it out"),
    EmptyAudioError: ("nothing in", "audio", "download the file again, or leave it out"),
    TruncatedAudioError: ("cut short or damaged:", "the whole", "fetch or encode the file again"),
    NonFiniteAudioError: ("unusable samples in", "finite ones", "write it again from its source"),
    TooShortError: ("too little audio in", "more", "leave the file out, or ask for less"),
    DecodingError: ("cannot decode", "audio that its decoder understands", "encode it again"),
    DecodingLimitError: (
        "gave up decoding",
        "steady progress in bounded memory",
        "leave the file out, or raise GENRENET_DECODE_SECONDS or GENRENET_DECODE_MB",
    ),
}


def failure(kind: type[AudioError], path: Path, *texts: str, **more: Any) -> AudioError:
    """Return an error of a kind about a file: found, wanted (the kind's own text by default),
    extras.
    """
    fault, default, remedy = _SAYS[kind]
    found, wanted = (*texts, default)[:2]  # the kind's own text is the default
    error = kind(f"{fault} '{printable(path)}'", found=found, wanted=wanted, remedy=remedy)
    vars(error).update(more, path=path)
    return error


@contextmanager
def border(path: Path) -> Iterator[None]:
    """Convert any exception of a decoder for a file to an `AudioError` of that file.

    Raises
    ------
    AudioError
        Its `__cause__` is the original exception.
    """
    try:
        yield
    except AudioError:
        raise
    except MemoryError as error:
        raise failure(DecodingLimitError, path, "that its decoder wants too much memory") from error
    except OSError as error:  # of a disk or a network, not of the data
        raise failure(UnreadableFileError, path, error.strerror or str(error)) from error
    except Exception as error:
        found = f"{type(error).__name__} in the decoder"
        raise failure(DecodingError, path, found) from error
