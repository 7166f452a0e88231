"""Files that are written atomically."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genrenet.utils.atomic import part_of, put_in_place, replacing, write_text

KILLED = """
import os, signal, sys
from genrenet.utils.atomic import replacing
with replacing(sys.argv[1]) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "songs.csv"
    file.write_text("old")
    with replacing(file) as part:
        part.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    file = tmp_path / "songs.csv"
    file.write_text("old")

    def write() -> None:
        with replacing(file) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "songs.csv"
    file.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.read_text() == "old"
    (left,) = set(tmp_path.iterdir()) - {file}
    assert left.name.startswith(".songs.csv.")
    assert left.name.endswith(".part")


def test_what_a_killed_process_left_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "songs.csv"
    part_of(file).write_text("left")
    with replacing(file):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_replaces_nothing(tmp_path: Path) -> None:
    file = tmp_path / "songs.csv"
    file.write_text("old")
    with replacing(file):
        pass
    assert file.read_text() == "old"


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "songs.csv").mkdir()
    with pytest.raises(OSError, match=r"songs\.csv"):
        write_text(tmp_path / "songs.csv", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["songs.csv"]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "text")
    reader.join(60)
    assert read == ["text"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127, "\N{MUSICAL SYMBOL G CLEF}" * 63])
def test_the_longest_names_can_be_written(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_threads_write_files_of_their_own(tmp_path: Path) -> None:
    names = {part_of(tmp_path / "x")}
    other = threading.Thread(target=lambda: names.add(part_of(tmp_path / "x")))
    other.start()
    other.join()
    assert len(names) == 2
    assert {name.parent for name in names} == {tmp_path}


@pytest.mark.parametrize("sync", [True, False])
def test_only_what_must_outlive_a_power_failure_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: bool
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    write_text(tmp_path / "a", "text", sync=sync)
    (tmp_path / "b").touch()
    put_in_place(tmp_path / "b", tmp_path / "c", sync=sync)
    assert len(waited) == 2 * sync


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "é\r\n\n")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xa9\r\n\n"
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "x", "\udce9")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xa9\r\n\n"
    write_text(tmp_path / "x", "\udce9", errors="backslashreplace")
    assert (tmp_path / "x").read_text() == "\\udce9"
