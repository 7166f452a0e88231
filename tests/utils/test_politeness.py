"""Low priority, and pauses on battery or under load."""

import os
import subprocess
import sys
from collections import namedtuple

import psutil
import pytest

from genrenet.utils import politeness
from genrenet.utils.politeness import Pauses, on_battery

Battery = namedtuple("Battery", "percent secsleft power_plugged")
BURNING = "import time; print(flush=True); end = time.time() + 20\nwhile time.time() < end: pass"


@pytest.mark.parametrize(
    ("found", "expected"),
    [(None, False), (Battery(50, 100, False), True), (Battery(50, -2, True), False)],
)
def test_on_battery(found, expected, monkeypatch):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: found, raising=False)
    assert on_battery() is expected
    assert Pauses(["battery"]).reason() == ("on battery" if expected else "")
    assert Pauses().reason() == ""


def test_others_that_are_busy_and_own_work(monkeypatch):
    monkeypatch.setattr(politeness, "LOOK_SECONDS", 0.4)
    monkeypatch.setattr(politeness, "BUSY", -1.0)  # whatever else goes on here counts as busy
    monkeypatch.setattr(politeness, "CALM", 100.0)
    pauses = Pauses(["load"])
    assert pauses.reason() == ""  # too soon to tell
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)"], check=True)
    assert pauses.reason() == "other programs are busy"
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)"], check=True)
    assert pauses.reason() == ""


def test_own_work_and_that_of_children_is_not_the_others():
    all_before, own_before, _ = politeness._times()
    with subprocess.Popen([sys.executable, "-c", BURNING], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        while True:
            all_now, own_now, _ = politeness._times()
            if own_now - own_before > 0.5:
                break
        child.kill()
    assert all_now - all_before > own_now - own_before - 0.1


@pytest.mark.skipif(sys.platform == "win32", reason="has no niceness")
def test_priority():
    code = (
        "import os; from genrenet.utils.politeness import be_nice; be_nice(5); be_nice(3);"
        "print(os.nice(0)); be_nice(19); print(os.nice(0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, last = map(int, done.stdout.split())
    assert (first, last) == (max(5, os.nice(0)), 19)
