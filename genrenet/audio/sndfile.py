"""Decode files with libsndfile."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import soundfile as sf

from genrenet.audio.downmix import Block
from genrenet.audio.errors import Path

# libsndfile's log of sizes that are wrong. Programs that write to a pipe set a huge one on purpose.
_REPAIRED = re.compile(r"(?:data|SSND|Data Size|Riff size|riff) +: (\d+) \(should be (\d+)\)")
_HUGE_SIZE, _HUGE_FRAMES = 0x7FFF0000, 1 << 62
_BLOCK = 1 << 17  # values


class SoundFileTrack:
    """A file opened with libsndfile. Its seeks are exact to the sample in every format.

    Raises
    ------
    soundfile.LibsndfileError, TypeError
        It cannot be opened; TypeError where its name ends in .raw.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.position, self.backend = path, 0, "soundfile"
        name = os.fsencode(path) if os.name == "posix" else os.fspath(path)  # any bytes are valid
        self._file = file = sf.SoundFile(name)
        self.close, self.format = file.close, f"{file.format} {file.subtype}"
        self.rate, self.channels, self.frames = file.samplerate, file.channels, file.frames
        # After a crash of the writing program the length is 0, from a pipe unknown.
        self.known = 0 < self.frames < _HUGE_FRAMES
        self.promised = self.length = float(self.frames / self.rate)
        # libsndfile silently repairs the header of a truncated file; only its log shows it.
        for wanted, found in _REPAIRED.findall(file.extra_info):
            if 0 < int(found) < int(wanted) < _HUGE_SIZE:
                self.promised = self.length * int(wanted) / int(found)
        if "lacks an end-of-stream bit" in file.extra_info:  # Ogg does not say how much is missing
            self.promised = math.inf

    def seek(self, start: int) -> bool:
        """Seek to `start`; this may fail for a truncated FLAC."""
        with suppress(sf.LibsndfileError):
            wanted = min(start, self.frames)
            self.position = self._file.seek(wanted)
            return bool(self.position == wanted)
        return False

    def blocks(self) -> Iterator[Block]:
        """Yield samples from `position` on, to the last that can be read; all blocks share one
        buffer.
        """
        buffer = np.empty((max(1024, _BLOCK // self.channels), self.channels), np.float32)
        count = 1
        while count:  # a damaged page ends a read, but not the file
            with suppress(sf.LibsndfileError):  # samples before the damage are in the buffer
                self._file.read(out=buffer)
            count = max(0, self._file.tell() - self.position)
            self.position += count
            yield buffer[:count]
