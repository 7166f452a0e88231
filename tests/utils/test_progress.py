"""Progress on standard error."""

import io
import sys
import threading
import time

import pytest

from genrenet.utils import progress
from genrenet.utils.progress import progress_bar, working


def test_nothing_is_said_of_what_is_done_soon(capsys):
    with progress_bar("counting") as show:
        for done in range(1, 4):
            show(done, 3)
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_a_line_is_written_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress_bar("counting") as show:
        time.sleep(0.02)
        show(3, 10)
        time.sleep(0.02)
        show(10, 10)
    told = capsys.readouterr()
    first, last = told.err.splitlines()
    assert first.startswith("counting: 3 of 10, ")
    assert last.startswith("counting: 10 of 10, ")
    assert last.endswith(", 0 min left")
    assert told.out == ""


def test_nothing_done_yet_has_no_end(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress_bar("counting") as show:
        time.sleep(0.02)
        show(0, 10)
    assert "0 of 10, 0.0/s, inf min left" in capsys.readouterr().err


def test_an_error_goes_through():
    with pytest.raises(KeyError, match="x"), progress_bar("counting"):
        raise KeyError("x")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def wait_for(shown, words):
    for _ in range(500):
        if words in shown.getvalue():
            return
        time.sleep(0.01)
    pytest.fail(words)


def test_a_terminal_shows_what_is_waited_for_before_there_are_numbers(monkeypatch):
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)

    with progress_bar("scanning") as show:
        wait_for(shown, "scanning ...")
        with working("loading a model"):
            wait_for(shown, "loading a model ...")
        show(1, 2)
        wait_for(shown, "1/2")
        threads = [one for one in threading.enumerate() if one.name.endswith("(_tell)")]
        assert not threads


def test_a_bar_takes_the_place_of_what_is_waited_for(monkeypatch):
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    shown, out = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(sys, "stdout", out)

    with working("judging"):
        wait_for(shown, "judging ...")
        print("a result")
        with progress_bar("features") as show:
            show(1, 2)
            wait_for(shown, "1/2")
            before = shown.getvalue().count("judging")
            time.sleep(0.3)
            assert shown.getvalue().count("judging") == before
        shown.truncate(0)
        wait_for(shown, "judging ...")
    assert out.getvalue() == "a result\n"
    assert not progress._shown.locked()
    assert progress._bars == progress._waits == []


def test_a_failure_meanwhile_ends_it(monkeypatch):
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with pytest.raises(ValueError, match="gone"), progress_bar("scanning"):
        raise ValueError("gone")
    with working("again"):
        pass
    assert not [one for one in threading.enumerate() if one.name.endswith("(_tell)")]
