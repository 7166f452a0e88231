"""Positions of frames, and aggregation of their scores."""

import numpy as np
import pytest
import torch

from genrenet.data.frames import (
    FrameError,
    FrameSettings,
    aggregate,
    all_frames,
    frame_starts,
    frame_statistics,
    random_start,
    song_scores,
    spread,
    usable_part,
)

RATE, FRAME = 12_000, 349_440


def test_frame_is_the_published_length():
    assert FrameSettings().n_samples == FRAME


@pytest.mark.parametrize(
    "seconds", [0.2, 10, 29.11, 29.12, 30, 45, 58.24, 60, 69.12, 99, 180, 3600]
)
@pytest.mark.parametrize("trim", [0.0, 5.0, 20.0])
def test_frames_lie_in_the_song_and_do_not_overlap(seconds, trim):
    settings, n = FrameSettings(trim=trim), round(seconds * RATE)
    starts = frame_starts(n, settings)
    assert len(starts) >= 1
    assert (np.diff(starts) == FRAME).all()
    if n >= FRAME:
        assert starts[0] >= 0
        assert starts[-1] + FRAME <= n
        # Nothing more would fit into the usable part.
        part = usable_part(n, settings)
        assert starts[-1] + 2 * FRAME > part.end
    else:
        assert starts.tolist() == [0]


def test_trim_drops_both_ends_of_a_whole_song():
    starts = frame_starts(180 * RATE, FrameSettings(trim=20.0))
    assert starts[0] == 20 * RATE
    assert len(starts) == 4  # 140 s hold four frames of 29.12 s


def test_short_songs_get_less_trim_and_say_so():
    part = usable_part(60 * RATE, FrameSettings(trim=20.0))
    assert part.shortened
    assert part.trim == pytest.approx((60 - 29.12) / 2)
    assert part.end - part.begin == FRAME
    assert not usable_part(180 * RATE, FrameSettings(trim=20.0)).shortened
    assert not usable_part(30 * RATE, FrameSettings(trim=0.0)).shortened


def test_random_crops_stay_inside_and_reach_both_ends():
    settings, rng = FrameSettings(trim=20.0), np.random.default_rng(0)
    n = 75 * RATE
    starts = [random_start(n, settings, rng) for _ in range(2000)]
    assert min(starts) >= 20 * RATE
    assert max(starts) + FRAME <= 55 * RATE
    assert max(starts) - min(starts) > 0.95 * (35 * RATE - FRAME)
    assert random_start(5 * RATE, settings, rng) == 0


def test_spread_takes_evenly():
    starts = np.arange(10)
    assert spread(starts, None).tolist() == list(range(10))
    assert spread(starts, 2).tolist() == [2, 7]
    assert spread(starts, 99).tolist() == list(range(10))
    with pytest.raises(FrameError):
        spread(starts, 0)


def test_mean_vote_and_geometric_differ_as_they_should():
    scores = torch.tensor([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.4, 0.6, 0.0]])
    assert song_scores(scores, "mean").argmax() == 0
    assert song_scores(scores, "vote").argmax() == 1
    veto = torch.tensor([[0.999999, 0.000001], [0.3, 0.7], [0.3, 0.7]])
    assert song_scores(veto, "mean").argmax() == 0
    assert song_scores(veto, "geometric").argmax() == 0
    veto = torch.tensor([[1e-6, 1 - 1e-6], [0.8, 0.2], [0.8, 0.2]])
    assert song_scores(veto, "mean").argmax() == 0
    assert song_scores(veto, "geometric").argmax() == 1


def test_vote_breaks_ties_by_the_mean_score():
    scores = torch.tensor([[0.51, 0.49, 0.0], [0.0, 0.9, 0.1]])
    assert song_scores(scores, "vote").argmax() == 1


@pytest.mark.parametrize("decision", ["mean", "vote", "geometric"])
def test_decisions_sum_to_one_and_do_not_depend_on_batches(decision):
    torch.manual_seed(0)
    scores = torch.randn(40, 6).softmax(-1)
    songs = torch.randint(0, 7, (40,))
    totals = torch.zeros(8, 3, 6).index_add_(0, songs, frame_statistics(scores))
    counts = torch.bincount(songs, minlength=8)
    decided = aggregate(totals, counts, decision)
    assert torch.allclose(decided[:7].sum(-1), torch.ones(7))
    assert decided[7].eq(0).all()
    for song in range(7):
        alone = song_scores(scores[songs == song], decision)
        assert torch.allclose(decided[song], alone, atol=1e-6)


def test_bad_settings_are_named():
    with pytest.raises(FrameError, match="trim -1"):
        FrameSettings(trim=-1)
    with pytest.raises(FrameError, match="median"):
        song_scores(torch.ones(1, 2), "median")


@pytest.mark.parametrize("trim", [0.0, 0.4, 20.0])
def test_frames_of_many_songs_are_those_of_each(trim):
    settings = FrameSettings(1.5, trim, 1000)
    lengths = np.array(
        [0, 1, 700, 1499, 1500, 1501, 2299, 2300, 2301, 3000, 41_499, 41_500, 90_000]
    )
    songs, starts = all_frames(lengths, settings)
    for song, length in enumerate(lengths):
        wanted = frame_starts(int(length), settings) if length else np.zeros(0)
        assert starts[songs == song].tolist() == wanted.tolist(), length
