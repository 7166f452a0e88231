"""Embeddings: the network's output, frame by frame, with and without the cache."""

import errno
import os
import shutil

import numpy as np
import pytest
import soundfile
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from genrenet import audio
from genrenet.features import (
    cached_embeddings,
    embed_songs,
    iter_embeddings,
    layer_sizes,
    song_matrix,
)
from genrenet.models.checkpoints import CheckpointError, load_model
from genrenet.models.plain import ModelError
from tests.helpers.tones import RATE, tone


@pytest.fixture(scope="module")
def model(checkpoint):
    return load_model(checkpoint)


@pytest.fixture
def songs(music):
    return [str(music / genre / f"{genre}-{i}.wav") for genre in ("bass", "treble") for i in (0, 1)]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "embeddings"


def same(one, other):
    assert [song.path for song in one] == [song.path for song in other]
    for a, b in zip(one, other, strict=True):
        for name in ("frames", "starts", "ends"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert (a.error, a.notes) == (b.error, b.notes)


def test_layers_have_names_and_sizes(model):
    sizes = layer_sizes(model)
    assert list(sizes) == ["conv1", "conv2", "embedding", "logits"]
    assert (sizes["conv1"], sizes["conv2"], sizes["logits"]) == (8, 16, 3)


@pytest.mark.parametrize("layer", ["embedding", "conv2", ("conv1", "logits")])
def test_frames_are_the_layers_output(layer, model, songs):
    (song,) = embed_songs(songs[:1], model, layer, batch_frames=2, frames="whole")
    wave = torch.from_numpy(audio.load(songs[0], RATE))
    frames = torch.stack([wave[start : start + 18_000] for start in (0, 18_000, 36_000)])
    with torch.inference_mode():
        expected = model.embed(frames, layer).numpy()
    np.testing.assert_allclose(song.frames, expected, atol=1e-5)
    assert song.frames.dtype == song.song.dtype == song.std.dtype == np.float32
    np.testing.assert_array_equal(song.starts, [0.0, 1.5, 3.0])
    np.testing.assert_array_equal(song.ends, [1.5, 3.0, 4.5])
    np.testing.assert_allclose(song.song, expected.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(song.std, expected.std(axis=0), atol=1e-5)
    assert song.error is None


def test_trim_is_that_of_the_caller(model, songs):
    (trimmed,) = embed_songs(songs[:1], model, trim=1.0, frames="whole")
    assert trimmed.starts.tolist() == [1.0, 2.5]
    (short,) = embed_songs(songs[:1], model, trim=20.0, frames="whole")
    assert len(short.frames) == 1
    assert "the song is short" in short.notes[0]
    (covered,) = embed_songs(songs[:1], model, trim=20.0)  # a tenth of 5 s at either end
    assert covered.starts.tolist() == pytest.approx([0.5, 1.75, 3.0])
    assert covered.notes == []
    (one,) = embed_songs(songs[:1], model, frames=1)
    assert one.starts.tolist() == [1.75]


def test_bad_files_give_a_row_and_the_run_goes_on(model, songs, tmp_path):
    (tmp_path / "text.mp3").write_text("no music here, only letters")
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    soundfile.write(tmp_path / "whole.wav", tone(150, 8.0), RATE)
    cut = (tmp_path / "whole.wav").read_bytes()[: 5 * RATE * 2]
    (tmp_path / "cut.wav").write_bytes(cut)
    names = ["text.mp3", "gone.wav", "silent.wav", "cut.wav"]
    found = list(embed_songs([*(str(tmp_path / name) for name in names), songs[0]], model, "conv1"))
    assert [song.frames.shape for song in found] == [(0, 8), (0, 8), (0, 8), (4, 8), (4, 8)]
    for song, words in zip(found, ["no audio", "cannot find", "silent", "cut.wav"], strict=False):
        assert words in song.error
    assert found[-1].error is None
    assert np.isnan(found[0].song).all()
    matrix, kept = song_matrix(found)
    assert matrix.shape == (2, 8)
    assert kept.tolist() == [3, 4]


def test_an_unknown_layer_is_named_before_anything_is_decoded(model):
    with pytest.raises(ModelError, match=r"no layer 'conv9'.*conv1 \(8\), conv2 \(16\)"):
        embed_songs(["gone.wav"], model, ["conv1", "conv9"])


@pytest.mark.parametrize("method", [SVC(), LogisticRegression()])
def test_sklearn_learns_from_the_matrix(method, model, music):
    paths = sorted(str(path) for path in music.rglob("*.wav"))
    genres = np.array([os.path.basename(os.path.dirname(path)) for path in paths])
    matrix, kept = song_matrix(embed_songs(paths, model), std=True)
    assert matrix.shape == (24, 2 * layer_sizes(model)["embedding"])
    assert matrix.dtype == np.float32
    assert method.fit(matrix[::2], genres[kept][::2]).score(matrix[1::2], genres[kept][1::2]) > 0.9


def test_no_songs_make_an_empty_matrix():
    matrix, kept = song_matrix([])
    assert matrix.shape == (0, 0)
    assert kept.tolist() == []


def test_a_second_call_decodes_nothing(checkpoint, model, songs, own_cache):
    calls = []
    first = cached_embeddings(songs, checkpoint, progress=lambda *done: calls.append(done))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    same(first, list(embed_songs(songs, model)))
    again = cached_embeddings(songs[::-1], checkpoint, progress=lambda *done: calls.append(done))
    assert len(calls) == 4
    same(again, first[::-1])


def test_whoever_stops_early_loses_nothing(checkpoint, songs, own_cache):
    found = iter_embeddings(songs, checkpoint)
    first = [next(found), next(found)]
    found.close()
    assert len(list(own_cache.rglob("*.npz"))) == 2
    calls = []
    again = iter_embeddings(songs, checkpoint, progress=lambda *done: calls.append(done))
    same(list(again)[:2], first)
    assert calls == [(1, 2), (2, 2)]


def test_songs_named_twice_and_an_emptied_cache(checkpoint, songs, own_cache, tmp_path):
    given = [songs[0], str(tmp_path / "gone.wav"), songs[1], *songs[:1], str(tmp_path / "gone.wav")]
    first = cached_embeddings(given, checkpoint)
    assert [song.path for song in first] == given
    same(first[3:], first[:2])
    found = iter_embeddings(songs[:2], checkpoint)
    for file in own_cache.rglob("*.npz"):
        file.unlink()
    same(list(found), [first[0], first[2]])
    assert len(list(own_cache.rglob("*.npz"))) == 2


def test_new_and_changed_songs_are_added_and_bad_ones_tried_again(checkpoint, own_cache, tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(3)]
    for i, path in enumerate(paths[:2]):
        soundfile.write(path, tone(300 * (i + 1), 3.0), RATE)
    calls = []

    def embed():
        calls.clear()
        return cached_embeddings(paths, checkpoint, progress=lambda *done: calls.append(done))

    assert "cannot find" in embed()[2].error
    soundfile.write(paths[2], tone(2000, 3.0), RATE)
    first = embed()
    assert calls == [(1, 1)]
    assert first[2].error is None
    soundfile.write(paths[0], tone(5000, 4.0), RATE)
    second = embed()
    assert calls == [(1, 1)]
    assert not np.array_equal(first[0].song, second[0].song)
    same(first[1:], second[1:])
    embed()
    assert calls == []


def test_songs_that_swapped_names_swap_their_embeddings(checkpoint, own_cache, tmp_path):
    """Of one size and one time; a song that was only touched is not embedded again."""
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path, hz in zip(paths, (300, 900), strict=True):
        soundfile.write(path, tone(hz, 3.0), RATE)
        os.utime(path, (7, 7))
    first = cached_embeddings(paths, checkpoint)
    paths[0].rename(tmp_path / "held")
    paths[1].rename(paths[0])
    (tmp_path / "held").rename(paths[1])
    second = cached_embeddings(paths, checkpoint)
    for one, other in ((0, 1), (1, 0)):
        np.testing.assert_allclose(second[one].frames, first[other].frames, atol=1e-5)
    os.utime(paths[0], (9, 9))
    calls = []
    cached_embeddings(paths, checkpoint, progress=lambda *done: calls.append(done))
    assert calls == []


def test_songs_that_were_moved_or_copied_keep_their_embeddings(
    checkpoint, songs, own_cache, tmp_path
):
    first = cached_embeddings(songs[:1], checkpoint)
    copies = [shutil.copy(songs[0], tmp_path / f"copy {i}.wav") for i in range(2)]
    calls = []
    found = cached_embeddings(copies, checkpoint, progress=lambda *done: calls.append(done))
    assert calls == []
    assert [song.path for song in found] == [str(path) for path in copies]
    for song in found:
        np.testing.assert_array_equal(song.frames, first[0].frames)


def test_settings_and_weights_have_caches_of_their_own(checkpoint, songs, own_cache, tmp_path):
    plain = cached_embeddings(songs, checkpoint)
    assert cached_embeddings(songs, checkpoint, "conv1")[0].frames.shape == (4, 8)
    assert len(cached_embeddings(songs, checkpoint, trim=0.2)[0].frames) == 4
    counts = {"whole": 3, "all": 4, 2: 2}
    for frames, count in counts.items():
        for _ in range(2):
            (song, *_) = cached_embeddings(songs, checkpoint, frames=frames)
            assert len(song.frames) == count
    entries = torch.load(checkpoint, weights_only=True)
    bias = next(name for name in entries["state_dict"] if name.endswith("0.bias"))
    entries["state_dict"][bias] += 1
    torch.save(entries, tmp_path / "other.ckpt")
    other = cached_embeddings(songs, tmp_path / "other.ckpt")
    assert not np.allclose(other[0].frames, plain[0].frames)
    assert sum(entry.is_dir() for entry in own_cache.iterdir()) == 4 + len(counts)
    same(cached_embeddings(songs, checkpoint), plain)


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty"])
def test_a_damaged_cache_is_rebuilt_with_a_warning(damage, checkpoint, songs, own_cache):
    first = cached_embeddings(songs, checkpoint)
    file = sorted(own_cache.rglob("*.npz"))[1]
    whole = file.read_bytes()
    middle = whole.index(b"frames.npy") + 200  # among the numbers
    flipped = whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 9])
    file.write_bytes(
        {
            "cut": whole[:-100],
            "flipped": flipped + whole[middle + 9 :],
            "text": b"no archive",
            "empty": b"",
        }[damage]
    )
    with pytest.warns(UserWarning, match="1 damaged files in the cache"):
        same(cached_embeddings(songs, checkpoint), first)
    same(cached_embeddings(songs, checkpoint), first)


def test_a_checkpoint_that_is_not_there_is_named(songs):
    with pytest.raises(CheckpointError, match=r"no checkpoint 'gone\.ckpt'"):
        cached_embeddings(songs, "gone.ckpt")


def test_songs_that_a_failing_disk_cuts_are_not_kept(checkpoint, tmp_path, own_cache, monkeypatch):
    """Their frames are given with the error, and the next call reads the song again."""
    path = str(tmp_path / "song.wav")
    soundfile.write(path, tone(300, 120.0), RATE)
    read, calls = soundfile.SoundFile.read, []

    def failing(file, *arguments, **more):
        calls.append(file)
        if len(calls) > 2:
            raise OSError(errno.EIO, "Input/output error")
        return read(file, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setenv("GENRENET_DECODE_IN_PROCESS", "1")  # the failing disk is this process's
        patch.setattr(soundfile.SoundFile, "read", failing)
        (cut,) = cached_embeddings([path], checkpoint, frames="all")
    assert "Input/output error" in cut.error
    assert 0 < len(cut.frames) < 80
    assert not list(own_cache.rglob("*.npz"))
    (whole,) = cached_embeddings([path], checkpoint, frames="all")
    assert whole.error is None
    assert len(whole.frames) == 80
    assert len(list(own_cache.rglob("*.npz"))) == 1
