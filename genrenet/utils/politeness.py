"""Background work with low priority, and pauses on battery or under load."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from contextlib import suppress

import psutil

BATTERY, LOAD = "battery", "load"


BUSY, CALM = 0.5, 0.3
"""Share of the cores used by other programs: above the first work pauses, below the second it
resumes."""

LOOK_SECONDS = 5.0


def be_nice(level: int) -> None:
    """Lower the priority of this process for CPU and disk.

    Call this before threads are started: on Linux they inherit the priority of the thread that
    starts them.

    Parameters
    ----------
    level : int, from 0 to 19
        As for ``nice``; from 10 on, the disk is only used while it is idle.
    """
    if sys.platform == "win32":
        kind = psutil.IDLE_PRIORITY_CLASS if level >= 10 else psutil.BELOW_NORMAL_PRIORITY_CLASS
        psutil.Process().nice(kind if level else psutil.NORMAL_PRIORITY_CLASS)
        return
    os.nice(max(0, level - os.nice(0)))
    if level >= 10 and sys.platform == "linux":
        with suppress(OSError, psutil.Error):  # not supported by every kernel and container
            psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


class Pauses:
    """Conditions under which work pauses.

    Parameters
    ----------
    kinds : collection of {"battery", "load"}
        On battery; while other programs use more than half of the cores (see `BUSY`).
    """

    def __init__(self, kinds: Collection[str] = ()) -> None:
        self.kinds = {*kinds}
        self._looked = -LOOK_SECONDS
        self._reason = ""
        self._former = _times()

    def reason(self) -> str:
        """Return why work should pause now; '' if it should not. Checks every few seconds."""
        if self.kinds and time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            self._reason = self._found()
        return self._reason

    def _found(self) -> str:
        if BATTERY in self.kinds and on_battery():
            return "on battery"
        if LOAD in self.kinds:
            now = _times()
            (all_before, own_before, at), (all_now, own_now, then) = self._former, now
            passed = then - at
            if passed < LOOK_SECONDS / 2:  # too short to measure
                return self._reason
            self._former = now
            others = (all_now - all_before) - (own_now - own_before)
            share = others / passed / (psutil.cpu_count() or 1)
            if share > (CALM if self._reason else BUSY):
                return "other programs are busy"
        return ""


def on_battery() -> bool:
    """Return whether this machine runs on its battery; False where it has none."""
    ask = getattr(psutil, "sensors_battery", None)  # not available on every system
    found = ask() if ask is not None else None
    return found is not None and found.power_plugged is False


def _times() -> tuple[float, float, float]:
    """Return the CPU seconds of all programs, those of this one with its children, and the time."""
    spent = psutil.cpu_times()
    kinds = ("user", "nice", "system", "irq", "softirq")
    own, me = 0.0, psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):
            own += sum(process.cpu_times()[:2])
    return sum(getattr(spent, kind, 0.0) for kind in kinds), own, time.monotonic()
