"""``genrenet scan --watch``, end to end."""

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import soundfile

from genrenet.cli import main
from genrenet.library import watching
from genrenet.library.journal import Unfinished
from genrenet.library.locking import watch_lock
from genrenet.library.table import read_table
from tests.helpers.tones import RATE, tone

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")


@pytest.fixture
def arguments(music, checkpoint, tmp_path):
    (tmp_path / "library").mkdir()
    for song in sorted(Path(music, "bass").glob("*.wav"))[:3]:
        shutil.copy(song, tmp_path / "library")
    out = str(tmp_path / "g.parquet")
    return ["scan", str(tmp_path / "library"), "--out", out, "--checkpoint", str(checkpoint)]


@pytest.fixture
def interruptible():
    """Shells let programs in the background ignore Ctrl-C, and so do all that these start."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@POSIX
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_follows_until_it_is_ended(how, interruptible, arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(watching, "WRITE_SECONDS", 3600)
    monkeypatch.setitem(watching.Watcher.__init__.__kwdefaults__, "still", 0.2)

    def change_and_end():
        deadline = time.monotonic() + 60
        while not (tmp_path / "g.parquet").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        soundfile.write(tmp_path / "library" / "new.wav", tone(150, 4.0), RATE)
        (tmp_path / "library" / "bass-0.wav").rename(tmp_path / "library" / "moved.wav")
        found = set()
        while not found >= {"new.wav", "moved.wav"} and time.monotonic() < deadline:
            found = {os.path.basename(path) for path in Unfinished(tmp_path / "g.parquet").keys}
            time.sleep(0.05)
        os.kill(os.getpid(), how)

    thread = threading.Thread(target=change_and_end)
    thread.start()
    assert main([*arguments, "--watch", "--workers", "1"]) == 0
    thread.join()
    names = {os.path.basename(path) for path in read_table(tmp_path / "g.parquet")["path"]}
    assert names == {"moved.wav", "bass-1.wav", "bass-2.wav", "new.wav"}
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "watching for changes" in shown.out
    assert "1 moved" in shown.out


def test_a_second_one_is_told_of_the_first(arguments, tmp_path, capsys):
    with watch_lock(tmp_path / "g.parquet"):
        assert main([*arguments, "--watch"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "another 'genrenet scan --watch'" in shown


def test_a_folder_that_is_not_there_is_one_line(arguments, tmp_path, capsys):
    arguments[3] = str(tmp_path / "no" / "g.parquet")
    assert main([*arguments, "--watch"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pause", "battery"], "go with --watch"),
        (["--poll", "5"], "go with --watch"),
        (["--watch", "--poll", "0"], "wanted 1 or more"),
        (["--watch", "--pause", "moon"], "found 'moon', wanted battery or load"),
        (["--nice", "20"], "wanted 0 to 19"),
    ],
)
def test_impossible_requests(options, words, arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, *options])
    assert words in capsys.readouterr().err
