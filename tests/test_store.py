"""The prepared store: true samples, resumed builds, two builders, damage."""

import json
import multiprocessing
import os
import pickle

import numpy as np
import pytest
import soundfile

from genrenet import audio
from genrenet.store import PreparedStore, StoreError, prepare
from tests.conftest import RATE, tone


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    paths = []
    for i in range(6):
        paths.append(str(folder / f"{i}.wav"))
        soundfile.write(paths[-1], (0.1 * i + 0.05) * tone(200 + 50 * i, 1 + i / 4, seed=i), RATE)
    return paths


@pytest.mark.parametrize(("dtype", "error"), [("int16", 4e-5), ("float16", 5e-4)])
def test_holds_the_decoded_samples(songs, tmp_path, dtype, error):
    store = prepare(songs, tmp_path / "store", dtype=dtype)
    for path in songs:
        wanted = audio.load(path)
        assert store.length(path) == len(wanted)
        samples, scale = store.read(path, 0, len(wanted))
        assert samples.dtype == dtype
        loudest = np.abs(wanted).max()
        assert np.abs(samples.astype(np.float32) * scale - wanted).max() <= error * loudest
        part, _ = store.read(path, 500, 700)
        assert np.array_equal(part, samples[500:1200])
        assert len(store.read(path, len(wanted) - 10, 100)[0]) == 10


def test_is_whole_and_travels_to_worker_processes(songs, tmp_path):
    store = prepare(songs, tmp_path / "store")
    store.read(songs[0], 0, 10)
    again = pickle.loads(pickle.dumps(store))
    assert np.array_equal(again.read(songs[3], 5, 50)[0], store.read(songs[3], 5, 50)[0])
    assert len(pickle.dumps(store)) < 20_000


def test_broken_files_are_listed_and_the_rest_is_kept(songs, tmp_path):
    bad = tmp_path / "bad.mp3"
    bad.write_text("no music")
    store = prepare([songs[0], str(bad), str(tmp_path / "gone.wav"), songs[1]], tmp_path / "store")
    assert set(store.errors) == {str(bad), str(tmp_path / "gone.wav")}
    assert store.length(str(bad)) == 0
    assert store.length(songs[1]) > 0


def test_a_second_call_decodes_nothing_and_new_songs_are_added(songs, tmp_path):
    calls = []
    prepare(songs[:4], tmp_path / "store", progress=lambda done, total: calls.append(total))
    assert calls == [4] * 4
    calls.clear()
    prepare(songs[:4], tmp_path / "store", progress=lambda done, total: calls.append(total))
    assert calls == []
    store = prepare(songs, tmp_path / "store", progress=lambda done, total: calls.append(total))
    assert calls == [2] * 2
    assert all(store.length(path) for path in songs)


def test_a_changed_file_is_decoded_anew(songs, tmp_path):
    prepare(songs, tmp_path / "store")
    soundfile.write(songs[2], tone(700, 3.0), RATE)
    store = prepare(songs, tmp_path / "store")
    assert store.length(songs[2]) == 3 * RATE
    assert np.array_equal(store.read(songs[5], 0, 9)[0], store.read(songs[5], 0, 9)[0])


class _StopError(Exception):
    pass


def test_goes_on_after_an_interruption(songs, tmp_path):
    def stop_after_three(done, total):
        if done == 3:
            raise _StopError

    folder = tmp_path / "store"
    with pytest.raises(_StopError):
        prepare(songs, folder, progress=stop_after_three)
    with pytest.raises(StoreError, match="no prepared store"):
        PreparedStore(folder)
    # A kill leaves half a row and half a song behind.
    with open(folder / "journal.jsonl", "a") as log:
        log.write('{"path": "half')
    with open(folder / "samples.bin", "ab") as data:
        data.write(b"abc")
    calls = []
    store = prepare(songs, folder, progress=lambda done, total: calls.append(total))
    assert calls == [3] * 3
    whole = prepare(songs, tmp_path / "other")
    for path in songs:
        for ours, theirs in zip(store.read(path, 0, 9999), whole.read(path, 0, 9999), strict=True):
            assert np.array_equal(ours, theirs)


def _build(songs, folder):
    prepare(songs, folder)


def test_two_processes_may_build_at_once(songs, tmp_path):
    context = multiprocessing.get_context("spawn")
    builders = [context.Process(target=_build, args=(songs, tmp_path / "store")) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(60)
        assert builder.exitcode == 0
    store = PreparedStore(tmp_path / "store")
    assert sorted(store.index["path"]) == sorted(songs)
    assert (tmp_path / "store" / "samples.bin").stat().st_size == 2 * store.index["length"].sum()


def test_damage_and_other_settings_are_named(songs, tmp_path):
    folder = tmp_path / "store"
    prepare(songs, folder)
    with pytest.raises(StoreError, match="12000 Hz int16, wanted 16000 Hz int16"):
        prepare(songs, folder, sample_rate=16_000)
    os.truncate(folder / "samples.bin", 100)
    with pytest.raises(StoreError, match="found 100 bytes"):
        PreparedStore(folder)
    stamp = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**stamp, "version": 99}))
    with pytest.raises(StoreError, match="another version"):
        PreparedStore(folder)


def test_names_that_are_not_utf8(songs, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    os.rename(songs[0], path)
    store = prepare([path], tmp_path / "store")
    assert PreparedStore(tmp_path / "store").length(path) == store.length(path) > 0


def test_a_folder_that_cannot_be_written_is_named(songs, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write"):
        prepare(songs, tmp_path / "file" / "store")
