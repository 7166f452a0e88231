"""A song's genre as a stream of events, during the computation."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Generator
from typing import Any

from genrenet.data.catalog.tags import read_tags
from genrenet.data.coverage import heard_frames, heard_starts
from genrenet.inference.scorers import SongScorer
from genrenet.web.errors import RequestError
from genrenet.web.music_folder import in_background
from genrenet.web.request_queue import Turn
from genrenet.web.scoring import HEARTBEAT, Gone, Scoring, Song
from genrenet.web.waveform import peaks, seconds_per_peak

Event = dict[str, Any]
Events = Generator[Event, None, None]


def follow(scoring: Scoring, song: Song, model: str) -> Events:
    """Score a song and report progress.

    Parameters
    ----------
    scoring : Scoring
    song : Song
    model : str
        From `Scoring.model_named`.

    Returns
    -------
    generator of dict
        Events ``queued``, ``started``, ``waveform``, ``frames``, ``working``, and last ``result``,
        with a `SongResult` under ``song``, or ``error``, with an exception under ``fault`` if it is
        a bug. Close the generator to stop the work.

    Raises
    ------
    TooMany, NotUsable
        Immediately, not when the first event is requested.
    """
    live = _Live(scoring, song, model, scoring.length(song))
    events = live.events(scoring.turns.join())
    next(events)  # a generator that has not started would not release its turn
    return events


class _Live:
    """One song in progress: threads put events into an inbox, and a generator yields them."""

    def __init__(self, scoring: Scoring, song: Song, model: str, duration: float) -> None:
        self.scoring, self.song, self.model, self.duration = scoring, song, model, duration
        self.seconds_per_peak = seconds_per_peak(duration)
        self.inbox: queue.Queue[Event] = queue.Queue()
        self.left = threading.Event()

    def events(self, turn: Turn) -> Events:
        with turn:
            yield {"event": "working"}
            while not turn.begun:
                ahead = turn.ahead
                yield {"event": "queued", "ahead": ahead}
                for _ in range(round(HEARTBEAT / 0.25)):
                    if turn.wait(0.25) or turn.ahead != ahead:
                        break
            self.song.check()
            tags, _ = read_tags(self.song.file)
            yield {
                "event": "started",
                "path": self.song.name,
                "duration": self.duration,
                "title": tags.get("title"),
                "artist": tags.get("artist"),
                "seconds_per_peak": self.seconds_per_peak,
                "model": self.model,
            }
            threads = [
                in_background(self._outline, "genrenet-waveform"),
                in_background(self._score, "genrenet-scoring"),
            ]
            try:
                yield from self._inbox()
            finally:
                self.left.set()
                for thread in threads:
                    thread.join()

    def _inbox(self) -> Events:
        """Yield events until there is a result and the waveform is complete, or until an error."""
        outlined, last = False, None
        while not (outlined and last):
            try:
                event = self.inbox.get(timeout=HEARTBEAT)
            except queue.Empty:
                yield {
                    "event": "working"
                }  # a client that has left is noticed when it is written to
                continue
            if event["event"] == "outlined":
                outlined = True
            elif event["event"] == "result":
                last = event
            else:
                yield event
                if event["event"] == "error":
                    return
        yield last

    def _outline(self) -> None:
        first = 0
        # A file may be longer than its header says; its timeline is not.
        most = math.ceil(self.duration / self.seconds_per_peak) + 1
        try:
            for found in peaks(self.song.file, self.seconds_per_peak):
                part = found[: most - first]
                if self.left.is_set() or not part:
                    return
                self.inbox.put({"event": "waveform", "first": first, "peaks": part})
                first += len(part)
        finally:
            self.inbox.put({"event": "outlined"})

    def _score(self) -> None:
        done, lock = 0, threading.Lock()

        def watch(first: int, frames: list[dict[str, Any]]) -> None:
            nonlocal done
            with lock:
                done += len(frames)
                event = {"event": "frames", "first": first, "frames": frames}
                self.inbox.put({**event, "done": done, "total": total})

        try:
            total = self._expected()
            left = self.left.is_set
            result = self.scoring.score(self.song, self.model, left, watch, timeline=True)
            self.inbox.put({"event": "result", "song": result})
        except Gone:
            pass
        except RequestError as error:
            self.inbox.put({"event": "error", "status": error.status, "error": str(error)})
        except BaseException as error:
            self.inbox.put({"event": "error", "status": 500, "fault": error})

    def _expected(self) -> int | None:
        """Return how many frames the song will have; None for a model of whole songs."""
        scoring, model = self.scoring, self.scoring.models[self.model]
        if isinstance(model, SongScorer):
            return None
        settings = model.frames if scoring.trim is None else model.frames.with_trim(scoring.trim)
        heard = heard_frames(settings, scoring.frames_of(timeline=True))
        return len(heard_starts(round(self.duration * settings.sample_rate), settings, heard))
