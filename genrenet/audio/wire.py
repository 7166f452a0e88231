"""Messages between a program and its decoding process: JSON, and raw samples.

Nothing is unpickled: a decoder compromised by a malicious file can only send wrong samples.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from genrenet.audio.errors import Mono

Message = dict[str, Any]

_HEAD = struct.Struct("<?Q")  # whether samples follow, and how many bytes
_LARGEST = 1 << 31


def send(link: socket.socket, message: Message | Mono) -> None:
    """Send a message or samples.

    Raises
    ------
    OSError
        The other side is gone, or accepts nothing for longer than the socket's time limit.
    """
    if isinstance(message, dict):
        data: bytes | memoryview = json.dumps(message).encode()
        link.sendall(_HEAD.pack(False, len(data)) + data)
    else:
        link.sendall(_HEAD.pack(True, message.nbytes))
        link.sendall(np.ascontiguousarray(message, "<f4").data.cast("B"))


def receive(link: socket.socket) -> Message | Mono | None:
    """Wait for a message or samples; None once the other side is gone.

    Raises
    ------
    OSError
        Nothing came for longer than the socket's time limit, or the link broke.
    """
    head = np.empty(_HEAD.size, np.uint8)
    if not _filled(link, head):
        return None
    samples, size = _HEAD.unpack(head.tobytes())
    data = np.empty(min(size, _LARGEST), np.uint8)
    if not _filled(link, data):
        return None
    if samples:
        return data.view("<f4")
    message: Message = json.loads(data.tobytes())
    return message


def _filled(link: socket.socket, data: npt.NDArray[np.uint8]) -> bool:
    view = data.data
    while len(view):
        count = link.recv_into(view)
        if not count:
            return False
        view = view[count:]
    return True
