"""Songs to rows, with every core or the graphics card busy: decoding and the network overlap.

Threads decode songs into frames, other threads turn frames into rows (scores, embeddings), and the
caller gets each song with its rows. Between them are short queues, so that memory grows neither
with the number of songs nor with their length. The heavy steps (codecs, resampling, FFT,
convolutions) leave Python's lock alone, so threads are enough and nothing is copied between
processes.

On a processor one frame at a time is scored by each of as many threads as there are cores: what is
between two steps of the network then stays in that core's cache, and no core waits for another. A
graphics card wants large batches of always the same shape: frames of several songs are put
together, and what is missing in the last batch is filled up. Either way a song's rows do not depend
on the songs around it.
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
"""Samples at once on a processor, where frames are that short: what is between two steps stays in
its caches, and a song's frames are enough pieces of work for all cores."""

ON_CARD = 64 * 349_440
"""Samples at once on a graphics card."""

Watch = Callable[[SongFrames, int, Tensor], None]
"""Called with a song, the number of a frame, and the rows from that frame on, as they are ready."""


@dataclass(frozen=True)
class Plan:
    """How the work is shared out.

    Attributes
    ----------
    decoders : int
        Threads that decode.
    workers : int
        Threads that run the network.
    threads : int
        Processor threads each of those uses.
    batch_frames : int
        Frames that go through the network at once.
    together : bool
        Whether batches are made of several songs, and always full.
    """

    decoders: int
    workers: int
    threads: int
    batch_frames: int
    together: bool

    @property
    def piece_frames(self) -> int:
        """Frames that are decoded before they are handed on."""
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
        Cores to use instead of all there are.
    batch_frames : int > 0, optional
        Frames at once, instead of `ON_CPU` samples on a processor and `ON_CARD` on a graphics card.
    of_network : int > 0, optional
        The same, where the network works on so many.

    Raises
    ------
    InferenceError
        Numbers out of range.
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
    """A song under way: its rows, and how many pieces of work are still to be done for it."""

    def __init__(self, number: int, frames: SongFrames) -> None:
        self.number, self.frames = number, frames
        self.rows: dict[int, Tensor] = {}
        self.pending = 1  # the decoding itself
        self.lock = threading.Lock()

    def less(self) -> bool:
        """Count one piece of work as done; True with the last."""
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
    """Some frames of a song, from its ``first`` on."""

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
    """Send songs through a network.

    Parameters
    ----------
    songs : iterable of SongFrames
        Not begun; taken when there is room for more.
    work : callable
        What the network does; called by several threads at once.
    device : str or torch.device
        Where ``work`` wants its frames.
    how : Plan
    ordered : bool
        Give songs in their order, or as they are done.
    watch : callable, optional
        Sees a song's rows long before the song is done, not always in order; called by several
        threads at once. What it raises ends the run.

    Yields
    ------
    song : SongFrames
        Used up.
    rows : Tensor, shape (frames, n)
        On the processor; (0, 0) where there were no frames.

    Raises
    ------
    Exception
        Whatever a thread raised: faults of files are in the songs instead.
    """
    run = _Run(work, torch.device(device), how, watch)
    try:
        atexit.register(run.stop)  # threads at work while the interpreter ends would abort it
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
        self.room = how.decoders + max(4, ahead)  # songs under way, those waiting their turn too
        self.songs: Channel[_Song] = Channel()
        self.pieces: Channel[_Piece] = Channel(ahead)
        self.done: Channel[_Song | BaseException] = Channel()
        self.threads: list[threading.Thread] = []
        self.began = {"decode": 0, "score": 0}
        self.n_pieces, self.ended = 0, False
        self.joining = threading.Lock()

    def _enough(self, job: Callable[[], None], work: int, most: int) -> None:
        """Start another thread for a job where there is work for more than have been started."""
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
        if threading.current_thread() not in self.threads:  # one of them may collect the garbage
            for thread in self.threads:
                thread.join()

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            compute_threads(self.how.threads)
            job()
        except BaseException as error:  # the caller's thread raises it
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
        """What a decoding thread does: songs to pieces."""
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
        """What a thread of the network does: pieces to rows."""
        with torch.inference_mode():
            while pieces := self._gather():
                lengths = [len(piece.frames) for piece in pieces]
                frames = torch.cat([piece.frames for piece in pieces])
                if self.how.together:
                    frames = _filled(frames, self.how.batch_frames)
                on_card = self.device.type == "cuda"  # others have no memory to pin
                frames = frames.pin_memory() if on_card else frames
                rows = self.work(frames.to(self.device, non_blocking=on_card))[: sum(lengths)].cpu()
                for piece, some in zip(pieces, rows.split(lengths), strict=True):
                    piece.song.rows[piece.first] = some
                    if self.watch is not None:
                        self.watch(piece.song.frames, piece.first, some)
                    self._less(piece.song)

    def _gather(self) -> list[_Piece]:
        """Return what goes through the network at once; nothing at the end."""
        piece = self.pieces.get()
        pieces = []
        while piece is not None:
            pieces.append(piece)
            if not self.how.together or len(pieces) == self.how.batch_frames:
                break
            piece = self.pieces.get(timeout=0.02)  # decoders at work have more in a moment
        return pieces

    def _less(self, song: _Song) -> None:
        if song.less():
            self.done.put(song)


def _filled(frames: Tensor, count: int) -> Tensor:
    """As many frames as ``count``: zeros behind those there are."""
    missing = frames.new_zeros(count - len(frames), frames.shape[1])
    return torch.cat([frames, missing]) if len(missing) else frames
