"""Run songs through a network with all cores or the GPU busy: decoding and inference overlap.

Threads decode songs into frames, other threads turn frames into rows (scores, embeddings), and the
caller gets each song with its rows. Between them are short queues, so memory grows neither with the
number of songs nor with their length. The heavy steps (codecs, resampling, FFT, convolutions)
release the GIL, so threads suffice and nothing is copied between processes.

On a CPU there is one thread per core, and each scores one frame at a time: the activations between
two layers then stay in that core's cache, and no core waits for another. A GPU needs large batches
of a fixed shape: frames of several songs are batched together, and the last batch is padded. In
both cases a song's rows do not depend on the songs around it.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genrenet.data.frames import FrameSettings
from genrenet.inference.song_reader import InferenceError, SongFrames
from genrenet.utils.hardware import compute_threads, cores
from genrenet.utils.queue import Channel

Work = Callable[[Tensor], Tensor]
"""Frames of shape (batch, samples) on the device to rows of shape (batch, n)."""

ON_CPU = 96_000
"""Samples per batch on a CPU, for short frames: activations stay in the caches, and a song's frames
are enough pieces of work for all cores."""

ON_CARD = 64 * 349_440
"""Samples per batch on a GPU."""

Watch = Callable[[SongFrames, int, Tensor], None]
"""Called with a song, the number of a frame, and the rows from that frame on, when computed."""


@dataclass(frozen=True)
class Plan:
    """How the work is divided among threads.

    Attributes
    ----------
    decoders : int
        Threads that decode.
    workers : int
        Threads that run the network.
    threads : int
        CPU threads that each worker uses.
    batch_frames : int
        Frames that go through the network at once.
    together : bool
        Whether a batch holds frames of several songs, and is always full.
    """

    decoders: int
    workers: int
    threads: int
    batch_frames: int
    together: bool

    @property
    def piece_frames(self) -> int:
        """Number of frames that are decoded before they are handed on."""
        return 1 if self.together else self.batch_frames


def plan(
    device: str | torch.device,
    settings: FrameSettings,
    *,
    workers: int | None = None,
    batch_frames: int | None = None,
    of_network: int | None = None,
) -> Plan:
    """Choose how the work is divided on this machine.

    Parameters
    ----------
    device : str or torch.device
        Where the network runs.
    settings : FrameSettings
    workers : int > 0, optional
        Number of cores to use, instead of all.
    batch_frames : int > 0, optional
        Frames per batch, instead of `ON_CPU` samples on a CPU and `ON_CARD` on a GPU.
    of_network : int > 0, optional
        The same, for a network with a batch size of its own.

    Raises
    ------
    InferenceError
        A number is out of range.
    """
    if (workers is not None and workers < 1) or (batch_frames is not None and batch_frames < 1):
        raise InferenceError("workers and batch_frames", wanted="at least 1")
    use = workers or cores()
    on_cpu = torch.device(device).type == "cpu"
    samples = ON_CPU if on_cpu else ON_CARD
    frames = batch_frames or of_network or max(1, round(samples / settings.n_samples))
    if on_cpu:
        return Plan(use, use, 1, frames, together=False)
    return Plan(use, 1, use, frames, together=True)


class _Song:
    """A song in progress: its rows, and the number of pieces of work still to be done for it."""

    def __init__(self, number: int, frames: SongFrames) -> None:
        self.number, self.frames = number, frames
        self.rows: dict[int, Tensor] = {}
        self.pending = 1  # the decoding itself
        self.lock = threading.Lock()

    def less(self) -> bool:
        """Count one piece of work as done; return True with the last."""
        with self.lock:
            self.pending -= 1
            return not self.pending

    def more(self) -> None:
        with self.lock:
            self.pending += 1

    def joined(self) -> Tensor:
        rows = [self.rows[i] for i in sorted(self.rows)]
        return torch.cat(rows) if rows else torch.zeros(0, 0)


@dataclass
class _Piece:
    """Consecutive frames of a song, the first of them numbered ``first``."""

    song: _Song
    first: int
    frames: Tensor


def through(
    songs: Iterable[SongFrames],
    work: Work,
    device: str | torch.device,
    how: Plan,
    *,
    ordered: bool = True,
    watch: Watch | None = None,
) -> Iterator[tuple[SongFrames, Tensor]]:
    """Run songs through a network.

    Parameters
    ----------
    songs : iterable of SongFrames
        Not yet started; taken from the iterable when the queue has space.
    work : callable
        Runs the network on a batch of frames; called by several threads at once.
    device : str or torch.device
        Where ``work`` expects its frames.
    how : Plan
    ordered : bool
        Give songs in their order, or as soon as they are done.
    watch : callable, optional
        Receives a song's rows before the song is done, not always in order; called by several
        threads at once. An exception that it raises ends the run.

    Yields
    ------
    song : SongFrames
        With all its frames read.
    rows : Tensor, shape (frames, n)
        On the CPU; (0, 0) where there were no frames.

    Raises
    ------
    Exception
        Whatever a thread raised. Errors of files are recorded in the songs instead.
    """
    run = _Run(work, torch.device(device), how, watch)
    try:
        atexit.register(run.stop)  # a thread still running at interpreter exit would abort it
        yield from run.results(iter(songs), ordered)
    finally:
        run.stop()


class _Run:
    """One run of songs through a network: the threads, and the channels between them."""

    def __init__(
        self, work: Work, device: torch.device, how: Plan, watch: Watch | None = None
    ) -> None:
        self.work, self.device, self.how, self.watch = work, device, how, watch
        ahead = 2 * (how.batch_frames if how.together else how.workers)
        self.room = how.decoders + max(4, ahead)  # songs in progress, also those waiting
        self.songs: Channel[_Song] = Channel()
        self.pieces: Channel[_Piece] = Channel(ahead)
        self.done: Channel[_Song | BaseException] = Channel()
        self.threads: list[threading.Thread] = []
        self.began = {"decode": 0, "score": 0}
        self.n_pieces, self.ended = 0, False
        self.joining = threading.Lock()

    def _enough(self, job: Callable[[], None], work: int, most: int) -> None:
        """Start another thread for a job if there is more work than threads started."""
        name = job.__name__
        with self.joining:
            if self.ended or self.began[name] >= min(work, most):
                return
            self.began[name] += 1
            self.threads.append(threading.Thread(target=self._guarded, args=(job,), daemon=True))
            self.threads[-1].start()

    def stop(self) -> None:
        atexit.unregister(self.stop)
        with self.joining:
            self.ended = True
        for channel in (self.songs, self.pieces, self.done):
            channel.close()
        if threading.current_thread() not in self.threads:  # the garbage collector may run in one
            for thread in self.threads:
                thread.join()

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            compute_threads(self.how.threads)
            job()
        except BaseException as error:  # raised again in the caller's thread
            self.done.put(error)

    def results(
        self, songs: Iterator[SongFrames], ordered: bool
    ) -> Iterator[tuple[SongFrames, Tensor]]:
        taken, given, more = 0, 0, True
        early: dict[int, _Song] = {}
        while True:
            while more and taken - given < self.room:
                following = next(songs, None)
                more = following is not None
                if following is not None:
                    self.songs.put(_Song(taken, following))
                    taken += 1
                    self._enough(self.decode, taken - given, self.how.decoders)
            if given == taken:
                return
            found = self.done.get()
            if isinstance(found, BaseException):
                raise found
            assert found is not None  # only `stop` closes the channel
            early[found.number] = found
            number = given if ordered else found.number
            while (song := early.pop(number, None)) is not None:
                given, number = given + 1, number + 1
                yield song.frames, song.joined()

    def decode(self) -> None:
        """Decode songs into pieces; the body of a decoding thread."""
        while (song := self.songs.get()) is not None:
            first = 0
            for batch in song.frames.batches():
                song.more()
                with self.joining:
                    self.n_pieces += 1
                self._enough(self.score, self.n_pieces, self.how.workers)
                if not self.pieces.put(_Piece(song, first, batch)):
                    return
                first += len(batch)
            self._less(song)

    def score(self) -> None:
        """Turn pieces into rows; the body of a network thread."""
        with torch.inference_mode():
            while pieces := self._gather():
                lengths = [len(piece.frames) for piece in pieces]
                frames = torch.cat([piece.frames for piece in pieces])
                if self.how.together:
                    frames = _filled(frames, self.how.batch_frames)
                on_card = self.device.type == "cuda"  # other devices have no memory to pin
                frames = frames.pin_memory() if on_card else frames
                rows = self.work(frames.to(self.device, non_blocking=on_card))[: sum(lengths)].cpu()
                for piece, some in zip(pieces, rows.split(lengths), strict=True):
                    piece.song.rows[piece.first] = some
                    if self.watch is not None:
                        self.watch(piece.song.frames, piece.first, some)
                    self._less(piece.song)

    def _gather(self) -> list[_Piece]:
        """Return the pieces of the next batch; nothing at the end."""
        piece = self.pieces.get()
        pieces = []
        while piece is not None:
            pieces.append(piece)
            if not self.how.together or len(pieces) == self.how.batch_frames:
                break
            piece = self.pieces.get(timeout=0.02)  # running decoders deliver more shortly
        return pieces

    def _less(self, song: _Song) -> None:
        if song.less():
            self.done.put(song)


def _filled(frames: Tensor, count: int) -> Tensor:
    """Pad a batch with zero frames up to ``count``."""
    missing = frames.new_zeros(count - len(frames), frames.shape[1])
    return torch.cat([frames, missing]) if len(missing) else frames
