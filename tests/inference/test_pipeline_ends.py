"""A pipeline that fails, is left early, or has little to do: all threads end."""

import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
import torch

from genrenet.inference.pipeline import Plan, through
from genrenet.inference.song_reader import SongFrames
from tests.helpers.pipelines import ONE, PLANS, TINY, loudness, songs_of
from tests.helpers.tones import RATE

pytestmark = pytest.mark.usefixtures("nothing_stays")


def test_faults_of_files_are_in_the_songs(how, tunes, tmp_path):
    (tmp_path / "text.wav").write_text("no music")
    soundfile.write(tmp_path / "silent.wav", np.zeros(2 * RATE), RATE)
    names = ["text.wav", "gone.wav", "silent.wav"]
    paths = [tunes[0], *(str(tmp_path / name) for name in names), tunes[1]]
    found = list(through(songs_of(paths, how), loudness, "cpu", how))
    assert [song.path for song, _ in found] == paths
    assert [len(rows) for _, rows in found] == [1, 0, 0, 0, 2]
    assert [bool(song.error) for song, _ in found] == [False, True, True, True, False]
    assert found[1][1].shape == (0, 0)


def test_songs_without_frames_alone(how, tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(30)]
    found = list(through(songs_of(paths, how), loudness, "cpu", how))
    assert [song.path for song, _ in found] == paths
    assert all("cannot find" in song.error for song, _ in found)


def test_no_songs_give_nothing(how):
    assert list(through([], loudness, "cpu", how)) == []


def test_nothing_is_begun_before_the_first_is_asked_for(how, tunes):
    taken = []
    found = through((taken.append(path) for path in tunes), loudness, "cpu", how)
    found.close()
    assert taken == []


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_the_network_raises_reaches_the_caller(kind, how, tunes):
    def work(frames):
        raise kind("of the network")

    with pytest.raises(kind, match="of the network"):
        list(through(songs_of(tunes * 9, how), work, "cpu", how))


def test_a_network_that_fails_late_has_given_what_came_before(tunes):
    songs, calls = songs_of(tunes * 3, ONE), []

    def work(frames):
        calls.append(len(frames))
        if len(calls) > 40:
            raise RuntimeError("out of memory")
        return loudness(frames)

    found = []
    with pytest.raises(RuntimeError, match="out of memory"):
        found.extend(through(songs, work, "cpu", ONE))
    assert len(calls) == 41


def test_bugs_of_decoders_reach_the_caller(how, tunes):
    songs = [*songs_of(tunes, how), SongFrames(None, TINY), *songs_of(tunes, how)]
    with pytest.raises(TypeError, match="NoneType"):
        list(through(songs, loudness, "cpu", how))


def test_what_names_the_songs_may_fail_too(how, tunes):
    def songs():
        yield from songs_of(tunes[:2], how)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(through(songs(), loudness, "cpu", how))


def test_rows_that_do_not_fit_the_frames_are_no_silent_loss(tunes):
    with pytest.raises(RuntimeError, match="split"):
        list(through(songs_of(tunes, ONE), lambda frames: frames[:0], "cpu", ONE))


@pytest.mark.parametrize("given", [1, 5])
def test_whoever_stops_early_waits_for_nothing_but_what_is_at_work(given, how, tunes):
    found = through((song for song in songs_of(tunes * 99, how)), loudness, "cpu", how)
    crew = set(threading.enumerate())
    assert len(list(itertools.islice(found, given))) == given
    at_work = {thread for thread in set(threading.enumerate()) - crew if "_guarded" in thread.name}
    assert 2 <= len(at_work) <= how.decoders + how.workers
    found.close()
    assert set(threading.enumerate()) == crew
    assert list(found) == []


def test_threads_that_wait_are_ended_too(tunes):
    """While the network is at its second song, decoders wait for room."""
    how, go, calls = Plan(3, 1, 1, 1, together=False), threading.Event(), []

    def work(frames):
        calls.append(frames)
        assert len(calls) == 1 or go.wait(30)
        return loudness(frames)

    found = through(songs_of(tunes[:1] * 99, how), work, "cpu", how, ordered=False)
    next(found)
    timer = threading.Timer(0.05, go.set)
    timer.start()
    found.close()
    timer.join()
    assert len(calls) < 99


def test_the_callers_threads_are_its_own_again_even_of_two_at_once(tunes):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        how = Plan(2, 2, 1, 1, together=False)
        one = through(songs_of(tunes, how), loudness, "cpu", how)
        two = through(songs_of(tunes, how), loudness, "cpu", how)
        next(one)
        next(two)
        assert len(list(one)) == len(list(two)) == 8
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_no_more_threads_than_there_is_work_for(tunes):
    begun = threading.active_count()
    most, later = [], []

    def work(frames):
        most.append(threading.active_count() - begun)
        fresh = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        fresh.start()
        fresh.join()
        return frames[:, :1]

    fresh = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    many = Plan(64, 64, 1, 4, together=False)
    assert len(list(through([SongFrames(tunes[2], TINY)], work, "cpu", many))) == 1
    assert max(most) <= 2  # one to decode, one to score three frames
    # What threads start with that others make meanwhile, and afterwards, stays as it was.
    fresh = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    fresh.start()
    fresh.join()
    assert len({*later}) == 1


def test_one_within_another(tunes):
    how, pairs = PLANS["few"], 0
    for outer, _ in through(songs_of(tunes, how), loudness, "cpu", how):
        for inner, rows in through(songs_of([outer.path], how), loudness, "cpu", how):
            assert inner.path == outer.path
            assert len(rows) == 2 * outer.duration
            pairs += 1
    assert pairs == 9


def test_a_program_may_end_in_the_middle(tunes):
    """Threads that are cut off in the middle of their work would abort the program."""
    program = """\
import sys
import torch
from genrenet.data.frames import FrameSettings
from genrenet.inference.pipeline import Plan, through
from genrenet.inference.song_reader import SongFrames

def work(frames):
    return frames @ torch.ones(frames.shape[1], 300)

how = Plan(2, 2, 1, 4, together=False)
songs = (SongFrames(path, FrameSettings(0.5, 0.0, 12_000), 4) for path in sys.argv[1:] * 500)
found = through(songs, work, "cpu", how)
print(next(found)[1].shape)
sys.exit(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *tunes], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "torch.Size([1, 300])\n", "")


def test_many_tiny_songs_never_wait_for_each_other(tunes, tmp_path):
    paths = [*tunes[:2], str(tmp_path / "gone.wav")]
    plans = [ONE, Plan(4, 1, 1, 1, False), Plan(1, 4, 1, 2, False), Plan(4, 1, 1, 3, True)]
    for how, ordered in itertools.product(plans, (True, False)):
        songs = songs_of(itertools.islice(itertools.cycle(paths), 200), how)
        found = list(through(songs, loudness, "cpu", how, ordered=ordered))
        assert len(found) == 200
        assert sum(len(rows) for _, rows in found) == 67 + 2 * 67


def test_many_short_runs(tunes):
    for turn in range(60):
        how = list(PLANS.values())[turn % len(PLANS)]
        found = through(songs_of(tunes[: turn % 4], how), loudness, "cpu", how)
        assert len(list(itertools.islice(found, turn % 3))) == min(turn % 3, turn % 4)
        found.close()
