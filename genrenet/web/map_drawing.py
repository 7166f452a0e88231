"""The map of a library, computed in the background when it is first requested."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from genrenet.library.similarity import Floats
from genrenet.library.song_map import song_map, with_places
from genrenet.utils.hardware import give_back_memory, step_back
from genrenet.web.music_folder import in_background


class MapDrawing:
    """Positions of songs on a map; see `genrenet.library.song_map.song_map`.

    Parameters
    ----------
    vectors : ndarray of float32, shape (songs, features)
        Unit vectors.
    on_fault : callable
        Called with an error.
    former : callable, optional
        Called before the map is computed. It returns positions to keep, of shape (songs, 2), NaN
        for new songs; or None.

    Attributes
    ----------
    state : {"waiting", "drawing", "ready", "failed"}
    places : ndarray of float32, shape (songs, 2), or None
        From -1 to 1, when it is ready.
    """

    def __init__(
        self,
        vectors: Floats,
        on_fault: Callable[[Exception], None],
        former: Callable[[], Floats | None] | None = None,
    ) -> None:
        self._vectors, self._on_fault, self._former = vectors, on_fault, former
        self.state: Literal["waiting", "drawing", "ready", "failed"] = "waiting"
        self.places: Floats | None = None
        self._began = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start computing the map, unless it has been started."""
        with self._lock:
            if self.state == "waiting":
                self.state, self._began = "drawing", time.monotonic()
                self._thread = in_background(self._draw, "genrenet-map")

    @property
    def begun(self) -> bool:
        """Whether the map has been requested."""
        return self._thread is not None

    def told(self) -> dict[str, Any]:
        """Return ``state``, the number of ``songs``, and the ``seconds`` since the start."""
        seconds = round(time.monotonic() - self._began, 1) if self._began else 0.0
        return {"state": self.state, "songs": len(self._vectors), "seconds": seconds}

    def wait(self, timeout: float | None = None) -> None:
        """Wait until a map that was started is ready."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _draw(self) -> None:
        step_back()
        try:
            known = None if self._former is None else self._former()
            if known is None:
                self.places = song_map(self._vectors)
            else:
                self.places = with_places(known, self._vectors)
            self.state = "ready"
        except Exception as error:  # the lists of similar songs work without a map
            self.state = "failed"
            self._on_fault(error)
        self._former = None  # frees its memory
        give_back_memory()
