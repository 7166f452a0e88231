"""Streamed collections: the store's own samples and batches, from a folder and from an address."""

import functools
import http.server
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from litdata.streaming.downloader import (
    LocalDownloader,
    register_downloader,
    unregister_downloader,
)

from genrenet.cli import main
from genrenet.data.catalog import read_catalog
from genrenet.data.datamodule import GenreDataModule
from genrenet.data.decoded_store import prepare
from genrenet.data.litdata.cache import StreamedError
from genrenet.data.litdata.reader import StreamedSongs
from genrenet.data.litdata.writer import write_streamed

SONG = 2 * 5 * 12_000
"""Bytes of a song's samples."""


@pytest.fixture(scope="module")
def flawed(music, tmp_path_factory):
    """The songs of `music`, and one that cannot be read."""
    root = tmp_path_factory.mktemp("flawed")
    shutil.copytree(music, root, dirs_exist_ok=True)
    (root / "bass" / "bass-3b.mp3").write_text("no music")
    return root


@pytest.fixture(scope="module")
def written(flawed, tmp_path_factory):
    """All in one chunk."""
    folder = tmp_path_factory.mktemp("written")
    write_streamed(read_catalog(flawed), folder)
    return folder


@pytest.fixture(scope="module")
def chunked(flawed, tmp_path_factory):
    """Two songs a chunk."""
    folder = tmp_path_factory.mktemp("chunked")
    write_streamed(read_catalog(flawed), folder, chunk_bytes=int(2.5 * SONG))
    assert len(list(folder.glob("chunk-*.bin"))) == 12
    return folder


@pytest.fixture
def fetched():
    """How often each file was fetched from an address ``counted://``."""
    counts = Counter()

    class Counting(LocalDownloader):
        def download_fileobj(self, remote_filepath, fileobj):
            counts[os.path.basename(remote_filepath)] += 1
            fileobj.write(Path(remote_filepath.removeprefix("counted://")).read_bytes())

    register_downloader("counted://", Counting)
    yield counts
    unregister_downloader("counted://")


def _data(source, stage="fit", **settings):
    defaults = {"split": "stratified", "frame_seconds": 1.5, "batch_size": 4, "num_workers": 0}
    data = GenreDataModule(str(source), **{**defaults, **settings})
    data.prepare_data()
    data.setup(stage)
    return data


def _equal(ours, theirs):
    return all(torch.equal(ours[key], theirs[key]) for key in ours) and ours.keys() == theirs.keys()


@pytest.mark.parametrize("kind", ["written", "chunked"])
def test_holds_what_the_store_holds(flawed, kind, request, tmp_path):
    songs = StreamedSongs(str(request.getfixturevalue(kind)))
    store = prepare(read_catalog(flawed).table["path"], tmp_path / "store")
    assert songs.errors == store.errors
    assert len(songs.errors) == 1
    for path in store.paths:
        assert songs.length(path) == store.length(path)
        for start, count in [(0, 60_000), (17, 500), (59_990, 100)] if store.length(path) else []:
            ours, theirs = songs.read(path, start, count), store.read(path, start, count)
            assert ours[0].dtype == theirs[0].dtype
            assert np.array_equal(ours[0], theirs[0])
            assert ours[1] == theirs[1]
    assert songs.length("unknown") == 0


def test_songs_that_could_not_be_read_are_tried_again(music, tmp_path):
    source, folder = tmp_path / "music", tmp_path / "written"
    shutil.copytree(music, source)
    whole = read_catalog(source)
    hidden = source / "bass" / "bass-1.wav"
    hidden.rename(tmp_path / "held.wav")
    first = write_streamed(whole, folder)
    assert list(first.errors) == [str(hidden)]
    before = (folder / "streamed.json").stat().st_mtime_ns
    assert write_streamed(whole, folder).errors == first.errors
    assert (folder / "streamed.json").stat().st_mtime_ns == before
    (tmp_path / "held.wav").rename(hidden)
    again = write_streamed(whole, folder)
    assert not again.errors
    assert again.length(str(hidden)) == 60_000
    hidden.write_bytes((source / "bass" / "bass-2.wav").read_bytes())
    with pytest.raises(StreamedError, match="another streamed collection"):
        write_streamed(whole, folder)


def test_the_catalog_and_its_splits_are_those_of_the_folder(flawed, written):
    ours, theirs = StreamedSongs(str(written)).catalog, read_catalog(flawed)
    pd.testing.assert_frame_equal(ours.table, theirs.table)
    assert (ours.name, ours.genres) == (theirs.name, theirs.genres)
    streamed, folder = _data(written), _data(flawed)
    for part in ("train", "validation", "test"):
        assert list(streamed.part(part)["path"]) == list(folder.part(part)["path"])
    assert streamed.frames == folder.frames
    assert streamed.skipped == folder.skipped


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_those_of_the_store(flawed, chunked, workers):
    streamed = _data(chunked, num_workers=workers).train_dataloader()
    store = _data(flawed).train_dataloader()
    for epoch in (0, 1):
        streamed.sampler.set_epoch(epoch)
        store.sampler.set_epoch(epoch)
        pairs = list(zip(streamed, store, strict=True))
        assert len(pairs) >= 4
        assert all(_equal(ours, theirs) for ours, theirs in pairs)


def test_one_chunk_from_an_address_is_shuffled_as_the_store_is(flawed, written, tmp_path):
    streamed = _data(f"local:{written}", store=str(tmp_path / "cache"))
    ours, theirs = list(streamed.train_dataloader()), list(_data(flawed).train_dataloader())
    assert all(_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    held = {file.name for file in (tmp_path / "cache").rglob("*") if file.suffix == ".bin"}
    assert held == {"chunk-0-0.bin"}


def test_worker_processes_fetch_for_themselves(chunked, tmp_path):
    data = _data(f"local:{chunked}", "test", store=str(tmp_path), num_workers=2)
    helped, local = data.test_dataloader(), _data(chunked, "test").test_dataloader()
    for ours, theirs in zip(helped, local, strict=True):
        assert _equal(ours, theirs)


def test_a_collection_larger_than_the_cache_is_fetched_about_once(chunked, tmp_path, fetched):
    limit = 10 * SONG  # four of the twelve chunks
    songs = StreamedSongs(f"counted://{chunked}", cache=tmp_path, cache_bytes=limit)
    paths = [path for path in songs.catalog.table["path"] if songs.length(path)]
    local = StreamedSongs(str(chunked))
    fetched.clear()
    for path in paths:
        ours, theirs = songs.read(path, 0, 60_000), local.read(path, 0, 60_000)
        assert np.array_equal(ours[0], theirs[0])
        kept = [file.stat().st_size for file in tmp_path.rglob("chunk-*.bin")]
        assert sum(kept) <= limit
    assert set(fetched.values()) == {1}
    assert len(fetched) == 12
    songs.read(paths[0], 0, 10)  # long since removed
    songs.read(paths[-1], 0, 10)  # still there
    assert fetched["chunk-0-0.bin"] == 2
    assert sum(fetched.values()) == 13


def test_another_epoch_fetches_nothing_where_there_is_room(chunked, tmp_path, fetched):
    data = _data(f"counted://{chunked}", store=str(tmp_path))
    for epoch in (0, 1, 2):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)
        list(loader)
    chunks = [count for name, count in fetched.items() if name.startswith("chunk")]
    assert 8 <= len(chunks) <= 12
    assert set(chunks) == {1}


@pytest.fixture
def bucket(chunked, monkeypatch):
    """Address of the chunks on a server that speaks as much of S3 as reading takes."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    serve = functools.partial(Quiet, directory=chunked.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "any")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"s3://{chunked.name}"
        server.shutdown()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_object_store_is_read_like_a_folder(bucket, chunked, tmp_path, workers):
    data = _data(bucket, "test", store=str(tmp_path), num_workers=workers)
    loaders = data.test_dataloader(), _data(chunked, "test").test_dataloader()
    for ours, theirs in zip(*loaders, strict=True):
        assert _equal(ours, theirs)
    with pytest.raises(StreamedError, match=r"cannot download 'streamed\.json' from 's3://.*404"):
        StreamedSongs(f"{bucket}/nothing")


def test_a_new_edition_takes_the_place_of_the_old(flawed, tmp_path, chunked):
    source, cache = tmp_path / "source", tmp_path / "cache"
    shutil.copytree(chunked, source)
    path = StreamedSongs(str(source)).catalog.table["path"][0]
    StreamedSongs(f"local:{source}", cache=cache).read(path, 0, 10)
    shutil.rmtree(source)
    write_streamed(read_catalog(flawed), source)
    found, _ = StreamedSongs(f"local:{source}", cache=cache).read(path, 0, 1000)
    assert np.array_equal(found, StreamedSongs(str(chunked)).read(path, 0, 1000)[0])
    (kept,) = cache.rglob("chunk-*.bin")
    assert kept.stat().st_size == (source / kept.name).stat().st_size


def test_travels_to_worker_processes(chunked, tmp_path):
    for source in (str(chunked), f"local:{chunked}"):
        songs = StreamedSongs(source, cache=tmp_path)
        path = songs.catalog.table["path"][5]
        samples, _ = songs.read(path, 5, 50)
        again = pickle.loads(pickle.dumps(songs))
        assert np.array_equal(again.read(path, 5, 50)[0], samples)
        assert len(pickle.dumps(songs)) < 20_000


def test_a_half_written_folder_is_started_over(flawed, tmp_path):
    def stop(done, total):
        if done == 9:
            raise KeyboardInterrupt

    catalog, folder = read_catalog(flawed), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_streamed(catalog, folder, progress=stop, chunk_bytes=3 * SONG)
    left = list(folder.glob("chunk-*.bin"))
    assert left
    (folder / "index.json").write_text("{}")
    with pytest.raises(StreamedError, match=r"is incomplete: found no streamed\.json"):
        _data(folder)
    songs = write_streamed(catalog, folder)
    assert len(list(folder.glob("chunk-*.bin"))) == 1
    assert sum(songs.length(path) > 0 for path in catalog.table["path"]) == 24
    before = (folder / "streamed.json").stat().st_mtime_ns
    write_streamed(catalog, folder, progress=stop)  # whole and the same: nothing is decoded
    assert (folder / "streamed.json").stat().st_mtime_ns == before


def test_what_is_in_the_way_is_named(flawed, written, tmp_path):
    catalog = read_catalog(flawed)
    with pytest.raises(StreamedError, match=r"at 12000 Hz.* wanted .* at 8000 Hz; choose another"):
        write_streamed(catalog, written, sample_rate=8000)
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(StreamedError, match=r"not empty: found 'letter\.txt'"):
        write_streamed(catalog, tmp_path)
    with pytest.raises(StreamedError, match="aws s3 sync"):
        write_streamed(catalog, "s3://bucket/songs")
    with pytest.raises(StreamedError, match="cannot write"):
        write_streamed(catalog, tmp_path / "letter.txt" / "out")


def test_damage_and_other_rates_are_named(chunked, tmp_path):
    with pytest.raises(StreamedError, match="another sample rate: found 12000, wanted 16000"):
        _data(chunked, sample_rate=16_000)
    folder = tmp_path / "copy"
    shutil.copytree(chunked, folder)
    stamp = json.loads((folder / "streamed.json").read_text())
    (folder / "streamed.json").write_text(json.dumps({**stamp, "version": 99}))
    with pytest.raises(StreamedError, match="another version: found 99, wanted 2"):
        StreamedSongs(str(folder))
    (folder / "streamed.json").write_text(json.dumps({**stamp, "songs": 30}))
    with pytest.raises(StreamedError, match=r"24 songs in index\.json, 30 in"):
        StreamedSongs(str(folder))
    (folder / "streamed.json").write_text(json.dumps(stamp))
    os.truncate(folder / "chunk-0-2.bin", 100)
    (folder / "chunk-0-4.bin").unlink()
    with pytest.raises(StreamedError, match=r"'chunk-0-2\.bin' and 1 more missing or cut short"):
        StreamedSongs(str(folder))
    songs = StreamedSongs(f"local:{folder}", cache=tmp_path / "cache")
    paths = [path for path in songs.catalog.table["path"] if songs.length(path)]
    assert len(songs.read(paths[0], 0, 10)[0]) == 10
    with pytest.raises(StreamedError, match=r"found 100 bytes of 'chunk-0-2\.bin'"):
        songs.read(paths[4], 0, 10)
    with pytest.raises(StreamedError, match=r"cannot download 'chunk-0-4\.bin' from 'local:"):
        songs.read(paths[8], 0, 10)
    with pytest.raises(StreamedError, match=r"cannot download 'streamed\.json'"):
        _data(f"local:{tmp_path / 'nowhere'}")


def test_without_litdata_the_extra_is_named(chunked):
    code = (
        "import sys; sys.modules['litdata'] = None\n"
        "from genrenet.data.litdata.reader import StreamedSongs\n"
        "try: StreamedSongs(sys.argv[1])\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, chunked], capture_output=True, text=True, timeout=60
    )
    assert "pip install 'genrenet[cloud]'" in done.stdout, done.stderr


@pytest.mark.parametrize("between", [True, False])
def test_the_command_writes_chunks(flawed, tmp_path, capsys, between):
    out = tmp_path / "out"
    places = ["--format", "litdata", str(out)] if between else [str(out), "--format", "litdata"]
    assert main(["data", "prepare", str(flawed), *places]) == 1
    shown = capsys.readouterr()
    assert f"24 songs in {out}, 1 skipped" in shown.out
    assert "bass-3b.mp3" in shown.err
    assert len(StreamedSongs(str(out)).errors) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "litdata"], "DIR OUT"),
        (["out", "--format", "litdata", "--dtype", "float16"], "wanted int16"),
        (["out", "--store", "other"], "two folders"),
    ],
)
def test_options_that_do_not_go_together_are_named(music, options, words, capsys):
    assert main(["data", "prepare", str(music), *options]) == 2
    assert words in capsys.readouterr().err


def test_arguments_too_many_are_refused(music, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["data", "prepare", str(music), "one", "--format", "store", "two"])
    assert "unrecognized arguments: two" in capsys.readouterr().err
