"""Classification: correct results, timelines, and every kind of broken file."""

import os

import numpy as np
import pytest
import soundfile
import torch

import genrenet
from genrenet import audio
from genrenet.inference.classify import InferenceError, find_songs, open_method, score_songs
from genrenet.models.optimised import PrecisionError
from tests.helpers.tones import RATE, tone


def facts(results):
    return [result.as_dict(timeline=True) for result in results]


def test_names_the_genres_of_files_and_folders(checkpoint, music):
    results = genrenet.classify([music], checkpoint=checkpoint)
    assert len(results) == 24
    assert all(result["genre"] in result["path"] for result in results)
    for result in results:
        assert set(result) >= {"path", "genre", "confidence", "scores", "frames", "error"}
        assert sum(result["scores"].values()) == pytest.approx(1, abs=1e-4)
        assert result["confidence"] == max(result["scores"].values())
        assert result["error"] is None
        assert result["frames"] == 4  # of 1.5 s, in 5 s
        assert "timeline" not in result


def test_timeline_follows_the_song(checkpoint, tmp_path):
    path = tmp_path / "medley.flac"
    parts = [tone(150, 3.0), tone(4000, 3.0, seed=1), tone(900, 3.0, seed=2)]
    soundfile.write(path, np.concatenate(parts), RATE)
    (result,) = genrenet.classify(path, checkpoint=checkpoint, timeline=True)
    timeline = result["timeline"]
    assert [part["genre"] for part in timeline] == ["bass"] * 2 + ["treble"] * 2 + ["middle"] * 2
    assert [part["start"] for part in timeline] == [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]
    assert timeline[-1]["end"] == pytest.approx(9.0)
    assert all(sum(part["scores"].values()) == pytest.approx(1, abs=1e-4) for part in timeline)


def test_scores_do_not_depend_on_the_company(checkpoint, music):
    path = music / "bass" / "bass-3.wav"
    (alone,) = genrenet.classify(path, checkpoint=checkpoint)
    among = genrenet.classify(music / "bass", checkpoint=checkpoint)
    (same,) = [result for result in among if result["path"] == str(path)]
    assert alone["scores"] == pytest.approx(same["scores"], abs=1e-5)


def test_trim_can_be_changed_and_is_a_tenth_of_a_song_at_most(checkpoint, music):
    path = music / "treble" / "treble-0.wav"
    for trim, begin in ((0.25, 0.25), (20.0, 0.5)):
        for frames in (None, "all"):
            (result,) = score_songs(
                [str(path)], open_method(checkpoint, "cpu", "32"), trim=trim, frames=frames
            )
            spans = [(part["start"], part["end"]) for part in result.timeline]
            assert (spans[0][0], spans[-1][1]) == (begin, 5.0 - begin)
            assert result.frames == len(spans) == 3
            assert (result.genre, result.notes) == ("treble", [])


def test_other_rates_and_channels(checkpoint, tmp_path):
    paths = []
    for rate, channels in ((8_000, 1), (44_100, 2), (96_000, 6)):
        paths.append(tmp_path / f"{rate}.wav")
        wave = tone(900, 4.0, rate=rate)
        soundfile.write(paths[-1], np.stack([wave] * channels, axis=1), rate)
    results = genrenet.classify(paths, checkpoint=checkpoint)
    assert [result["genre"] for result in results] == ["middle"] * 3


def test_broken_files_are_named_and_the_rest_is_classified(checkpoint, music, tmp_path):
    good = music / "bass" / "bass-0.wav"
    (tmp_path / "text.mp3").write_text("not music at all, but plenty of letters")
    (tmp_path / "empty.wav").touch()
    nan = tone(900, 3.0)
    nan[500] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE * 3), RATE)
    soundfile.write(tmp_path / "short.wav", tone(900, 0.2), RATE)
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    words = {
        "text.mp3": "no audio",
        "empty.wav": "nothing in",
        "nan.wav": "unusable samples",
        "silent.wav": "silent",
        "short.wav": "0.20 s",
        "loop.wav": "cannot read",
        "gone.wav": "cannot find",
    }
    paths = [tmp_path / name for name in words]
    results = genrenet.classify([good, *paths, good], checkpoint=checkpoint)
    assert len(results) == len(words) + 2
    assert results[0]["genre"] == results[-1]["genre"] == "bass"
    for result, (name, text) in zip(results[1:-1], words.items(), strict=True):
        assert result["genre"] is None, name
        assert result["scores"] == {}
        assert name in result["error"]
        assert text in result["error"]


def test_a_truncated_file_is_classified_from_what_can_be_read(checkpoint, tmp_path):
    whole = tmp_path / "whole.wav"
    soundfile.write(whole, tone(150, 8.0), RATE)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: 5 * RATE * 2])
    (result,) = genrenet.classify(cut, checkpoint=checkpoint)
    assert result["genre"] == "bass"
    assert "cut short" in result["error"]
    assert result["frames"] == 4


def test_names_that_are_not_utf8(checkpoint, music, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    with open(path, "wb") as file:
        file.write((music / "bass" / "bass-0.wav").read_bytes())
    (result,) = genrenet.classify(tmp_path, checkpoint=checkpoint)
    assert result["path"].endswith(r"caf\xe9.wav")
    assert result["genre"] == "bass"


def test_some_frames_of_a_song_are_scored_as_among_all(checkpoint, tmp_path):
    path = str(tmp_path / "medley.flac")
    parts = [tone(150, 3.0), tone(4000, 3.0, seed=1), tone(900, 3.0, seed=2)]
    soundfile.write(path, np.concatenate(parts), RATE)
    model = open_method(checkpoint, "cpu", "32")
    wave = torch.from_numpy(audio.load(path, RATE))
    every = [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]
    for count, starts in ((1, [3.75]), (2, [0, 7.5]), (3, [0, 3.75, 7.5]), (9, every)):
        (some,) = score_songs([path], model, frames=count)
        assert [part["start"] for part in some.timeline] == starts
        assert some.frames == len(starts)
        assert (some.duration, some.error) == (9.0, None)
        for part in some.timeline:
            begin, end = (round(part[key] * RATE) for key in ("start", "end"))
            with torch.inference_mode():
                (row,) = model.scores(wave[None, begin:end])
            wanted = dict(zip(model.labels, row.tolist(), strict=True))
            assert part["scores"] == pytest.approx(wanted, abs=1e-5)
            assert part["genre"] == max(wanted, key=wanted.get)


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"workers": 0}, {"batch_frames": 0}])
def test_numbers_out_of_range_are_named_at_once(wrong, checkpoint):
    with pytest.raises(InferenceError, match="at least 1"):
        score_songs(["gone.wav"], open_method(checkpoint, "cpu", "32"), **wrong)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_workers_change_no_result(precision, checkpoint, music, tmp_path):
    (tmp_path / "text.mp3").write_text("no music")
    paths = [*find_songs([music]), str(tmp_path / "text.mp3"), str(music / "gone.wav")]
    model = open_method(checkpoint, "cpu", precision)
    one = facts(score_songs(paths, model, workers=1))
    assert [result["path"] for result in one] == paths
    assert facts(score_songs(paths, model, workers=3)) == one
    mixed = facts(score_songs(paths[::-1], model, workers=4, ordered=False))
    assert sorted(mixed, key=lambda result: paths.index(result["path"])) == one


@pytest.mark.parametrize("batch_frames", [1, 2, 50])
def test_frames_at_once_change_no_result(batch_frames, checkpoint, music):
    paths, model = list(find_songs([music]))[::4], open_method(checkpoint, "cpu", "32")
    usual = list(score_songs(paths, model))
    for one, other in zip(usual, score_songs(paths, model, batch_frames=batch_frames), strict=True):
        assert (one.path, one.genre, one.frames) == (other.path, other.genre, other.frames)
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_songs_are_taken_as_they_are_needed(checkpoint, music):
    path, taken = str(music / "bass" / "bass-0.wav"), []
    found = score_songs(
        (taken.append(i) or path for i in range(1000)), open_method(checkpoint, "cpu"), workers=2
    )
    assert taken == []
    assert next(found).genre == "bass"
    assert len(taken) < 20
    found.close()


def test_durations_are_those_of_the_files(checkpoint, music, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    soundfile.write(tmp_path / "rate.flac", tone(900, 4.25, rate=44_100), 44_100)
    (tmp_path / "text.wav").write_text("no music")
    paths = [music / "bass" / "bass-0.wav", *(tmp_path / n for n in ("silent.wav", "rate.flac"))]
    paths += [tmp_path / "text.wav", tmp_path / "gone.wav"]
    results = genrenet.classify(paths, checkpoint=checkpoint)
    assert [result["duration"] for result in results] == [5.0, 3.0, 4.25, None, None]
    assert [result["genre"] for result in results] == ["bass", None, "middle", None, None]


def test_what_comes_before_damage_is_scored_whatever_the_batch(checkpoint, tmp_path):
    wave = tone(150, 40.0)
    wave[30 * RATE] = np.nan
    soundfile.write(tmp_path / "nan.wav", wave, RATE, subtype="FLOAT")
    model = open_method(checkpoint, "cpu", "32")
    found = [
        next(score_songs([str(tmp_path / "nan.wav")], model, batch_frames=count))
        for count in (1, 4, 100)
    ]
    assert all("NaN" in result.error for result in found)
    assert len({(result.genre, result.frames) for result in found}) == 1


def test_precisions_give_the_same_genres(checkpoint, music):
    paths = list(find_songs([music]))
    found = [
        list(score_songs(paths, open_method(checkpoint, "cpu", precision)))
        for precision in ("32", "bf16", "auto")
    ]
    for single, half, auto in zip(*found, strict=True):
        assert single.genre == half.genre == auto.genre
        assert half.scores == pytest.approx(single.scores, abs=0.05)
        assert auto.scores in (half.scores, single.scores)


def test_a_precision_that_is_not_there_is_named(checkpoint):
    with pytest.raises(PrecisionError, match="wanted auto, 32, bf16, 16"):
        open_method(checkpoint, "cpu", "64")


def test_a_device_that_is_not_there_is_named(checkpoint, music):
    with pytest.raises(InferenceError, match="no device 'warp'"):
        genrenet.classify(music, checkpoint=checkpoint, device="warp")


def test_nothing_to_classify_is_named(checkpoint, tmp_path):
    with pytest.raises(InferenceError, match="no audio files"):
        genrenet.classify(tmp_path, checkpoint=checkpoint)


def test_whole_songs_keep_their_names(checkpoint, shared_data):
    results = genrenet.classify(shared_data / "whole-songs", checkpoint=checkpoint)
    assert len(results) == 3
    assert all(result["genre"] and result["frames"] == 20 for result in results)  # of 1.5 s
    every = genrenet.classify(shared_data / "whole-songs", checkpoint=checkpoint, frames="all")
    assert all(result["frames"] > 80 for result in every)
    assert any("Veränderung" in result["path"] for result in results)
