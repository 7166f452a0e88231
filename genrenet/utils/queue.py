"""A queue between threads that can be closed: `queue.Queue` learnt that in Python 3.13 only."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """A queue between threads that can be closed, which wakes the threads that wait at it.

    Parameters
    ----------
    capacity : int, optional
        Most items in it; no limit by default.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._items: deque[T] = deque()
        self._closed = False
        self._capacity = math.inf if capacity is None else capacity
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Wait while it is full, then put an item in; False where the channel has been closed."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()
            return not self._closed

    def get(self, timeout: float | None = None) -> T | None:
        """Wait for an item; None where the channel has been closed, or nothing came in time."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._items and not self._closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            if self._closed:
                return None
            self._changed.notify_all()
            return self._items.popleft()

    def close(self) -> None:
        """Let nobody wait any longer; what is in it is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
