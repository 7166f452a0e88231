"""The decoding process: it opens one file at a time and sends its samples.

It answers one request after the other and ends when the other side of its connection is gone. Where
the system supports it, it ends itself if a decoder never returns, and its memory is limited.
"""

from __future__ import annotations

import dataclasses
import gc
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from genrenet.audio.decoding import Opened
from genrenet.audio.errors import AudioError, Mono
from genrenet.audio.wire import Message, receive, send

_BEAT = 1.0  # seconds between heartbeats
_BATCH = 1 << 18  # samples in a message: each message costs a context switch


def main(link: socket.socket, seconds: float, megabytes: int) -> None:
    """Serve requests until the other side is gone.

    Parameters
    ----------
    link : socket
    seconds : float > 0
        Maximum time without progress of a decoder. The other side checks it too, unless it is gone.
    megabytes : int > 0
        Memory limit for data.
    """
    bound_memory(megabytes)
    gc.freeze()  # loaded modules are never collected, so that collection is fast
    last = 0.0

    def alarm(on: bool) -> None:
        if hasattr(signal, "alarm"):  # its default action ends a process whatever it is doing
            signal.alarm(math.ceil(seconds) + 5 if on else 0)

    def answer(message: Message | Mono) -> None:
        nonlocal last
        alarm(False)  # the other side may take any time
        send(link, message)
        last = time.monotonic()

    def beat() -> None:
        if time.monotonic() - last > _BEAT:
            answer({"kind": "alive"})
            alarm(True)

    file: Opened | None = None
    pieces: Iterator[Mono] = iter(())
    while isinstance(request := receive(link), dict):
        alarm(True)
        try:
            match request["do"]:
                case "open":
                    file = Opened(os.fsdecode(bytes.fromhex(request["path"])), beat)
                    answer({"kind": "opened"})
                case "info" if file is not None:
                    answer({"kind": "info", **dataclasses.asdict(file.info())})
                case "read" | "next" if file is not None:
                    if request["do"] == "read":
                        span = request["rate"], request["offset"], request["duration"]
                        pieces = _batches(file.pieces(*span), beat)
                    answer(next(pieces, {"kind": "end", "notes": file.notes}))
                case "close":
                    pieces = iter(())
                    if file is not None:
                        file.close()
                        file = None
                    answer({"kind": "closed"})
                    gc.collect()  # decoders in reference cycles keep their threads
        except AudioError as error:
            cause = error.__cause__
            answer(
                {
                    "kind": type(error).__name__,
                    "texts": [error.found, error.wanted],
                    "more": {"seconds": error.seconds} if hasattr(error, "seconds") else {},
                    "cause": "" if cause is None else f"{type(cause).__name__}: {cause}",
                }
            )


def _batches(pieces: Iterator[Mono], beat: Callable[[], None]) -> Iterator[Mono]:
    """Join pieces to few messages; the first is sent at once, and all of them before an error."""
    some, held, least, fault = list[Mono](), 0, 1, None
    try:
        for piece in pieces:
            some.append(piece)
            held += len(piece)
            if held >= least:
                yield np.concatenate(some)
                some, held, least = [], 0, _BATCH
            else:
                beat()
    except AudioError as error:
        fault = error
    if held:
        yield np.concatenate(some)
    if fault is not None:
        raise fault


def bound_memory(megabytes: int) -> None:
    """Limit the memory for data of this process, if the system supports it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        limit = megabytes << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
