"""Songs through a network: every song once, in order, always the same rows; plans."""

import itertools
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
from tests.helpers.pipelines import SETTINGS, TINY, known, loudness, songs_of
from tests.helpers.tones import RATE, tone

pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.fixture(scope="module")
def model(checkpoint):
    return optimised(load_model(checkpoint), "32")


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
