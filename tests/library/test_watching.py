"""Watching a library: its table equals that of a fresh scan after any changes."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
import soundfile

from genrenet.library import watching
from genrenet.library.changes import ScanError
from genrenet.library.corrections import correct
from genrenet.library.journal import Unfinished, parts_folder
from genrenet.library.locking import TableBusy
from genrenet.library.scanning import Scan, identity_of, scan
from genrenet.library.table import read_table
from genrenet.library.tagging import Wish, tag_songs
from genrenet.library.watching import Watcher
from genrenet.utils.politeness import Pauses
from tests.helpers.tones import RATE, tone

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, to save time")


class Watched:
    """A watcher that is led step by step, and what it says."""

    def __init__(self, how, **options):
        self.counts, self.lines = [], []
        options = {"still": 0.2, **options}
        self.watcher = Watcher(how, self.counts.append, self.lines.append, **options)
        self.out, self.how = how.out, how

    def until(self, condition=None, seconds=30):
        condition = condition or (lambda: self.watcher.idle)
        end = time.monotonic() + seconds
        time.sleep(0.05)
        while not condition():
            assert time.monotonic() < end, self.lines
            self.watcher.step()

    @property
    def names(self):
        return {os.path.basename(path) for path in read_table(self.out)["path"]}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("CHECK_SECONDS", "WRITE_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(watching, name, 0.2)


@pytest.fixture
def how(library, model, checkpoint, tmp_path):
    """A small library, and how it is scanned."""
    for song in [*library.rglob("*.wav")][6:]:
        song.unlink()
    identity = identity_of(checkpoint)
    return Scan([library], tmp_path / "t.parquet", model, identity, workers=1, watching=True)


@pytest.fixture
def watched(how):
    held = Watched(how)
    with held.watcher as watcher:
        watcher.begin()
        yield held


def fresh(how, tmp_path):
    scan(how.libraries, tmp_path / "fresh.parquet", how.model, how.checkpoint, workers=1)
    return read_table(tmp_path / "fresh.parquet")


@pytest.mark.long
@LINUX
def test_random_changes_and_a_kill_end_in_the_table_of_a_fresh_scan(checkpoint, tmp_path):
    given = [str(tmp_path), str(checkpoint), "--changes", "40", "--kills", "1"]
    command = [sys.executable, "-m", "tests.helpers.library_changes", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == 1
    assert found["songs"] > 6


@pytest.mark.parametrize("poll", [None, 0.3])
def test_what_comes_moves_and_goes(poll, how, library, tmp_path):
    held = Watched(how, poll=poll)
    with held.watcher as watcher:
        watcher.begin()
        songs = sorted(library.rglob("*.wav"))
        soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
        songs[0].rename(library / "moved.wav")
        songs[1].unlink()
        held.until(lambda: held.names >= {"new.wav", "moved.wav"} and watcher.idle)
        found = [sum(getattr(c, n) for c in held.counts[1:]) for n in ("new", "moved", "gone")]
        assert found == [1, 1, 1] if poll is None else found[:2] == [1, 1]
        assert read_table(how.out).equals(fresh(how, tmp_path))
    assert held.lines == []
    assert not parts_folder(how.out).exists()


def test_half_written_songs_are_not_scored(watched, library, tmp_path):
    soundfile.write(tmp_path / "whole.wav", tone(150, 4.0), RATE)
    data = (tmp_path / "whole.wav").read_bytes()
    with open(library / "slow.wav", "wb") as file:
        for part in range(5):
            file.write(data[part * len(data) // 5 : (part + 1) * len(data) // 5])
            file.flush()
            end = time.monotonic() + 0.12
            while time.monotonic() < end:
                watched.watcher.step()
            assert watched.counts[1:] == []
    watched.until()
    assert [(counts.new, counts.changed) for counts in watched.counts[1:]] == [(1, 0)]


def test_others_may_work_on_the_table_between_updates(watched, library, tmp_path):
    song = next(library.rglob("*.wav"))
    correct(watched.out, {str(song): "polka"})
    song.rename(library / "moved.wav")
    soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
    watched.until()
    scan(watched.how.libraries, watched.out, watched.how.model, watched.how.checkpoint)
    kept = read_table(watched.out).set_index("path")["correction"].dropna().to_dict()
    assert kept == {str(library / "moved.wav"): "polka"}
    assert watched.lines == []


def test_songs_that_genrenet_tags_are_no_news(watched, tmp_path):
    done = list(tag_songs(watched.out, Wish(0, keep_existing=False), undo=tmp_path / "undo"))
    assert {outcome.kind for outcome in done} == {"tagged"}
    tagged = read_table(watched.out)
    watched.until(lambda: watched.watcher._pending)
    watched.until()
    assert watched.counts[1:] == []
    assert read_table(watched.out).equals(tagged)


def test_only_one_watches(watched):
    with pytest.raises(TableBusy, match="another 'genrenet scan --watch'"):
        Watched(watched.how).watcher.__enter__()


@pytest.mark.parametrize("kind", ["gone", "empty"])
def test_a_library_that_vanishes_and_comes_back(kind, watched, library, tmp_path):
    before = read_table(watched.out)
    library.rename(tmp_path / "elsewhere")
    if kind == "empty":
        library.mkdir()
    watched.until(lambda: watched.lines)
    for _ in range(5):
        watched.watcher.step()
    assert len(watched.lines) == 1
    assert f"'{library}' is empty" in watched.lines[0]
    assert read_table(watched.out).equals(before)
    if kind == "empty":
        library.rmdir()
    soundfile.write(tmp_path / "elsewhere" / "new.wav", tone(900, 4.0), RATE)
    (tmp_path / "elsewhere").rename(library)
    watched.until(lambda: "new.wav" in watched.names)
    soundfile.write(library / "newer.wav", tone(900, 3.0), RATE)
    watched.until(lambda: "newer.wav" in watched.names)
    assert watched.lines[1:] == [f"'{library}' is available again"]


def test_one_of_two_libraries_vanishes(how, library, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    soundfile.write(other / "other.wav", tone(900, 4.0), RATE)
    how.libraries.append(str(other))
    held = Watched(how)
    with held.watcher as watcher:
        watcher.begin()
        assert "other.wav" in held.names
        other.rename(tmp_path / "elsewhere")
        soundfile.write(library / "new.wav", tone(900, 3.0), RATE)
        held.until(lambda: held.lines and "new.wav" in held.names and watcher.idle)
        assert len(held.lines) == 1
        assert "other.wav" in held.names
        soundfile.write(tmp_path / "elsewhere" / "newer.wav", tone(150, 3.0), RATE)
        (tmp_path / "elsewhere").rename(other)
        held.until(lambda: "newer.wav" in held.names and watcher.idle)
        assert held.lines[1:] == [f"'{other}' is available again"]
        how.libraries = [str(library), str(other)]
        assert read_table(how.out).equals(fresh(how, tmp_path))


def test_one_that_is_away_at_the_start_is_waited_for(how, library, tmp_path):
    with pytest.raises(ScanError, match="there is no"):  # nobody has ever seen it
        Watched(Scan([library / "no"], how.out, how.model, "m@1")).watcher.begin()
    how.run()
    library.rename(tmp_path / "elsewhere")
    held = Watched(how)
    with held.watcher as watcher:
        watcher.begin()
        assert len(held.lines) == 1
        soundfile.write(tmp_path / "elsewhere" / "new.wav", tone(900, 4.0), RATE)
        (tmp_path / "elsewhere").rename(library)
        held.until(lambda: "new.wav" in held.names)


def test_a_table_that_cannot_be_written_is_written_later(watched, library):
    parts = parts_folder(watched.out)
    parts.write_text("in the way")  # as a folder that is read-only is, for root too
    soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
    watched.until(lambda: watched.lines)
    for _ in range(5):
        watched.watcher.step()
    assert len(watched.lines) == 1
    assert "cannot write" in watched.lines[0]
    parts.unlink()
    watched.until(lambda: "new.wav" in watched.names)
    assert watched.lines[1:] == ["works again"]


def test_a_table_that_is_deleted_is_made_again(watched):
    watched.out.unlink()
    watched.until(lambda: watched.out.exists() and watched.watcher.idle)
    assert len(watched.names) == 6


def test_a_table_of_another_model_ends_it(watched, library, model, tmp_path):
    scan([library], watched.out, model, "other@1", restart=True)
    soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
    with pytest.raises(ScanError, match="made by another model"):
        watched.until(lambda: False)


class Resting(Pauses):
    def __init__(self):
        super().__init__()
        self.why = ""

    def reason(self):
        return self.why


def test_while_it_rests_moved_songs_are_followed_and_new_ones_wait(how, library):
    pauses = Resting()
    held = Watched(how, pauses=pauses)
    with held.watcher as watcher:
        watcher.begin()
        pauses.why = "on battery"
        soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
        next(library.rglob("bass*.wav")).rename(library / "moved.wav")
        held.until(lambda: "moved.wav" in held.names)
        soundfile.write(library / "newer.wav", tone(900, 3.0), RATE)
        held.until(lambda: len(watcher._left) == 2)
        assert held.lines == ["on battery: 1 songs wait"]
        assert not held.names & {"new.wav", "newer.wav"}
        pauses.why = ""
        held.until(lambda: held.names >= {"new.wav", "newer.wav"})
        assert held.lines[1:] == ["continuing"]


def test_a_first_scan_rests_too(how):
    pauses = Resting()
    pauses.why = "on battery"
    held = Watched(how, pauses=pauses)
    threading.Timer(1.0, lambda: setattr(pauses, "why", "")).start()
    with held.watcher as watcher:
        watcher.begin()
    assert [(counts.new, len(counts.left)) for counts in held.counts] == [(0, 6), (6, 0)]
    assert held.lines == ["on battery: 6 songs wait", "continuing"]


def test_what_is_found_is_safe_before_the_table_is_written(watched, library, monkeypatch):
    monkeypatch.setattr(watching, "WRITE_SECONDS", 3600)
    watched.watcher._wrote(0)
    soundfile.write(library / "new.wav", tone(900, 4.0), RATE)
    watched.until(lambda: watched.counts[1:])
    assert [os.path.basename(path) for path in Unfinished(watched.out).keys] == ["new.wav"]
    assert "new.wav" not in watched.names
    watched.watcher.__exit__(None, None, None)
    assert "new.wav" in watched.names


def test_linked_folders_are_watched_too(how, library, tmp_path):
    (tmp_path / "far" / "album").mkdir(parents=True)
    shutil.copy(next(library.rglob("*.wav")), tmp_path / "far" / "a.wav")
    (library / "link").symlink_to(tmp_path / "far")
    held = Watched(how)
    with held.watcher as watcher:
        watcher.begin()
        soundfile.write(tmp_path / "far" / "album" / "new.wav", tone(900, 4.0), RATE)
        held.until(lambda: "new.wav" in held.names)
        (tmp_path / "later").mkdir()
        soundfile.write(tmp_path / "later" / "b.wav", tone(900, 3.0), RATE)
        (library / "second").symlink_to(tmp_path / "later")
        held.until(lambda: "b.wav" in held.names)
        soundfile.write(tmp_path / "later" / "c.wav", tone(150, 3.0), RATE)
        held.until(lambda: "c.wav" in held.names)
        assert read_table(how.out).equals(fresh(how, tmp_path))
        (library / "link").unlink()
        held.until(lambda: "a.wav" not in held.names)
        assert len(held.names) == 8
