"""How much of a song is used in inference, without importing torch."""

from __future__ import annotations

from typing import Literal

Heard = int | Literal["all", "whole"]
"""Frames that are used: at most this number, evenly spread; ``all``, one after another; or
``whole``, the frames that networks are trained and evaluated on."""

TRIM_SHARE = 0.1
"""Maximum share of a song's length that is dropped at either end, whatever the settings say."""

HEARD_SECONDS = 30.0
"""Total length of the frames used by default, in seconds."""

LEAST = 2
"""Minimum number of frames used by default."""

COVERAGE = f"{HEARD_SECONDS:g} s or {LEAST} frames, trim {TRIM_SHARE:g}"
"""Identifier of the coverage, stored with results: different ones are not compared."""
