"""Removal of silence: by the gate, from frames, and from training data."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import soundfile
import torch

from genrenet import audio
from genrenet.audio.sounding import Gate, only_sounding
from genrenet.data.datasets import FileReader, FrameDataset
from genrenet.data.decoded_audio import decode
from genrenet.data.decoded_store import prepare
from genrenet.data.frames import FrameSettings, frame_starts
from genrenet.features import CLASSICAL, cached_features
from genrenet.inference.song_reader import SongFrames
from tests.helpers.tones import RATE, tone

SETTINGS = FrameSettings(1.5, 0.0, RATE)


def dither(seconds, seed=0):
    """What 16 bits hold of silence that was dithered."""
    triangular = np.random.default_rng(seed).triangular(-1, 0, 1, round(seconds * RATE))
    return (np.round(triangular) / 32768).astype(np.float32)


def zeros(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def offset(seconds):
    return np.full(round(seconds * RATE), 0.2, np.float32)


SILENCES = {"zeros": zeros, "dither": dither, "offset": offset}


def wav(path, *parts):
    soundfile.write(path, np.concatenate(parts), RATE, subtype="FLOAT")
    return str(path)


def frames_of(song):
    batches = list(song.batches())
    return torch.cat(batches) if batches else torch.zeros(0, song.settings.n_samples)


def spans(song, count):
    return [song.span(i) for i in range(count)]


# --- the gate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 999, 6_000, 50_000, 10**6])
def test_the_gate_does_not_depend_on_the_pieces(size):
    song = np.concatenate([zeros(3.3), tone(300, 4.2), dither(5.1), tone(500, 2.2), offset(7.0)])
    size = max(size, 200)
    pieces = [song[i : i + size] for i in range(0, len(song), size)]
    found = list(Gate(RATE).through(pieces))
    assert np.array_equal(np.concatenate([block for _, block in found]), only_sounding(song, RATE))
    for start, block in found:
        assert np.array_equal(song[start : start + len(block)], block)
    places = np.array([start for start, _ in found]) / RATE
    assert places.min() == 3.0
    assert not ((places > 7.5) & (places < 12.5)).any()
    assert places.max() == 14.5


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize("seconds", [0.7, 1.9, 2.4, 60.0])
@pytest.mark.parametrize("where", ["before", "between", "behind"])
def test_rests_stay_and_silence_goes(silence, seconds, where):
    parts = [tone(300, 3.0), tone(400, 3.0, seed=1)]
    parts.insert(["before", "between", "behind"].index(where), silence(seconds))
    song = np.concatenate(parts)
    found = only_sounding(song, RATE)
    if seconds < 2:
        assert found is song
    elif seconds > 3:
        assert 6.0 <= len(found) / RATE <= 7.0
        assert np.array_equal(found[-RATE:], song[song.nonzero()[0][-1] - RATE + 1 :][:RATE]) or (
            where == "behind"
        )


@pytest.mark.parametrize("gain", [1.0, 0.01, 32768.0])
def test_music_is_left_alone_at_any_level(gain, shared_data):
    for path in [
        *sorted((shared_data / "whole-songs").glob("*.mp3")),
        *sorted((shared_data / "emotify").glob("*/*-00*.ogg"))[::6],
    ]:
        samples = audio.load(path, RATE, 20.0, 30.0) * np.float32(gain)
        assert only_sounding(samples, RATE) is samples


def test_the_noise_between_songs_is_judged_by_the_songs():
    hiss = (2e-4 * np.random.default_rng(0).standard_normal(10 * RATE)).astype(np.float32)
    gate = Gate(RATE)
    assert len(list(gate.through([tone(300, 2.0)]))) == 4
    assert list(gate.through([hiss])) == []
    assert len(list(Gate(RATE).through([hiss]))) == 20  # by itself it might be a quiet recording


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_an_offset_is_silent_at_any_rate(rate, tmp_path):
    """A resampler rings where an offset begins and ends."""
    path, wave = tmp_path / "a.wav", np.full(7 * rate + 123, 0.2)
    soundfile.write(path, wave, rate)
    assert "is silent" in decode(str(path), RATE)[2]
    music = tone(300, 3.0, rate=rate)
    soundfile.write(path, np.concatenate([wave, music, wave]), rate)
    assert 3.0 <= len(decode(str(path), RATE)[0]) / RATE <= 4.5


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_silence_is_an_error_that_names_the_file(silence, tmp_path):
    path = wav(tmp_path / "nothing.wav", silence(9.0))
    for only in ("whole", "all", 2):
        song = SongFrames(path, SETTINGS, heard=only)
        assert len(frames_of(song)) == 0
        assert "nothing.wav' is silent" in song.error
    samples, state, message = decode(path, RATE)
    assert (len(samples), state) == (0, "unusable")
    assert "nothing.wav' is silent" in message


# --- frames of songs ------------------------------------------------------------------------------


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize("trim", [0.0, 2.0])
def test_silence_at_the_end_changes_nothing(silence, trim, tmp_path):
    music, settings = tone(300, 12.0), SETTINGS.with_trim(trim)
    alone = SongFrames(wav(tmp_path / "a.wav", music), settings)
    longer = SongFrames(wav(tmp_path / "b.wav", music, silence(180.0)), settings)
    wanted, found = frames_of(alone), frames_of(longer)
    assert torch.equal(found, wanted)  # the trim too is of what sounds
    assert spans(longer, len(found)) == spans(alone, len(wanted))
    assert longer.error is None
    assert longer.duration == 192.0


def test_silence_in_front_moves_the_frames_only(tmp_path):
    music = tone(300, 12.0)
    alone = SongFrames(wav(tmp_path / "a.wav", music), SETTINGS)
    later = SongFrames(wav(tmp_path / "b.wav", zeros(30.0), music), SETTINGS)
    wanted, found = frames_of(alone), frames_of(later)
    assert torch.equal(found, wanted)
    assert spans(later, 8) == [(begin + 30, end + 30) for begin, end in spans(alone, 8)]


def test_a_hidden_track_is_found_where_it_is(tmp_path):
    parts = tone(300, 9.0), zeros(180.0), tone(500, 6.0)
    song = SongFrames(wav(tmp_path / "a.wav", *parts), SETTINGS)
    frames = frames_of(song)
    assert np.array_equal(frames.flatten(), np.concatenate(parts[::2]))
    assert spans(song, 10)[5:7] == [(7.5, 9.0), (189.0, 190.5)]
    across = SongFrames(str(tmp_path / "a.wav"), FrameSettings(2.0, 0.0, RATE))
    assert len(frames_of(across)) == 7
    assert across.span(4) == (8.0, 190.0)  # a second of either


@pytest.mark.parametrize("only", [1, 2, 3, 5])
@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize("where", ["before", "between", "behind"])
def test_a_few_frames_are_of_what_sounds(only, silence, where, tmp_path):
    parts = [tone(300, 9.0), tone(300, 9.0, seed=1)]
    parts.insert(["before", "between", "behind"].index(where), silence(90.0))
    song = SongFrames(wav(tmp_path / "a.wav", *parts), SETTINGS, 2, only)
    frames = frames_of(song)
    assert len(frames) == only
    assert song.error is None
    assert len(set(spans(song, only))) == only
    assert (frames.std(dim=1) > 0.2).all()
    whole = audio.load(tmp_path / "a.wav", RATE)
    for frame, (begin, end) in zip(frames, spans(song, only), strict=True):
        known = whole[round(begin * RATE) : round(end * RATE)]
        np.testing.assert_array_equal(frame[: len(known)], known)


def test_reads_for_a_few_frames_are_bounded(tmp_path, monkeypatch):
    path = wav(tmp_path / "a.wav", zeros(1110.0), tone(300, 2.0), zeros(690.0))
    reads, load = [], audio.AudioFile.load
    monkeypatch.setattr(audio.AudioFile, "load", lambda *a: reads.append(a) or load(*a))
    song = SongFrames(path, SETTINGS, heard=3)
    assert len(frames_of(song)) == 2  # all there is: found from the beginning
    assert spans(song, 2) == [(1110.0, 1111.5), (1110.5, 1112.0)]
    assert len(reads) == 2 * 3 + 8


def test_less_than_half_a_second_of_sound_is_too_short(tmp_path):
    path = wav(tmp_path / "blip.wav", zeros(10.0), tone(300, 0.4))
    for only in ("whole", 1):
        song = SongFrames(path, SETTINGS, heard=only)
        assert len(frames_of(song)) == 0
        assert "blip.wav' is too short: found 0.40 s that sound" in song.error


def test_memory_does_not_grow_with_silence_or_trim(tmp_path):
    path = tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for part in range(8):
            file.write(np.tile(tone(300, 10.0, seed=part), 6))
            file.write(zeros(240.0))
    peaks = []
    for trim in (0.0, 20.0):
        tracemalloc.start()
        frames = sum(
            len(batch) for batch in SongFrames(str(path), SETTINGS.with_trim(trim)).batches()
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert frames == (480 - 2 * trim) // 1.5
    assert max(peaks) < 12e6  # all of the sound would be 23 MB, all samples 115 MB


def test_music_gives_the_same_frames_as_without_the_gate(shared_data):
    for path in [
        *sorted((shared_data / "whole-songs").glob("*.mp3")),
        *sorted((shared_data / "emotify").glob("*/*-00*.ogg"))[::6],
    ]:
        whole = audio.load(path, RATE)
        settings = FrameSettings(trim=20.0)
        song = SongFrames(str(path), settings)
        frames = frames_of(song)
        starts = frame_starts(len(whole), settings)
        assert len(frames) == len(starts)
        for i, start in enumerate(starts.tolist()):
            assert np.array_equal(frames[i], whole[start : start + settings.n_samples])
            assert song.span(i) == pytest.approx((start / RATE, start / RATE + 29.12))


# --- what training sees ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd_songs(tmp_path_factory):
    """A song with silence behind, one with a hidden track, and one that is silent."""
    folder = tmp_path_factory.mktemp("odd")
    return {
        "behind": wav(folder / "behind.wav", tone(300, 9.0), dither(60.0)),
        "hidden": wav(folder / "hidden.wav", tone(300, 4.0), zeros(60.0), tone(300, 5.0)),
        "silent": wav(folder / "silent.wav", offset(20.0)),
    }


def test_a_store_holds_what_sounds(odd_songs, tmp_path):
    store = prepare(odd_songs.values(), tmp_path / "store", sample_rate=RATE)
    assert [store.length(path) / RATE for path in odd_songs.values()] == [9.0, 9.0, 0.0]
    assert list(store.errors) == [odd_songs["silent"]]
    assert "silent.wav' is silent" in store.errors[odd_songs["silent"]]


@pytest.mark.parametrize("trim", [0.0, 2.0])
def test_training_and_inference_see_the_same_frames(trim, odd_songs, tmp_path):
    settings, paths = SETTINGS.with_trim(trim), list(odd_songs.values())
    store = prepare(paths, tmp_path / "store", sample_rate=RATE, dtype="float16")
    dataset = FrameDataset(paths, [0, 1, 2], store, settings)
    items = [dataset[0, i, True] for i in range(len(dataset))]
    used = [frames_of(SongFrames(path, settings)) for path in paths]
    assert [int(item["song"]) for item in items] == [0] * len(used[0]) + [1] * len(used[1])
    trained = torch.stack([item["waveform"].float() for item in items])
    torch.testing.assert_close(trained, torch.cat(used), atol=1e-3, rtol=0)


def test_without_a_store_silent_frames_do_not_count(odd_songs):
    paths = list(odd_songs.values())
    reader = FileReader(paths, RATE)
    dataset = FrameDataset(paths, [0, 1, 2], reader, SETTINGS)
    items = [dataset[0, i, True] for i in range(len(dataset))]
    counted = [(int(i["song"]), float(i["start"])) for i in items if i["counted"]]
    assert [start for song, start in counted if song == 0] == [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]
    hidden = [start for song, start in counted if song == 1]
    assert set(hidden) >= {0.0, 1.5, 64.5, 66.0}
    assert all(start < 4.0 or start > 62.0 for start in hidden)
    assert not any(song == 2 for song, _ in counted)
    assert not any(item["failed"] for item in items)


def test_random_crops_are_of_what_sounds(odd_songs):
    paths = list(odd_songs.values())
    reader = FileReader(paths, RATE)
    dataset = FrameDataset(paths, [0, 1, 2], reader, SETTINGS, crops="random", crops_per_song=60)
    items = [dataset[0, i, True] for i in range(len(dataset))]
    of_song = [[item for item in items if item["song"] == song] for song in (0, 1, 2)]
    for crops in of_song:
        assert len(crops) == 60
        assert all(item["failed"] != item["counted"] for item in crops)  # named where none is
    counted = [[item for item in crops if item["counted"]] for crops in of_song]
    assert min(len(counted[0]), len(counted[1])) >= 30
    assert counted[2] == []
    assert all(item["waveform"].std() > 0.02 for item in counted[0] + counted[1])
    again = [dataset[0, i, True] for i in range(len(dataset))]
    assert all(torch.equal(a["waveform"], b["waveform"]) for a, b in zip(items, again, strict=True))


@pytest.mark.parametrize("name", ["mfcc-gaussian", "spectral-stats", "short-term"])
def test_features_are_of_what_sounds(name, odd_songs, tmp_path):
    extractor = {each.name: each for each in CLASSICAL}[name]
    music = wav(tmp_path / "music.wav", tone(300, 9.0))
    alone, behind, silent = cached_features(
        [music, odd_songs["behind"], odd_songs["silent"]], extractor
    )
    np.testing.assert_allclose(behind.vector, alone.vector, rtol=0.02, atol=0.05)
    assert silent.vector is None
    assert "silent.wav' is silent" in silent.error
