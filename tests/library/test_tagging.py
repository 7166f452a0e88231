"""Writing a table's genres into files and undoing it, also after interruptions."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from contextlib import closing

import numpy as np
import pytest
import soundfile as sf

from genrenet.library.genre_tags import read_genre, write_genre
from genrenet.library.table import About, read_rows, read_table, write_rows
from genrenet.library.tag_plans import Outcome, Wish
from genrenet.library.tagging import tag_songs, undo_tags
from genrenet.library.undo_file import read_changes
from genrenet.utils.file_stamp import FileStamp
from tests.helpers.audio_files import encode, signal as sweep
from tests.helpers.child_processes import heeding_interrupts
from tests.helpers.scanned_songs import add_song, row
from tests.helpers.tagged_files import make

ABOUT = About(["rock", "pop"], "model")


@pytest.fixture(params=[".parquet", ".sqlite"])
def table(request, tmp_path):
    """A table of songs of every sort."""
    songs = {name: tmp_path / f"{name}.flac" for name in ("a", "b", "c", "d", "e", "f", "g", "h")}
    old = {"b": ["Soul", "Funk"], "c": ["rock"]}
    for name, path in songs.items():
        add_song(path, old.get(name))
    rows = [
        row(songs["a"]),
        row(songs["b"]),
        row(songs["c"]),
        row(songs["d"], confidence=0.3),
        row(songs["e"], genre=None, confidence=None, error="cannot read it"),
        row(songs["f"], genre="pop"),
        row(songs["g"]),
        row(songs["h"]),
    ]
    songs["g"].unlink()
    songs["h"].write_text("no music")
    rows[7] |= {"size": 8, "sample": None}
    file = tmp_path / f"library{request.param}"
    write_rows(file, rows, ABOUT)
    return file


def undo_of(table):
    return table.with_name("undo.jsonl")


OVER = Wish(keep_existing=False)


def tag(table, wish=OVER, **more):
    return {os.path.basename(found.path)[0]: found for found in tag_songs(table, wish, **more)}


def genres(table):
    found = {}
    for song in read_rows(table):
        if os.path.exists(song["path"]) and os.path.getsize(song["path"]) > 8:
            found[os.path.basename(song["path"])[0]] = read_genre(song["path"])
    return found


def is_current(song):
    return FileStamp.of(song) == FileStamp.now(song["path"], sampled=song["sample"] is not None)


def test_a_dry_run_says_what_a_run_does(table):
    was, seen = genres(table), table.read_bytes()
    files = sorted(os.listdir(table.parent))
    planned = tag(table)
    assert [planned[name].kind for name in "abcdefgh"] == [
        "tagged", "tagged", "same", "unsure", "nothing", "tagged", "gone", "failed",
    ]  # fmt: skip
    assert (planned["b"].old, planned["b"].new) == (["Soul", "Funk"], ["rock"])
    assert (planned["a"].old, planned["a"].new) == (None, ["rock"])
    assert "g.flac" in planned["g"].error
    assert "h.flac" in planned["h"].error
    assert genres(table) == was
    assert table.read_bytes() == seen
    assert sorted(os.listdir(table.parent)) == files
    shown = []
    done = tag(table, undo=undo_of(table), show=lambda *told: shown.append(told))
    assert done == planned
    assert shown[-1] == (8, 8)


def test_the_table_follows_what_was_written(table):
    before = read_table(table)
    tag(table, undo=undo_of(table))
    assert genres(table) == {
        **{name: ["rock"] for name in "abc"},
        **{"d": None, "e": None, "f": ["pop"]},
    }
    after = read_table(table)
    assert before.drop(columns=[*FileStamp._fields]).equals(
        after.drop(columns=[*FileStamp._fields])
    )
    assert all(is_current(song) for song in read_rows(table) if song["path"][-6] in "abcdef")
    state = table.stat().st_mtime_ns
    assert Counter(found.kind for found in tag(table, undo=undo_of(table)).values()) == {
        "same": 4, "unsure": 1, "nothing": 1, "gone": 1, "failed": 1,
    }  # fmt: skip
    assert table.stat().st_mtime_ns == state


def test_wishes(table):
    found = tag(table, Wish(0.95))
    assert found["a"].kind == "unsure"
    found = tag(table, Wish(0.2, {"rock": ("Rock", "Metal"), "pop": ()}))
    assert (found["a"].new, found["d"].new) == (["Rock", "Metal"], ["Rock", "Metal"])
    assert (found["b"].kind, found["c"].kind, found["f"].kind) == ("kept", "kept", "unmapped")


def test_files_changed_since_the_scan(table):
    paths = {name: table.with_name(f"{name}.flac") for name in "abf"}
    os.utime(paths["a"], (5, 5))  # copied: another time, the same size
    write_genre(str(paths["b"]), ["A longer genre" * 2000])
    rows = {song["path"]: (song["size"], song["mtime"]) for song in read_rows(table)}
    found = tag(table, undo=undo_of(table))
    assert (found["a"].kind, found["b"].kind, found["f"].kind) == ("tagged", "changed", "tagged")
    assert "b.flac" in found["b"].error
    assert (
        tag(table, Wish(force=True, keep_existing=False), undo=undo_of(table))["b"].kind == "tagged"
    )
    assert read_genre(str(paths["b"])) == ["rock"]
    # The next scan still has to look at what it does not know.
    known = {song["path"]: (song["size"], song["mtime"]) for song in read_rows(table)}
    for name, kept in (("a", False), ("b", True), ("f", False)):
        assert (known[str(paths[name])] == rows[str(paths[name])]) == kept


@pytest.mark.parametrize("how", ["swapped", "swapped, one time", "rewritten", "one of many bytes"])
@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
def test_another_song_of_the_same_size_is_not_tagged(tmp_path, how, suffix):
    """Two songs as a program makes them: one length, one moment."""
    rng = np.random.default_rng(3)
    one, two = tmp_path / "one.wav", tmp_path / "two.wav"
    for path in (one, two):
        sf.write(path, 0.1 * rng.standard_normal(100_000), 8000)
        os.utime(path, (7, 7) if how != "swapped" else None)
    assert one.stat().st_size == two.stat().st_size
    file = tmp_path / f"library{suffix}"
    write_rows(file, [row(one, "rock"), row(two, "pop")], ABOUT)
    if how.startswith("swapped"):
        one.rename(tmp_path / "held")
        two.rename(one)
        (tmp_path / "held").rename(two)
    else:
        data = bytearray(two.read_bytes())
        if how == "rewritten":
            data[44:] = bytes(len(data) - 44)
        else:
            data[60] ^= 1
        for path in (one, two):
            path.write_bytes(data)
            os.utime(path, (7, 7))
    found = list(tag_songs(file, Wish(), undo=undo_of(file)))
    assert [outcome.kind for outcome in found] == ["changed", "changed"]
    assert read_genre(str(one)) is read_genre(str(two)) is None


def test_tables_without_samples_go_by_size_and_time(tmp_path):
    path, file = tmp_path / "a.flac", tmp_path / "library.parquet"
    add_song(path)
    write_rows(file, [row(path, sample=None, file_id=None)], ABOUT)
    os.utime(path, (5, 5))
    assert [found.kind for found in tag_songs(file, Wish())] == ["changed"]
    write_rows(file, [row(path, sample=None, file_id=None)], ABOUT)
    assert [found.kind for found in tag_songs(file, Wish(), undo=undo_of(file))] == ["tagged"]
    (song,) = read_rows(file)
    assert song["sample"] is not None
    assert is_current(song)


def test_undo(table):
    was, undo = genres(table), undo_of(table)
    tag(table, undo=undo)
    lines = [json.loads(line) for line in undo.read_text().splitlines()]
    assert lines[1] == {
        "path": str(table.with_name("b.flac")),
        "old": ["Soul", "Funk"],
        "new": ["rock"],
        "table": str(table),
    }
    done = genres(table)
    planned = list(undo_tags(undo))
    assert genres(table) == done
    assert planned[0] == Outcome(lines[0]["path"], "tagged", ["rock"], None)
    assert list(undo_tags(undo, write=True)) == planned
    assert genres(table) == was
    assert all(is_current(song) for song in read_rows(table) if song["path"][-6] in "abcdef")
    assert {found.kind for found in undo_tags(undo, write=True)} == {"same"}


def test_undo_proves_the_audio_too(tmp_path):
    """A former genre that no longer fits moves what an index of fragments points at."""
    path, undo = tmp_path / "song.m4a", tmp_path / "undo.jsonl"
    flags = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
    options = {"movflags": flags, "frag_duration": "500000"}
    encode(path, sweep(3.0, 44_100), 44_100, "aac", container="mp4", options=options)
    write_genre(str(path), ["rock"])
    with open(path, "ab") as held:
        held.write(b"\0\0\0\x08mfra")
    was = path.read_bytes()
    line = {"path": str(path), "old": ["x" * 20_000], "new": ["rock"], "table": "gone.parquet"}
    undo.write_text(json.dumps(line) + "\n")
    (found,) = undo_tags(undo, write=True)
    assert found.kind == "failed"
    assert "song.m4a' is not changed" in found.error
    assert path.read_bytes() == was


def test_undo_of_several_runs(table):
    was, undo = genres(table), undo_of(table)
    for name in ("Rock", "Metal", "Rock", "Indie"):
        tag(table, Wish(names={"rock": (name,)}, keep_existing=False), undo=undo)
    assert genres(table)["a"] == ["Indie"]
    planned = list(undo_tags(undo))
    assert planned[0] == Outcome(str(table.with_name("a.flac")), "tagged", ["Indie"], None)
    assert [found.kind for found in planned] == ["tagged"] * 4
    list(undo_tags(undo, write=True))
    assert genres(table) == was


def test_undo_leaves_alone_what_others_wrote(table):
    undo = undo_of(table)
    tag(table, undo=undo)
    write_genre(str(table.with_name("a.flac")), ["My own"])
    table.with_name("b.flac").unlink()
    table.with_name("f.flac").write_text("no music")
    found = {os.path.basename(one.path)[0]: one for one in undo_tags(undo, write=True)}
    assert {name: one.kind for name, one in found.items()} == {
        "a": "changed", "b": "gone", "f": "failed",
    }  # fmt: skip
    assert "My own" in found["a"].error
    assert read_genre(str(table.with_name("a.flac"))) == ["My own"]
    # What was written after a change of others is taken back, that change is not.
    add_song(table.with_name("f.flac"))
    tag(table, Wish(force=True, keep_existing=False), undo=undo)
    assert Counter(one.kind for one in undo_tags(undo, write=True)) == {"tagged": 2, "gone": 1}
    assert read_genre(str(table.with_name("a.flac"))) == ["My own"]


def test_the_way_back_is_known_before_a_file_is_touched(tmp_path):
    song = make(tmp_path, "lame.mp3")
    frame = b"XYZ\x00\x00\x05\x00what"  # version 2.2, of no later one: read, but not written
    song.write_bytes(b"ID3\x02\x00\x00\x00\x00\x00\x0b" + frame + song.read_bytes())
    was, undo = song.read_bytes(), tmp_path / "undo"
    write_rows(tmp_path / "library.db", [row(song)], ABOUT)
    (found,) = tag_songs(tmp_path / "library.db", Wish(), undo=undo)
    assert found.kind == "failed"
    assert song.read_bytes() == was
    assert [change[0] for change in read_changes(undo)] == [str(song)]
    assert [found.kind for found in undo_tags(undo, write=True)] == ["same"]


def test_names_that_are_not_utf8(tmp_path):
    path = os.path.join(tmp_path, os.fsdecode(b"caf\xe9.flac"))
    add_song(path)
    table, undo = tmp_path / "library.parquet", tmp_path / "undo"
    write_rows(table, [row(path)], ABOUT)
    assert [found.kind for found in tag_songs(table, Wish(), undo=undo)] == ["tagged"]
    assert read_genre(path) == ["rock"]
    assert next(read_rows(table))["mtime"] == os.stat(path).st_mtime_ns
    assert [found.kind for found in undo_tags(undo, write=True)] == ["tagged"]
    assert read_genre(path) is None


def test_a_run_that_is_left_early_has_told_the_table(table):
    with closing(tag_songs(table, Wish(), undo=undo_of(table))) as outcomes:
        next(outcomes)
    assert genres(table)["a"] == ["rock"]
    assert genres(table)["b"] == ["Soul", "Funk"]
    assert all(is_current(song) for song in read_rows(table) if song["path"][-6] in "abf")


PROGRAM = """
import sys
from genrenet.cli.tag import run
run("tag", sys.argv[1:])
"""


def interrupted(table, undo, how):
    """A run over many songs, sent a signal when it has done some."""
    command = [sys.executable, "-c", PROGRAM, str(table), "--write", "--undo-file", str(undo)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    ran = subprocess.Popen(command, preexec_fn=heeding_interrupts, **quiet)
    while not (undo.exists() and undo.read_bytes().count(b"\n") > 20):
        assert ran.poll() is None
        time.sleep(0.001)
    ran.send_signal(how)
    ran.wait()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_leaves_nothing_unknown(tmp_path, how):
    paths = [tmp_path / f"{number:04}.flac" for number in range(200)]
    for path in paths:
        add_song(path)
    audio = sf.read(paths[0])[0]
    table, undo = tmp_path / "library.parquet", tmp_path / "undo"
    write_rows(table, [row(path) for path in paths], ABOUT)
    interrupted(table, undo, how)
    written = {str(path) for path in paths if read_genre(str(path))}
    told = {json.loads(line)["path"] for line in undo.read_bytes().splitlines(keepends=True)}
    assert 20 <= len(written) < 200
    assert written <= told
    assert len(told) - len(written) <= 1
    for path in paths:
        np.testing.assert_array_equal(sf.read(path)[0], audio)
    if how == signal.SIGINT:
        current = [is_current(song) for song in read_rows(table)]
        assert current.count(False) <= 1  # a file replaced, and its state not yet asked
        assert not list(tmp_path.glob(".*.part"))
    # The run goes on where it stopped, and all of it can be taken back.
    kinds = Counter(found.kind for found in tag_songs(table, Wish(), undo=undo))
    assert kinds == {"same": len(written), "tagged": 200 - len(written)}
    assert {found.kind for found in undo_tags(undo, write=True)} == {"tagged"}
    assert not any(read_genre(str(path)) for path in paths)


def peak(table):
    tracemalloc.start()
    count = sum(1 for _ in tag_songs(table, Wish(), undo=table.with_name("undo")))
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, size


def test_memory_does_not_grow_with_the_table(tmp_path):
    sizes = []
    for count in (5_000, 40_000):
        table = tmp_path / f"{count}.parquet"
        rows = ({"path": f"/{n:09}", "genre": "rock", "confidence": 0.1} for n in range(count))
        write_rows(table, rows, ABOUT)
        found, size = peak(table)
        assert found == count
        sizes.append(size)
    assert sizes[1] < sizes[0] + 2**20
