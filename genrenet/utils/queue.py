"""A queue between threads that can be closed: `queue.Queue` has this only from Python 3.13."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """A queue between threads that can be closed, which wakes the waiting threads.

    Parameters
    ----------
    capacity : int, optional
        Maximum number of items; no limit by default.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._items: deque[T] = deque()
        self._closed = False
        self._capacity = math.inf if capacity is None else capacity
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Wait while it is full, then put an item in; False if the channel has been closed."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()
            return not self._closed

    def get(self, timeout: float | None = None) -> T | None:
        """Wait for an item; return None if the channel has been closed, or after the time limit."""
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
        """Wake all waiting threads; remaining items are lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
