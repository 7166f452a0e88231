"""The prepared store: exact samples, resumed builds, concurrent builds, damage."""

import multiprocessing
import os
import pickle
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrenet import audio
from genrenet.data.decoded_store import PreparedStore, StoreError, prepare
from genrenet.data.store_index import StoreIndex
from genrenet.data.store_space import usual_folder
from genrenet.utils.cache import CacheError
from tests.helpers.tones import RATE, tone


def samples_in(folder):
    """Files of samples in a store."""
    return sorted(Path(folder).glob("songs/*/*"))


def prepared(songs, folder):
    """The store of some songs, and how many were decoded for it."""
    calls = []
    store = prepare(songs, folder, progress=lambda done, total: calls.append(done))
    return store, len(calls)


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
    assert len(samples_in(tmp_path / "store")) == 6  # those of its earlier state have gone


class _StopError(Exception):
    pass


def test_goes_on_after_an_interruption(songs, tmp_path):
    def stop_after_three(done, total):
        if done == 3:
            raise _StopError

    folder = tmp_path / "store"
    with pytest.raises(_StopError):
        prepare(songs, folder, progress=stop_after_three)
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
    assert sorted(store.paths) == sorted(songs)
    sizes = [file.stat().st_size for file in samples_in(tmp_path / "store")]
    assert sum(sizes) == 2 * sum(map(store.length, songs))


def test_damage_and_other_settings_are_named(songs, tmp_path):
    folder = tmp_path / "store"
    prepare(songs, folder)
    with pytest.raises(StoreError, match="12000 Hz int16, wanted 16000 Hz int16"):
        prepare(songs, folder, sample_rate=16_000)
    index = StoreIndex(folder)
    with closing(sqlite3.connect(index.file)) as opened:
        opened.execute("UPDATE about SET value=99 WHERE name='version'")
        opened.commit()
    with pytest.raises(StoreError, match="another version: found 99"):
        PreparedStore(folder)
    index.file.write_bytes(b"no index of anybody's" * 99)
    with pytest.raises(StoreError, match="is damaged"):
        PreparedStore(folder)
    with pytest.raises(StoreError, match="no prepared store"):
        PreparedStore(tmp_path / "nowhere")


@pytest.mark.parametrize("harm", [lambda file: os.truncate(file, 10), os.unlink])
def test_samples_that_somebody_removes_are_decoded_again(songs, tmp_path, harm):
    store = prepare(songs, tmp_path / "store")
    wanted = store.read(songs[1], 20, 500)
    for file in samples_in(tmp_path / "store"):
        harm(file)
    assert np.array_equal(store.read(songs[1], 20, 500)[0], wanted[0])
    os.unlink(songs[2])
    with pytest.raises(audio.AudioError, match=re.escape("2.wav'")):
        store.read(songs[2], 0, 500)


def test_names_that_are_not_utf8(songs, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    os.rename(songs[0], path)
    store = prepare([path], tmp_path / "store")
    assert PreparedStore(tmp_path / "store").length(path) == store.length(path) > 0


def test_a_folder_that_cannot_be_written_is_named(songs, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write"):
        prepare(songs, tmp_path / "file" / "store")


def test_a_failure_that_passes_is_tried_again(songs, tmp_path):
    """A file that is missing, a folder, a link to nothing: all can be read the next time."""
    link, folder = tmp_path / "link.wav", tmp_path / "folder.wav"
    link.symlink_to(tmp_path / "later.wav")
    folder.mkdir()
    given = [songs[0], str(link), str(folder)]
    store, _ = prepared(given, tmp_path / "store")
    assert set(store.errors) == {str(link), str(folder)}
    (tmp_path / "later.wav").write_bytes(Path(songs[1]).read_bytes())
    store, decoded = prepared(given, tmp_path / "store")
    assert set(store.errors) == {str(folder)}
    assert store.length(str(link)) == RATE * 1.25
    assert decoded == 2


_PREPARE = """
import sys
from genrenet.data.decoded_store import prepare
store = prepare(sys.argv[2:], sys.argv[1], progress=lambda done, total: print("decoded"))
print(sum(1 for path in store.paths if store.length(path)))
"""


def _bound_by_permissions(songs, folder):
    """Prepare in a process that may not read everything: how many were decoded and are usable."""
    # Root without these capabilities is bound by permissions like anybody else.
    dropped = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [sys.executable, "-c", _PREPARE, str(folder), *songs]
    done = subprocess.run(
        [*(dropped if os.geteuid() == 0 else []), *command],
        capture_output=True,
        text=True,
        check=True,
    )
    *decoded, usable = done.stdout.splitlines()
    return len(decoded), int(usable)


def test_a_file_without_permission_is_tried_again(songs, tmp_path):
    os.chmod(songs[2], 0)
    assert _bound_by_permissions(songs, tmp_path / "store") == (6, 5)
    assert _bound_by_permissions(songs, tmp_path / "store") == (1, 5)
    os.chmod(songs[2], 0o644)
    assert _bound_by_permissions(songs, tmp_path / "store") == (1, 6)
    # Samples that are there are kept while the file cannot be read.
    os.chmod(songs[2], 0)
    assert _bound_by_permissions(songs, tmp_path / "store") == (0, 6)


def test_what_is_no_music_is_remembered(songs, tmp_path, monkeypatch):
    bad = tmp_path / "bad.mp3"
    bad.write_text("no music")
    assert prepared([*songs, str(bad)], tmp_path / "store")[1] == 7
    store, decoded = prepared([*songs, str(bad)], tmp_path / "store")
    assert (list(store.errors), decoded) == ([str(bad)], 0)
    # Another decoder may read it.
    monkeypatch.setattr("genrenet.data.decoded_store.decoders", lambda: "genrenet 99")
    assert prepared([*songs, str(bad)], tmp_path / "store")[1] == 1


def test_songs_whose_names_were_swapped_are_told_apart(tmp_path):
    """Of one size and time, as copied from an archive."""
    paths = [str(tmp_path / name) for name in ("one.wav", "other.wav")]
    for seed, path in enumerate(paths):
        soundfile.write(path, tone(300, 1.0, seed=seed), RATE)
        os.utime(path, (1e9, 1e9))
    before, _ = prepared(paths, tmp_path / "store")
    first, second = (before.read(path, 0, RATE)[0] for path in paths)
    os.rename(paths[0], tmp_path / "held")
    os.rename(paths[1], paths[0])
    os.rename(tmp_path / "held", paths[1])
    after, decoded = prepared(paths, tmp_path / "store")
    assert decoded == 2
    assert np.array_equal(after.read(paths[0], 0, RATE)[0], second)
    assert np.array_equal(after.read(paths[1], 0, RATE)[0], first)


def test_new_rights_or_a_new_inode_decode_nothing(songs, tmp_path):
    prepared(songs, tmp_path / "store")
    os.chmod(songs[0], 0o600)
    status = os.stat(songs[1])
    copy = Path(songs[1] + ".copy")
    copy.write_bytes(Path(songs[1]).read_bytes())
    os.replace(copy, songs[1])
    os.utime(songs[1], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert prepared(songs, tmp_path / "store")[1] == 0


def test_removed_songs_are_reclaimed(songs, tmp_path):
    prepared(songs, tmp_path / "store")
    elsewhere = tmp_path / "disk" / "song.wav"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(Path(songs[0]).read_bytes())
    prepared([str(elsewhere)], tmp_path / "store")
    assert len(samples_in(tmp_path / "store")) == 7
    os.unlink(songs[0])
    os.unlink(songs[1])
    os.rename(elsewhere.parent, tmp_path / "unplugged")
    prepared(songs[3:], tmp_path / "store")  # a part of them: the third is there and stays
    assert len(samples_in(tmp_path / "store")) == 5
    os.rename(tmp_path / "unplugged", elsewhere.parent)
    assert prepared([songs[2], str(elsewhere)], tmp_path / "store")[1] == 0


def test_a_song_that_is_cut_is_used_as_far_as_it_goes(songs, tmp_path):
    cut, stump = tmp_path / "cut.flac", tmp_path / "stump.flac"
    soundfile.write(cut, tone(400, 8.0), RATE)
    data = cut.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    stump.write_bytes(data[: len(data) // 20])
    store, _ = prepared([songs[0], str(cut), str(stump)], tmp_path / "store")
    assert list(store.truncated) == [str(cut)]
    assert list(store.errors) == [str(stump)]
    assert 2 * RATE < store.length(str(cut)) < 6 * RATE
    wave, scale = store.read(str(cut), 0, RATE)
    assert np.abs(wave * scale - tone(400, 8.0)[:RATE]).max() < 1e-3
    assert prepared([str(cut)], tmp_path / "store")[1] == 0


def test_collections_share_what_they_have_in_common(songs, tmp_path):
    assert prepared(songs[:4], tmp_path / "store")[1] == 4
    assert prepared(songs[2:], tmp_path / "store")[1] == 2
    assert len(samples_in(tmp_path / "store")) == 6


def _use(songs):
    """In another process, so that the songs are not in use afterwards."""
    folder = usual_folder(songs, sum(os.path.getsize(s) / 2 / RATE for s in songs), RATE, "int16")
    return folder if folder is None else prepare(songs, folder).folder


def _elsewhere(work, *arguments):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def test_what_was_used_longest_ago_makes_room(songs, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    collections = []
    for number in range(3):
        folder = tmp_path / f"collection-{number}"
        folder.mkdir()
        collections.append([])
        for song in songs[:3]:  # 90 kB
            collections[-1].append(str(folder / os.path.basename(song)))
            Path(collections[-1][-1]).write_bytes(Path(song).read_bytes())
    monkeypatch.setenv("GENRENET_CACHE_GB", "2.2e-4")
    folder = _elsewhere(_use, collections[0])
    assert _elsewhere(_use, collections[1]) == folder
    assert _elsewhere(_use, collections[0]) == folder
    assert _elsewhere(_use, collections[2]) == folder
    held = set(PreparedStore(folder).paths)
    assert set(collections[0]) | set(collections[2]) <= held
    assert not set(collections[1]) <= held
    # This process now uses all there is: nothing can go, and songs are decoded where they are.
    prepare(collections[2], folder)
    prepare(collections[0], folder)
    assert _elsewhere(_use, collections[1]) is None
    assert set(collections[0]) | set(collections[2]) <= set(PreparedStore(folder).paths)
    monkeypatch.setenv("GENRENET_CACHE_GB", "much")
    with pytest.raises(CacheError, match="GENRENET_CACHE_GB: found 'much'"):
        _use([*songs])
