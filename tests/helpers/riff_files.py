"""WAV files written chunk by chunk, for headers that no library writes."""

import struct
from pathlib import Path

from tests.helpers.audio_files import signal


def chunk(name: bytes, data: bytes, order: str = "<") -> bytes:
    return name + struct.pack(order + "I", len(data)) + data + bytes(len(data) % 2)


def riff(path: Path, before: bytes = b"", behind: bytes = b"", size: int | None = None) -> Path:
    sound = (0.3 * signal(1.0, 8000, 1)[:, 0] * 32768).astype("<i2").tobytes()
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16))
    data = b"data" + struct.pack("<I", len(sound) if size is None else size) + sound
    body = b"WAVE" + form + before + data + behind
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path
