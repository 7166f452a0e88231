"""The choice of a song's frames in inference."""

import numpy as np
import pytest

from genrenet.data.coverage import (
    HEARD_SECONDS,
    LEAST,
    TRIM_SHARE,
    heard_frames,
    heard_part,
    heard_starts,
)
from genrenet.data.frames import FrameError, FrameSettings, frame_starts

RATE = 1_000
SETTINGS = FrameSettings(3.0, 20.0, RATE)


@pytest.mark.parametrize("seconds", [0.5, 3.0, 7.28, 10.0, 29.12, 60.0])
def test_half_a_minute_is_heard_by_default(seconds):
    count = heard_frames(FrameSettings(seconds))
    assert count >= LEAST
    assert count * seconds >= HEARD_SECONDS
    assert count == LEAST or (count - 1) * seconds < HEARD_SECONDS


def test_what_is_asked_for_is_kept_and_nonsense_named():
    assert [heard_frames(SETTINGS, frames) for frames in (1, 7, "all", "whole")] == [
        1,
        7,
        "all",
        "whole",
    ]
    for wrong in (0, -1, "some", 2.5):
        with pytest.raises(FrameError, match="wanted at least 1, or 'all'"):
            heard_frames(SETTINGS, wrong)


@pytest.mark.parametrize("seconds", [0.4, 3.0, 3.2, 10.0, 60.0, 200.0, 4000.0])
@pytest.mark.parametrize("trim", [0.0, 1.0, 20.0])
def test_the_trim_is_a_share_of_the_song_and_leaves_a_frame(seconds, trim):
    n = round(seconds * RATE)
    part = heard_part(n, SETTINGS.with_trim(trim))
    assert part.begin == n - part.end <= min(trim * RATE, TRIM_SHARE * n)
    assert part.end - part.begin >= min(n, SETTINGS.n_samples)
    if n * (1 - 2 * TRIM_SHARE) >= SETTINGS.n_samples:
        assert part.begin >= min(trim * RATE, TRIM_SHARE * n) - 1


@pytest.mark.parametrize("seconds", [1.0, 3.0, 5.0, 17.0, 60.0, 200.0])
@pytest.mark.parametrize("frames", [2, 5, 10, 1000, "all"])
def test_frames_reach_from_the_beginning_to_the_end(seconds, frames):
    n, size = round(seconds * RATE), SETTINGS.n_samples
    part, starts = heard_part(n, SETTINGS), heard_starts(n, SETTINGS, frames)
    assert starts[0] == part.begin
    assert starts[-1] == max(part.begin, part.end - size)
    assert frames == "all" or len(starts) <= frames
    steps = np.diff(starts)
    assert (steps > 0).all()
    if frames == "all":
        assert (steps[:-1] == size).all()
        assert (steps <= size).all()
    else:
        assert len(steps) == 0 or np.ptp(steps) <= 1  # evenly spread
        covered = frames * size >= part.end - part.begin
        assert not covered or (steps <= size).all()


def test_an_excerpt_is_heard_in_overlapping_frames_and_one_frame_is_the_middle():
    settings = FrameSettings(10.0, 0.0, RATE)
    assert heard_starts(16 * RATE, settings, 3).tolist() == [0, 6 * RATE]
    assert heard_starts(16 * RATE, settings, 1).tolist() == [3 * RATE]


def test_whole_frames_are_those_of_training():
    for seconds in (1, 60, 200):
        found = heard_starts(seconds * RATE, SETTINGS, "whole")
        assert found.tolist() == frame_starts(seconds * RATE, SETTINGS).tolist()
