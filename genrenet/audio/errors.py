"""Named errors of audio files, each with its own words for what was wanted and what to do."""

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

    path: Path = ""  # set after construction: errors are unpickled from their message alone


class MissingFileError(AudioError):
    """There is no such file."""


class UnreadableFileError(AudioError):
    """The operating system does not give the file's bytes: a folder, permissions, a link loop."""


class NotAudioError(AudioError):
    """The file's content is no audio that any decoder knows."""


class EmptyAudioError(AudioError):
    """The file has no bytes, or its audio no samples."""


class TruncatedAudioError(AudioError):
    """The file ends before its header says, or what should follow is damaged.

    `samples`, shape (n,), float32, is what `load` could read, at the rate wanted; it is empty from
    `stream`, which has yielded it. `seconds` >= 0 is how much of the span that is.
    """

    samples: Mono = np.zeros(0, np.float32)
    seconds: float = 0.0


class NonFiniteAudioError(AudioError):
    """A sample is NaN or infinite."""


class TooShortError(AudioError):
    """There is less audio than was asked for, or a span begins after the end."""


class DecodingError(AudioError):
    """A decoder failed in a way that it does not explain; `__cause__` is what it raised."""


class DecodingLimitError(DecodingError):
    """Decoding took too long or too much memory, or ended the process that it ran in."""


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
    """Return an error of a kind about a file: found, wanted (the kind's own words by
    default), extras.
    """
    fault, default, remedy = _SAYS[kind]
    found, wanted = (*texts, default)[:2]  # the kind's own wording is the default
    error = kind(f"{fault} '{printable(path)}'", found=found, wanted=wanted, remedy=remedy)
    vars(error).update(more, path=path)
    return error


@contextmanager
def border(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises about a file into an `AudioError` of that file.

    Raises
    ------
    AudioError
        What was raised is its `__cause__`.
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
