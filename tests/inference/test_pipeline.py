"""Songs through a network: every song once, in order, the same rows always, and no loose ends."""

import itertools
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
import torch

from genrenet.data.frames import FrameSettings
from genrenet.inference.pipeline import Plan, plan, through
from genrenet.inference.song_reader import InferenceError, SongFrames
from genrenet.models.checkpoints import load_model
from genrenet.models.optimised import optimised
from tests.helpers.tones import RATE, tone

SETTINGS = FrameSettings(1.5, 0.0, RATE)
TINY = FrameSettings(0.5, 0.0, RATE)
ONE = Plan(1, 1, 1, 1, together=False)
PLANS = {
    "one": ONE,
    "few": Plan(2, 2, 1, 3, together=False),
    "many": Plan(5, 4, 1, 2, together=False),
    "card": Plan(3, 1, 2, 4, together=True),
    "wide card": Plan(2, 1, 1, 32, together=True),
}


@pytest.fixture(params=PLANS.values(), ids=PLANS)
def how(request):
    return request.param


@pytest.fixture(autouse=True)
def nothing_stays():
    """Whatever happened: no thread is left, and the caller has its processor threads again."""
    crew, count = set(threading.enumerate()), torch.get_num_threads()
    yield
    assert set(threading.enumerate()) <= crew
    assert torch.get_num_threads() == count


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """Songs of 1 to 9 half seconds, each with a sound of its own."""
    folder = tmp_path_factory.mktemp("tunes")
    for i in range(9):
        soundfile.write(folder / f"{i}.wav", tone(100 * (i + 2), (i + 1) / 2, seed=i), RATE)
    return [str(folder / f"{i}.wav") for i in range(9)]


@pytest.fixture(scope="module")
def model(checkpoint):
    return optimised(load_model(checkpoint), "32")


def songs_of(paths, how, settings=TINY):
    return [SongFrames(path, settings, how.piece_frames) for path in paths]


def loudness(frames):
    """A network of which every row is known: the frame's first samples, and its power."""
    return torch.cat([frames[:, :3], frames.square().sum(dim=1, keepdim=True)], dim=1)


def known(path):
    wave = soundfile.read(path, dtype="float32")[0]
    return loudness(torch.from_numpy(wave.reshape(-1, TINY.n_samples)))


def test_songs_come_in_order_with_their_own_rows(how, tunes):
    given = songs_of(tunes * 3, how)
    found = list(through(iter(given), loudness, "cpu", how))
    assert [song for song, _ in found] == given
    for song, rows in found:
        torch.testing.assert_close(rows, known(song.path))
        assert song.error is None
        assert song.span(len(rows) - 1)[1] == song.duration


def test_songs_come_once_where_order_does_not_matter(how, tunes):
    given = songs_of(tunes * 3, how)
    found = list(through(given, loudness, "cpu", how, ordered=False))
    assert len(found) == len(given)
    assert {id(song) for song, _ in found} == {id(song) for song in given}
    for song, rows in found:
        torch.testing.assert_close(rows, known(song.path))


def test_a_quick_song_overtakes_a_slow_one_only_where_it_may(tunes):
    how, slow = Plan(2, 2, 1, 16, together=False), known(tunes[0])[0, 3]
    others = threading.Semaphore(0)

    def work(frames):
        rows = loudness(frames)
        if torch.isclose(rows[0, 3], slow):
            assert all(others.acquire(timeout=30) for _ in range(3))
        else:
            others.release()
        return rows

    def given(ordered):
        found = through(songs_of(tunes[:4], how), work, "cpu", how, ordered=ordered)
        return [song.path for song, _ in found]

    assert given(ordered=True) == tunes[:4]
    assert given(ordered=False).index(tunes[0]) >= 2


@pytest.mark.parametrize("batch_frames", [1, 3])
def test_rows_do_not_depend_on_company_or_workers(batch_frames, model, music):
    paths = sorted(str(path) for path in music.rglob("*.wav"))[::3]

    def rows(decoders, workers, paths):
        how = Plan(decoders, workers, 1, batch_frames, together=False)
        songs = songs_of(paths, how, SETTINGS)
        found = through(songs, model.scores, "cpu", how, ordered=False)
        return {song.path: rows for song, rows in found}

    alone = {path: found for path in paths for found in rows(1, 1, [path]).values()}
    for decoders, workers in ((1, 1), (3, 2), (2, 5)):
        for order in (paths, paths[::-1]):
            among = rows(decoders, workers, order)
            assert among.keys() == alone.keys()
            assert all(torch.equal(among[path], alone[path]) for path in paths)


def test_all_plans_give_the_same_rows(how, model, music):
    paths = sorted(str(path) for path in music.rglob("*.wav"))[::4]
    songs = songs_of(paths, how, SETTINGS)
    for song, rows in through(songs, model.scores, "cpu", how):
        wave = soundfile.read(song.path, dtype="float32")[0]
        frames = torch.from_numpy(wave[: 3 * SETTINGS.n_samples].reshape(3, -1))
        with torch.inference_mode():
            wanted = model.scores(frames)
        torch.testing.assert_close(rows, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("batch_frames", [1, 4, 7])
def test_a_card_gets_full_batches_of_one_shape(batch_frames, tunes):
    how, shapes, real = Plan(3, 1, 1, batch_frames, together=True), set(), []

    def work(frames):
        shapes.add(frames.shape)
        used = frames.abs().sum(dim=1) > 0
        real.append(int(used.sum()))
        assert used[: real[-1]].all()  # what fills up the batch is behind, and zeros
        return loudness(frames)

    for song, rows in through(songs_of(tunes, how), work, "cpu", how):
        torch.testing.assert_close(rows, known(song.path))
    assert shapes == {(batch_frames, TINY.n_samples)}
    assert sum(real) == sum(range(1, 10))
    if batch_frames > 1:
        assert len(real) < sum(real)  # frames of several songs, or several of one, went together


def test_frames_of_several_songs_share_a_batch(tunes):
    """While the card is at its first batch, others are decoded; the next batch takes them."""
    how, mixed = Plan(2, 1, 1, 4, together=True), []
    songs = songs_of(tunes[:1] * 12, how)

    def decoded():
        return sum(song.duration is not None for song in songs)

    def work(frames):
        end = time.monotonic() + 30
        while not mixed and decoded() < 8 and time.monotonic() < end:
            time.sleep(0.001)
        mixed.append(int((frames.abs().sum(dim=1) > 0).sum()))
        return loudness(frames)

    assert len(list(through(songs, work, "cpu", how))) == 12
    assert max(mixed) > 1


def test_songs_are_taken_only_a_few_ahead(how, tunes):
    ahead = 2 * (how.batch_frames if how.together else how.workers)
    room, taken = how.decoders + max(4, ahead), 0

    def songs():
        nonlocal taken
        for path in itertools.islice(itertools.cycle(tunes[:2]), 6 * room):
            taken += 1
            yield SongFrames(path, TINY, how.piece_frames)

    most = 0
    for given, _ in enumerate(through(songs(), loudness, "cpu", how)):
        most = max(most, taken - given)
    assert taken == 6 * room
    assert most <= room


@pytest.mark.parametrize("together", [False, True])
def test_a_long_song_is_decoded_only_a_few_batches_ahead(together, tmp_path):
    soundfile.write(tmp_path / "long.wav", np.tile(tone(300, 10.0), 10), RATE)
    how = Plan(2, 2 - together, 1, 2, together=together)
    ahead = (2 * how.batch_frames if together else 2 * how.workers) * how.piece_frames
    song = SongFrames(str(tmp_path / "long.wav"), TINY, how.piece_frames)
    lock, scored, most = threading.Lock(), 0, 0

    def decoded():
        for count in itertools.count(scored):
            try:
                song.span(count)
            except IndexError:
                return count

    def work(frames):
        nonlocal scored, most
        time.sleep(0.002)  # slower than decoding
        with lock:
            most = max(most, decoded() - scored)
            scored += int((frames.abs().sum(dim=1) > 0).sum())
        return loudness(frames)

    ((_, rows),) = through([song], work, "cpu", how)
    assert len(rows) == 200
    at_work = how.batch_frames * how.workers + 2 * how.piece_frames
    assert most <= ahead + at_work < 30


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


# --- plans ----------------------------------------------------------------------------------------


def test_a_processor_scores_a_frame_a_thread_and_a_card_half_an_hour_at_once():
    on_cpu = plan("cpu", FrameSettings(), workers=3)
    assert on_cpu == Plan(3, 3, 1, 1, together=False)
    assert plan("cpu", FrameSettings(2.976), workers=1).batch_frames == 3
    # Caches hold so many samples, however many seconds these are.
    assert plan("cpu", FrameSettings(10.0, sample_rate=32_000)).batch_frames == 1
    card = plan("cuda", FrameSettings(), workers=5)
    assert card == Plan(5, 1, 5, 64, together=True)
    assert (card.piece_frames, on_cpu.piece_frames) == (1, 1)
    assert plan("cpu", FrameSettings(), batch_frames=7).piece_frames == 7
    assert plan("cuda:1", FrameSettings(100.0), batch_frames=7).batch_frames == 7
    assert plan("cpu", FrameSettings(1000.0)).batch_frames == 1


def test_all_cores_are_used_and_shared_with_sibling_processes(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    assert plan("cpu", FrameSettings()).workers == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1000")
    assert plan("cpu", FrameSettings()).workers == 1


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"batch_frames": 0}, {"workers": -1}])
def test_numbers_out_of_range_are_named(wrong):
    with pytest.raises(InferenceError, match="at least 1"):
        plan("cpu", FrameSettings(), **wrong)
