"""Scans: the table is up to date, also after interruptions and errors."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import soundfile
import torch

from genrenet.inference.classify import open_method
from genrenet.library.changes import ScanError
from genrenet.library.corrections import correct
from genrenet.library.journal import Journal, Unfinished
from genrenet.library.scanning import Scan, identity_of, scan
from genrenet.library.table import TableError, read_about, read_rows, read_table, write_rows
from genrenet.utils.atomic import part_of
from tests.helpers.tones import RATE, tone


@pytest.mark.parametrize("name", ["genres.parquet", "genres.sqlite"])
def test_a_row_for_every_song(name, scanned, library, checkpoint, tmp_path):
    counts, table = scanned(name)
    assert (counts.songs, counts.new, counts.failed) == (24, 24, 0)
    assert table["path"].is_monotonic_increasing
    assert all(genre in path for genre, path in zip(table["genre"], table["path"], strict=True))
    scores = table[["score_bass", "score_middle", "score_treble"]]
    assert scores.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    assert (table["confidence"] == scores.max(axis=1)).all()
    assert (table["frames"] == 4).all()  # of 1.5 s, in 5 s
    assert table["duration"].to_numpy() == pytest.approx(5.0)
    assert set(table["checkpoint"]) == {identity_of(checkpoint)}
    assert table["error"].isna().all()
    first = os.stat(table["path"][0])
    assert (table["size"][0], table["mtime"][0]) == (first.st_size, first.st_mtime_ns)
    assert sorted(os.listdir(tmp_path)) == [f".{name}.lock", name, "library"]


def test_rows_say_what_scored_them(library, checkpoint, tmp_path):
    out, minor = tmp_path / "genres.parquet", ".".join(torch.__version__.split(".")[:2])
    single, half = (open_method(checkpoint, "cpu", precision) for precision in ("32", "bf16"))
    counts = scan([library], out, single, identity_of(checkpoint))
    assert counts.scored_by == {f"cpu, 32, torch {minor}": 24}
    soundfile.write(library / "middle" / "new.wav", tone(900, 4.0), RATE)
    counts = scan([library], out, half, identity_of(checkpoint))
    assert (counts.same, counts.new) == (24, 1)
    assert counts.scored_by == {f"cpu, 32, torch {minor}": 24, f"cpu, bf16, torch {minor}": 1}
    table = read_table(out).set_index("path")["scored_by"]
    assert table[str(library / "middle" / "new.wav")] == f"cpu, bf16, torch {minor}"
    counts = scan([library], out, half, identity_of(checkpoint), restart=True)
    assert counts.scored_by == {f"cpu, bf16, torch {minor}": 25}


def test_broken_files_have_a_row_and_the_rest_goes_on(scanned, library):
    (library / "bass" / "text.mp3").write_text("not music at all, but plenty of letters")
    (library / "bass" / "empty.wav").touch()
    counts, table = scanned()
    assert (counts.songs, counts.failed) == (26, 2)
    assert len(counts.errors) == 2
    broken = table[table["error"].notna()]
    assert set(broken["path"].map(os.path.basename)) == {"text.mp3", "empty.wav"}
    assert broken["genre"].isna().all()
    assert broken["confidence"].isna().all()
    again, same = scanned()
    assert (again.same, again.failed) == (26, 0)
    assert same.equals(table)
    retried, _ = scanned(retry=True)
    assert (retried.changed, retried.failed) == (2, 2)


def test_a_file_that_vanishes_or_grows_meanwhile(scanned, library):
    seen = []

    def meddle(done, total):
        if not seen:
            seen.append(total)
            (library / "treble" / "treble-7.wav").unlink()
            with open(library / "treble" / "treble-6.wav", "ab") as file:
                file.write(b"\0" * 1000)

    counts, table = scanned(progress=meddle, workers=1)
    assert counts.songs == 23
    names = set(table["path"].map(os.path.basename))
    assert "treble-7.wav" not in names
    row = table[table["path"].str.endswith("treble-6.wav")].iloc[0]
    assert row["size"] == (library / "treble" / "treble-6.wav").stat().st_size
    assert scanned()[0].same == 23


def test_one_scan_at_a_time(scanned, tmp_path):
    from filelock import FileLock

    with FileLock(tmp_path / ".genres.parquet.lock"), pytest.raises(TableError, match="another"):
        scanned()
    assert scanned()[0].songs == 24


def test_another_model_is_refused_until_asked_for(scanned, library, model, tmp_path):
    _, table = scanned()
    with pytest.raises(ScanError, match=r"found model\.ckpt@.*wanted .*frames 1.*--restart"):
        scanned(frames=1)
    with pytest.raises(ScanError, match="wanted other@1"):
        scan([library], tmp_path / "genres.parquet", model, "other@1")
    assert read_table(tmp_path / "genres.parquet").equals(table)
    counts, anew = scanned(frames=1, restart=True)
    assert counts.new == 24
    assert (anew["frames"] == 1).all()
    assert read_about(tmp_path / "genres.parquet").settings["frames"] == 1


def test_songs_that_were_covered_otherwise_are_scored_again_knowingly(scanned, tmp_path):
    scanned()
    out = tmp_path / "genres.parquet"
    about, rows = read_about(out), list(read_rows(out))
    older = {key: value for key, value in about.settings.items() if key != "coverage"}
    write_rows(out, rows, replace(about, settings=older))
    with pytest.raises(ScanError, match=r"wanted .*coverage 30 s or 2 frames.*--restart"):
        scanned()
    assert list(read_rows(out)) == rows
    counts, _ = scanned(restart=True)
    assert counts.new == 24
    assert read_about(out) == about
    assert scanned()[0].same == 24


def test_bad_requests_leave_nothing_behind(scanned, library, tmp_path):
    with pytest.raises(TableError, match="not a valid name for a library's table"):
        scanned("genres.txt")
    with pytest.raises(ScanError, match="create it first"):
        scanned("no/such/genres.parquet")
    with pytest.raises(ScanError, match="there is no"):
        scanned("genres.parquet", tmp_path / "nowhere")
    assert set(os.listdir(tmp_path)) <= {"library", ".genres.parquet.lock"}
    (tmp_path / "genres.parquet").write_text("no table")
    with pytest.raises(TableError, match="not the table"):
        scanned()


def test_an_interrupted_scan_writes_what_it_has_and_goes_on(scanned, tmp_path):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scanned(progress=interrupt)
    assert len(read_table(tmp_path / "genres.parquet")) == 5
    counts, table = scanned()
    assert (counts.same, counts.new) == (5, 19)
    assert table.equals(scanned("whole.parquet")[1])


def test_a_restart_that_is_killed_goes_on_as_one(scanned, library, model, tmp_path):
    scanned()
    out = tmp_path / "genres.parquet"
    about = read_about(out)
    Unfinished(out).restart()
    journal = Journal(out, 0, about)
    journal.add({"path": "/elsewhere/x.wav", "size": 1, "mtime": 1})
    journal.close()
    counts, _ = scanned()
    assert counts.changed + counts.new == 24


@pytest.mark.parametrize("name", ["the same", "another"])
def test_a_restart_that_rests_halfway_keeps_the_table_and_corrections(
    name, scanned, library, model, checkpoint, tmp_path
):
    scanned()
    out = tmp_path / "genres.parquet"
    songs = sorted(map(str, library.rglob("*.wav")))
    correct(out, dict.fromkeys(songs, "jazz"))
    before = read_table(out)
    identity = identity_of(checkpoint) + ("" if name == "the same" else "2")
    how, done = Scan([library], out, model, identity), []
    counts = how.run(
        restart=True, progress=lambda *far: done.append(far), enough=lambda: len(done) >= 2
    )
    assert counts.left
    assert read_table(out).equals(before)
    counts = how.run()
    assert (counts.songs, counts.left) == (24, [])
    after = read_table(out)
    assert set(after["checkpoint"]) == {identity}
    assert read_about(out).checkpoint == identity
    assert set(after["correction"]) == {"jazz"}


FORKING = """
import json, os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path
from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan
from genrenet.library.journal import Unfinished

library, out, checkpoint = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def child():
    pid = os.fork()
    if not pid:
        counts = scan([library], out, open_method(checkpoint), identity_of(checkpoint), workers=1)
        print(json.dumps([counts.same, counts.new + counts.moved]), flush=True)
        os._exit(0)
    return pid

rng, kept, killed = random.Random(7), [0], 0
for turn in range(10):
    pid, wanted = child(), kept[-1] + rng.randint(1, 12)
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        found = sum(file.read_bytes().count(b"\\n") for file in Path(f"{out}.parts").glob("*"))
        if found > wanted:
            time.sleep(rng.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed += 1
            break
    kept.append(len(Unfinished(out).keys))
print(json.dumps([killed, kept]), flush=True)
os.waitpid(child(), 0)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, to save time")
def test_killed_ten_times_the_table_is_that_of_one_run(library, checkpoint, scanned, tmp_path):
    for song in list(library.rglob("*.wav")):
        for copy in range(5):
            shutil.copy(song, song.with_stem(f"{song.stem}-{copy}"))
    out = tmp_path / "killed.parquet"
    command = [sys.executable, "-c", FORKING, str(library), str(out), str(checkpoint)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (killed, kept), (same, new) = map(json.loads, done.stdout.splitlines())
    assert killed == 10
    assert kept == sorted(kept)
    assert 20 < kept[-1] < 144
    assert (same, new) == (kept[-1], 144 - kept[-1])
    _, whole = scanned("whole.parquet")
    assert read_table(out).equals(whole)


FULL = """
import resource, signal, sys
from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan

library, out, checkpoint, limit = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = open_method(checkpoint)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
scan([library], out, model, identity_of(checkpoint))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
@pytest.mark.parametrize("limit", [3000, 6500])
def test_a_full_disk_loses_nothing(limit, library, checkpoint, scanned, tmp_path):
    out = tmp_path / "full.parquet"
    command = [sys.executable, "-c", FULL, str(library), str(out), str(checkpoint), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "cannot write" in last
    assert "free some space" in last
    assert not out.exists()
    kept = len(Unfinished(out).keys)
    assert 0 < kept < 24
    counts, table = scanned("full.parquet")
    assert (counts.same, counts.new) == (kept, 24 - kept)
    assert table.equals(scanned("whole.parquet")[1])


def test_a_table_that_cannot_be_put_in_place_keeps_the_journals(scanned, tmp_path):
    part = part_of(tmp_path / "genres.parquet")
    part.mkdir()
    with pytest.raises(TableError, match="cannot write the table"):
        scanned()
    part.rmdir()
    counts, table = scanned()
    assert (counts.same, len(table)) == (24, 24)


def test_a_restart_goes_on_with_the_same_command(scanned, tmp_path):
    _, table = scanned()

    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scanned(restart=True, progress=interrupt)
    assert read_table(tmp_path / "genres.parquet").equals(table)
    counts, again = scanned(restart=True)
    assert counts.new + counts.changed == 19
    assert again.equals(table)
