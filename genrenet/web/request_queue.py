"""A queue of songs: a few are scored at once, others wait, up to a limit."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType

from genrenet.web.errors import Ending, TooMany


class Turns:
    """A queue with a number of slots.

    Parameters
    ----------
    at_once : int > 0
        Songs that are scored at the same time.
    limit : int >= 0
        Maximum number of waiting songs.
    """

    def __init__(self, at_once: int, limit: int) -> None:
        self.at_once, self.limit = at_once, limit
        self._running = 0
        self._waiting: deque[Turn] = deque()
        self._lock = threading.Lock()
        self._ended = False

    @property
    def running(self) -> int:
        """Number of songs in progress."""
        return self._running

    @property
    def waiting(self) -> int:
        """Number of songs in the queue."""
        return len(self._waiting)

    def join(self) -> Turn:
        """Join the queue; use the result in a ``with`` statement.

        Raises
        ------
        TooMany
            The queue is full.
        Ending
            The server is being stopped.
        """
        self.check()
        with self._lock:
            if len(self._waiting) >= self.limit and self._running >= self.at_once:
                raise TooMany(
                    "too many songs at once",
                    found=f"{self._running} at work and {len(self._waiting)} waiting",
                    remedy="try again in a moment",
                )
            turn = Turn(self)
            self._waiting.append(turn)
            self._advance()
            return turn

    def close(self) -> None:
        """Reject all waiting songs, and all later ones."""
        with self._lock:
            self._ended = True
            while self._waiting:
                self._waiting.popleft().come.set()

    def check(self) -> None:
        """Raise `Ending` if the queue has been closed."""
        if self._ended:
            raise Ending("the server is being stopped", remedy="try again later")

    def _advance(self) -> None:
        while self._waiting and self._running < self.at_once:
            self._running += 1
            turn = self._waiting.popleft()
            turn.begun = True
            turn.come.set()  # wakes only this one, however many wait

    def _leave(self, turn: Turn) -> None:
        with self._lock:
            if turn.begun:
                self._running -= 1
            elif turn in self._waiting:
                self._waiting.remove(turn)
            self._advance()

    def _ahead(self, turn: Turn) -> int:
        with self._lock:
            if turn not in self._waiting:
                return 0
            return self._running + self._waiting.index(turn)


class Turn:
    """One song's place in the queue, released at the end of a ``with`` statement.

    Attributes
    ----------
    begun : bool
        Whether its turn has come.
    come : threading.Event
        Set when it has, or when the queue is closed.
    """

    def __init__(self, turns: Turns) -> None:
        self.turns, self.come, self.begun = turns, threading.Event(), False

    def wait(self, timeout: float) -> bool:
        """Wait for the turn, for a number of seconds at most; return whether it has come.

        Raises
        ------
        Ending
            The server is being stopped.
        """
        self.come.wait(timeout)
        if not self.begun:
            self.turns.check()
        return self.begun

    @property
    def ahead(self) -> int:
        """Number of songs ahead in the queue."""
        return self.turns._ahead(self)

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.turns._leave(self)
