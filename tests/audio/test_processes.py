"""Decoding in separate processes: a hang, crash or memory error affects only one file."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from genrenet import audio
from genrenet.audio import processes
from genrenet.utils.errors import GenrenetError
from tests.helpers.audio_files import sine, wav


def _endless_wav(path: Path) -> Path:
    """A WAV whose LIST chunk makes libsndfile 1.2.2 seek back and forth without end."""
    items = b"INFOXXXX" + struct.pack("<I", 0xFFFFFFF8) + bytes(8)
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    body += b"LIST" + struct.pack("<I", 0x7FFFFFFF) + items
    body += b"data" + struct.pack("<I", 64) + bytes(64)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return wav(tmp_path / "song.wav", sine(440, 60.0, 44_100), 44_100)


def test_a_decoder_that_never_returns(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _endless_wav(tmp_path / "endless.wav")
    monkeypatch.setenv(processes.SECONDS, "3")
    for read in (audio.load, audio.probe, audio.fingerprint, lambda p: next(audio.stream(p))):
        before = time.monotonic()
        with pytest.raises(audio.DecodingLimitError, match="found no progress in 3 s") as caught:
            read(path)
        assert caught.value.path == path
        assert time.monotonic() - before < 30
        assert len(audio.load(song)) == 720_000


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")
@pytest.mark.parametrize("how", ["SIGSTOP", "SIGKILL", "SIGSEGV"])
def test_a_decoder_that_is_stopped_or_ended(
    song: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv(processes.SECONDS, "3")
    file = audio.AudioFile(song)
    blocks = file.stream(44_100, block_seconds=1.0)
    next(blocks)
    worker = file._source._worker
    assert worker is not None
    os.kill(worker.process.pid, getattr(signal, how))
    found = "no progress in 3 s" if how == "SIGSTOP" else f"its decoder was ended by {how}"
    with pytest.raises(audio.DecodingLimitError, match=found):
        list(blocks)
    file.close()
    assert worker.process.returncode is not None
    assert len(audio.load(song)) == 720_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's data")
def test_a_decoder_that_wants_all_memory(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.mp3"
    size = 200 << 20  # of a picture in an ID3 tag; the file takes no room on the disk
    inner = b"APIC" + size.to_bytes(4, "big") + bytes(2) + b"\0image/png\0\3\0"
    tag = size + 10
    seven = bytes((tag >> shift) & 127 for shift in (21, 14, 7, 0))
    with open(path, "wb") as file:
        file.write(b"ID3\3\0\0" + seven + inner)
        file.truncate(tag + 5000)
    monkeypatch.setenv(processes.MEGABYTES, "120")
    with pytest.raises(audio.AudioError):
        audio.load(path)
    assert len(audio.load(song)) == 720_000
    monkeypatch.setenv(processes.MEGABYTES, "1")
    with pytest.raises(audio.DecodingLimitError, match=r"too much memory|its decoder"):
        audio.load(song)


def test_processes_are_used_again(song: Path) -> None:
    audio.load(song)
    before = set(processes._POOL.all)
    for _ in range(5):
        audio.load(song, duration=1.0)
        blocks = audio.stream(song, block_seconds=0.1)
        next(blocks)
        blocks.close()  # with an answer still under way
    assert set(processes._POOL.all) == before


def test_many_threads(song: Path) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(audio.load(song)))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [720_000] * 6


_PROGRAM = """
import multiprocessing, os, sys
from genrenet import audio
from genrenet.audio import processes

def child(path):
    assert len(audio.load(path)) == 720_000

if __name__ == "__main__":
    path = sys.argv[1]
    audio.load(path)
    stream = audio.stream(path, block_seconds=1.0)
    next(stream)
    for method in ("fork", "spawn"):
        if method in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context(method)
            process = context.Process(target=child, args=(path,), daemon=True)
            process.start()
            process.join()
            assert process.exitcode == 0, method
    assert sum(map(len, stream)) == 59 * 12_000
    next(audio.stream(path))
    assert "torch" not in sys.modules
    print(*[worker.process.pid for worker in processes._POOL.all])
"""


def test_forks_daemons_and_the_end_of_the_program(tmp_path: Path, song: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", program, song],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    pids = list(map(int, done.stdout.split()))
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_in_this_process_where_that_is_asked_for(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = audio.load(song, offset=1.0, duration=2.0)
    monkeypatch.setenv(processes.IN_PROCESS, "1")
    file = audio.AudioFile(song)
    assert not isinstance(file._source, processes.Remote)
    file.close()
    np.testing.assert_array_equal(audio.load(song, offset=1.0, duration=2.0), there)


@pytest.mark.parametrize("value", ["0", "-1", "soon", ""])
def test_limits_out_of_range(song: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(processes.SECONDS, value)
    with pytest.raises(GenrenetError, match="GENRENET_DECODE_SECONDS"):
        audio.load(song)
