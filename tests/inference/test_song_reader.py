"""From paths to frames: files, samples, and errors."""

import itertools
import os
import shutil

import numpy as np
import pytest
import soundfile
import torch

from genrenet import audio
from genrenet.audio import processes
from genrenet.data.coverage import heard_starts
from genrenet.data.frames import FrameSettings, frame_starts
from genrenet.inference.song_reader import InferenceError, SongFrames, find_songs, songs_or_error
from tests.helpers.audio_files import KINDS, cut, signal, write
from tests.helpers.tones import RATE, tone

SETTINGS = FrameSettings(1.5, 0.0, RATE)
FORMATS = ("16.wav", "free.flac", "xiph.ogg", "lame.mp3", "bare.mp3")


def wav(path, wave, rate=RATE):
    soundfile.write(path, wave, rate, subtype="FLOAT")
    return str(path)


def frames_of(song):
    batches = list(song.batches())
    return torch.cat(batches) if batches else torch.zeros(0, song.settings.n_samples)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    return {name: str(write(folder, KINDS[name], seconds=20.0)) for name in FORMATS}


@pytest.fixture(scope="module")
def long_kinds(tmp_path_factory):
    """Songs that are too long to be decoded whole for a few frames."""
    folder = tmp_path_factory.mktemp("long")
    return {name: str(write(folder, KINDS[name], seconds=45.0)) for name in FORMATS}


@pytest.mark.parametrize("batch_frames", [1, 2, 5])
@pytest.mark.parametrize("trim", [0.0, 0.7])
def test_frames_are_those_of_the_whole_file(batch_frames, trim, tmp_path):
    wave = tone(300, 8.0)
    settings = SETTINGS.with_trim(trim)
    song = SongFrames(wav(tmp_path / "a.wav", wave), settings, batch_frames)
    batches = list(song.batches())
    assert {len(batch) for batch in batches[:-1]} <= {batch_frames}
    frames = torch.cat(batches)
    starts = frame_starts(len(wave), settings)
    assert len(frames) == len(starts)
    for i, start in enumerate(starts):
        expected = wave[start : start + settings.n_samples]
        np.testing.assert_allclose(frames[i], expected, atol=1e-6)
        assert song.span(i) == pytest.approx((start / RATE, start / RATE + 1.5))
    assert song.error is None
    assert song.notes == []
    assert song.duration == 8.0


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("trim", [0.0, 2.0])
def test_frames_are_slices_of_what_load_gives(name, trim, kinds):
    settings = SETTINGS.with_trim(trim)
    wave = audio.load(kinds[name], RATE)
    song = SongFrames(kinds[name], settings)
    frames = frames_of(song)
    starts = frame_starts(round(song.duration * RATE), settings)
    assert len(frames) == len(starts)
    for frame, start in zip(frames, starts, strict=True):
        known = wave[start : start + settings.n_samples]
        np.testing.assert_allclose(frame[: len(known)], known, atol=1e-5)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("trim", [0.0, 2.0])
@pytest.mark.parametrize("heard", [1, 3, 8, "all"])
def test_heard_frames_are_those_of_the_full_decode(name, trim, heard, long_kinds):
    settings, wave = SETTINGS.with_trim(trim), audio.load(long_kinds[name], RATE)
    song = SongFrames(long_kinds[name], settings, 2, heard)
    frames = frames_of(song)
    length = len(wave) if heard == "all" else round(song.duration * RATE)
    starts = heard_starts(length, settings, heard)
    assert len(frames) == len(starts)
    assert heard == "all" or len(frames) == heard
    for i, (frame, start) in enumerate(zip(frames, starts, strict=True)):
        # A song that is decoded whole is covered by what there is of it to the last sample.
        begin, end = song.span(i)
        assert (begin, end) == pytest.approx((start / RATE, start / RATE + 1.5), abs=0.06)
        known = wave[round(begin * RATE) : round(end * RATE)]
        np.testing.assert_allclose(frame[: len(known)], known, atol=1e-5)
    assert (song.error, song.notes) == (None, [])


def test_all_frames_and_as_many_as_there_are_cover_the_song(kinds):
    path, wave = kinds["16.wav"], audio.load(kinds["16.wav"], RATE)
    whole, every = (frames_of(SongFrames(path, SETTINGS, heard=word)) for word in ("whole", "all"))
    assert (len(whole), len(every)) == (13, 14)
    assert torch.equal(every[:13], whole)
    np.testing.assert_array_equal(every[13], wave[-SETTINGS.n_samples :])
    many = SongFrames(path, SETTINGS, heard=40)
    assert len(frames_of(many)) == 14
    assert (many.span(0)[0], many.span(13)[1]) == (0.0, pytest.approx(20.0, abs=16 / RATE))
    assert all(many.span(i + 1)[0] < many.span(i)[1] for i in range(13))


def test_all_frames_of_a_long_song_are_trimmed_and_one_after_another(tmp_path):
    wave = np.tile(tone(300, 10.0), 6)[: 59 * RATE + 100]
    song = SongFrames(wav(tmp_path / "a.wav", wave), SETTINGS.with_trim(2.0), heard="all")
    frames = frames_of(song)
    starts = heard_starts(len(wave), song.settings, "all")
    assert starts[:2].tolist() == [2 * RATE, 2 * RATE + SETTINGS.n_samples]
    assert starts[-1] == len(wave) - 2 * RATE - SETTINGS.n_samples
    for frame, start in zip(frames, starts, strict=True):
        np.testing.assert_array_equal(frame, wave[start : start + SETTINGS.n_samples])


def test_long_silence_that_is_taken_for_music_leaves_no_gap(tmp_path):
    wave = np.concatenate([np.tile(tone(300, 10.0), 3), np.zeros(60 * RATE)])
    song = SongFrames(wav(tmp_path / "a.wav", wave), SETTINGS.with_trim(5.0), heard="all")
    spans = [song.span(i) for i in range(len(frames_of(song)))]
    assert (spans[0][0], spans[-1][1]) == (5.0, 27.0)  # the end is a tenth of what sounds
    assert all(one[0] < other[0] <= one[1] for one, other in itertools.pairwise(spans))
    assert song.error is None


@pytest.mark.parametrize("heard", [5, "all"])
def test_the_trim_of_a_short_song_is_in_proportion(heard, tmp_path):
    wave = tone(300, 10.0)
    song = SongFrames(wav(tmp_path / "a.wav", wave), SETTINGS.with_trim(20.0), heard=heard)
    count = len(frames_of(song))
    assert (song.span(0)[0], song.span(count - 1)[1]) == (1.0, 9.0)
    assert song.notes == []


@pytest.mark.parametrize("only", ["whole", 1, "all"])
def test_a_short_song_is_one_frame_filled_with_its_sound(only, tmp_path):
    wave = tone(300, 1.0)
    path = wav(tmp_path / "short.wav", wave)
    for fill, rest in (("repeat", wave[: RATE // 2]), ("zeros", np.zeros(RATE // 2))):
        song = SongFrames(path, FrameSettings(1.5, 0.0, RATE, fill), heard=only)
        (batch,) = song.batches()
        assert batch.shape == (1, SETTINGS.n_samples)
        np.testing.assert_array_equal(batch[0, :RATE], wave)
        np.testing.assert_array_equal(batch[0, RATE:], rest)
        assert song.span(0) == (0.0, 1.0)


def test_a_trim_that_leaves_no_frame_is_shortened(tmp_path):
    wave = tone(300, 4.0)
    song = SongFrames(wav(tmp_path / "a.wav", wave), SETTINGS.with_trim(5.0))
    (frame,) = frames_of(song)
    np.testing.assert_allclose(frame, wave[15_000 : 15_000 + 18_000], atol=1e-6)
    assert song.notes == ["trimmed 1.2 s instead of 5 s: the song is short"]


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_a_whole_last_frame_survives_resampling(rate, tmp_path):
    song = SongFrames(wav(tmp_path / "a.wav", tone(300, 6.0, rate=rate), rate), SETTINGS)
    assert len(frames_of(song)) == 4
    assert song.span(3) == pytest.approx((4.5, 6.0), abs=16 / RATE)


def test_bad_files_say_why_and_good_ones_nothing(tmp_path):
    wav(tmp_path / "good.wav", tone(300, 4.0))
    wav(tmp_path / "silent.wav", np.zeros(4 * RATE))
    wav(tmp_path / "brief.wav", tone(300, 0.3))
    (tmp_path / "text.wav").write_text("no music")
    (tmp_path / "empty.wav").touch()
    names = ["good.wav", "text.wav", "gone.wav", "silent.wav", "brief.wav", "empty.wav"]
    songs = [SongFrames(str(tmp_path / name), SETTINGS) for name in names]
    assert [len(frames_of(song)) for song in songs] == [2, 0, 0, 0, 0, 0]
    good, text, gone, silent, brief, empty = (song.error for song in songs)
    assert good is None
    assert "text.wav" in text
    assert "cannot find" in gone
    assert "silent" in silent
    assert "too short: found 0.30 s" in brief
    assert "nothing in" in empty
    assert [song.duration for song in songs] == [4.0, None, None, 4.0, pytest.approx(0.3), None]


@pytest.mark.parametrize("batch_frames", [1, 3, 20])
@pytest.mark.parametrize("name", ["16.wav", "free.flac", "lame.mp3"])
def test_a_truncated_file_has_frames_and_an_error(name, batch_frames, kinds, tmp_path):
    whole = frames_of(SongFrames(kinds[name], SETTINGS))
    copy = tmp_path / name
    shutil.copy(kinds[name], copy)
    song = SongFrames(str(cut(copy, 0.5)), SETTINGS, batch_frames)
    frames = frames_of(song)
    assert "cut short" in song.error
    assert 4 <= len(frames) <= 7
    torch.testing.assert_close(frames[:-1], whole[: len(frames) - 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("only", [1, 4])
def test_some_frames_of_a_truncated_file_are_those_there_are(only, long_kinds, tmp_path):
    copy = tmp_path / "lame.mp3"
    shutil.copy(long_kinds["lame.mp3"], copy)
    path = str(cut(copy, 0.4))
    song = SongFrames(path, SETTINGS, heard=only)
    # Where the first cannot be had, the file is read from its beginning.
    assert len(frames_of(song)) == max(1, only // 2)
    assert "cut short" in song.error


def damaged(path):
    """A long file that has a NaN in its 30th second."""
    wave = tone(300, 40.0)
    wave[30 * RATE] = np.nan
    return wav(path, wave)


def test_what_comes_before_damage_does_not_depend_on_the_batch(tmp_path):
    path, counts = damaged(tmp_path / "nan.wav"), set()
    for batch_frames in (1, 2, 4, 8, 100):
        song = SongFrames(path, SETTINGS, batch_frames)
        counts.add(len(frames_of(song)))
        assert "NaN" in song.error
    assert len(counts) == 1
    assert counts.pop() > 8


def test_the_file_is_closed_behind_whoever_stops_early(kinds):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no list of open files")

    def opened():
        decoders = [worker.process.pid for worker in processes._POOL.all]
        folders = [f"/proc/{pid}/fd" for pid in [os.getpid(), *decoders]]
        links = [f"{folder}/{number}" for folder in folders for number in os.listdir(folder)]
        return sum(os.path.realpath(link) in kinds.values() for link in links)

    for name in FORMATS:
        batches = SongFrames(kinds[name], SETTINGS, 1).batches()
        next(batches)
        assert opened() >= 1
        batches.close()
        assert opened() == 0
        for only in ("whole", "all", 2):
            frames_of(SongFrames(kinds[name], SETTINGS, heard=only))
            assert opened() == 0


def test_memory_does_not_grow_with_the_song(tmp_path):
    path = wav(tmp_path / "long.wav", np.tile(tone(300, 10.0), 12))
    seen = 0
    for batch in SongFrames(path, SETTINGS, 2).batches():
        assert batch.untyped_storage().nbytes() == batch.nbytes
        seen += len(batch)
    assert seen == 80


def test_channels_are_mixed(tmp_path):
    stereo = signal(3.0, RATE)
    song = SongFrames(wav(tmp_path / "a.wav", stereo), SETTINGS)
    np.testing.assert_allclose(frames_of(song).flatten(), stereo.mean(axis=1), atol=1e-6)


def test_files_are_taken_as_named_and_folders_looked_into(tmp_path):
    for name in ("b/2.mp3", "b/1.MP3", "a.ogg", "cover.jpg", ".hidden.mp3", ".cache/x.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = [tmp_path / "cover.jpg", tmp_path, "gone.wav", tmp_path / "b"]
    found = [os.path.relpath(path, tmp_path) for path in find_songs(named[:2])]
    assert found == ["cover.jpg", "a.ogg", "b/1.MP3", "b/2.mp3"]
    assert songs_or_error(named)[4:] == ["gone.wav", *map(str, sorted((tmp_path / "b").iterdir()))]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InferenceError, match="no audio files in"):
        songs_or_error([tmp_path / "empty"])
