"""How much of a song is heard to name its genre; torch is not needed to say so."""

from __future__ import annotations

from typing import Literal

Heard = int | Literal["all", "whole"]
"""Frames that are heard: no more than so many, evenly spread; ``all``, one after another; or
``whole``, those that networks are trained and judged on."""

TRIM_SHARE = 0.1
"""Of a song's length, most that is dropped at either end, however much the settings say."""

HEARD_SECONDS = 30.0
"""Frames of so many seconds together are heard where nothing is said of their number."""

LEAST = 2
"""Frames that are heard at least where nothing is said of their number."""

COVERAGE = f"{HEARD_SECONDS:g} s or {LEAST} frames, trim {TRIM_SHARE:g}"
"""Says how songs are covered, for what is kept of them: others are not compared with them."""
