"""Open a file with libsndfile or FFmpeg, as a track of blocks at the file's own rate."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

import av
import soundfile as sf

from genrenet.audio.errors import (
    AudioError,
    EmptyAudioError,
    MissingFileError,
    NotAudioError,
    Path,
    TruncatedAudioError,
    UnreadableFileError,
    failure,
)
from genrenet.audio.ffmpeg import AVTrack, ChainedTrack
from genrenet.audio.joined import parts
from genrenet.audio.sndfile import SoundFileTrack

Track: TypeAlias = "SoundFileTrack | AVTrack | ChainedTrack"

# First bytes of known files; those in the group are for libsndfile.
_MAGIC = re.compile(
    rb"(?s)(RIF[FX]|RF64|riff|FORM|\.snd|caff|fLaC|OggS)|....ftyp|\x1aE\xdf\xa3|0&\xb2u|wvpk|MAC "
)


def open_track(path: Path, beat: Callable[[], None] = lambda: None) -> Track:
    """Open a file with the backend that reads it, or raise an error if none does."""
    try:
        if os.stat(path) and not os.path.isfile(path):  # opening a pipe would wait for its writer
            raise OSError("a folder, a device or a pipe")
        with open(path, "rb") as file:
            head = file.read(64)
            chain = parts(file)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        found = getattr(error, "strerror", None) or str(error)
        raise failure(MissingFileError if missing else UnreadableFileError, path, found) from error
    if not head:
        raise failure(EmptyAudioError, path, "0 bytes")
    known = _MAGIC.match(head)
    kind: type[AudioError] = TruncatedAudioError if known else NotAudioError
    found = "a header but no sound that can be read" if known else f"what begins {head[:24]!r}"
    with suppress(av.FFmpegError):
        if len(chain) > 1:
            return ChainedTrack(path, chain, beat)
    # libsndfile ends some valid Opus early.
    if known and known[1] and b"OpusHead" not in head:
        with suppress(sf.LibsndfileError, TypeError):
            track = SoundFileTrack(path)
            if track.known:
                return track
            kind, found = EmptyAudioError, "0 samples"
            track.close()
    try:
        return AVTrack(path, beat=beat)
    except av.FFmpegError as error:
        raise failure(kind, path, found) from error
