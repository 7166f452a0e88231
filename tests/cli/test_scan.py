"""``genrenet scan`` and the commands that use its table, end to end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from genrenet.cli import main
from genrenet.library.journal import parts_folder
from genrenet.library.table import read_table
from tests.helpers.child_processes import heeding_interrupts
from tests.helpers.tones import RATE, tone

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the processes use gloo on Linux")


@pytest.fixture
def library(music, tmp_path):
    """Songs in a folder that may be changed, one in 20 of them broken."""
    folder = Path(shutil.copytree(music, tmp_path / "library"))
    (folder / "bass" / "broken.mp3").write_text("not music at all, but plenty of letters")
    return folder


@pytest.fixture
def arguments(library, checkpoint, tmp_path):
    return ["scan", str(library), "--out", str(tmp_path / "g.parquet"), "--checkpoint", checkpoint]


def start(arguments, *more, module=("-m", "genrenet")):
    """The program in a process of its own."""
    command = [sys.executable, *module, *map(str, arguments), *more]
    # Tests side by side keep to one thread each, and the first test process's port is its own.
    environment = {k: v for k, v in os.environ.items() if k not in ("MASTER_PORT", "WORLD_SIZE")}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=heeding_interrupts,
    )


def test_says_where_songs_were_not_scored_alike(arguments, library, capsys):
    words = [*map(str, arguments), "--device", "cpu"]
    main([*words, "--precision", "32"])
    assert "scored in different ways" not in capsys.readouterr().out
    soundfile.write(library / "bass" / "new.wav", tone(150, 4.0), RATE)
    main([*words, "--precision", "bf16"])
    told = capsys.readouterr().out
    assert "songs were scored in different ways" in told
    assert "cpu, 32, torch" in told
    assert "--restart" in told
    main([*words, "--precision", "bf16"])
    assert "scored in different ways" not in capsys.readouterr().out


def test_says_what_it_did_and_which_songs_failed(arguments, tmp_path, capsys):
    assert main([*map(str, arguments)]) == 1
    shown = capsys.readouterr()
    assert "25 songs in" in shown.out
    assert "25 new, 0 changed, 0 deleted, 0 unchanged; 1 could not be read" in shown.out
    assert "broken.mp3" in shown.err
    assert main([*map(str, arguments)]) == 1
    shown = capsys.readouterr()
    assert "25 unchanged" in shown.out
    assert "1 more could not be read in earlier scans" in shown.out
    assert "broken.mp3" not in shown.err
    assert len(read_table(tmp_path / "g.parquet")) == 25


def test_impossible_requests(arguments, tmp_path, capsys):
    for options in (["--processes", "0"], ["--frames", "0"], ["--trim", "-1"], ["--nodes", "x"]):
        with pytest.raises(SystemExit, match="2"):
            main([*map(str, arguments), *options])
    assert "found 0, wanted 1 or more" in capsys.readouterr().err
    assert main([*map(str, arguments), "--precision", "17"]) == 2
    assert main(["scan", str(tmp_path / "gone"), "--out", str(tmp_path / "g.parquet")]) == 2
    shown = capsys.readouterr().err
    assert "there is no" in shown
    assert "found '17'" in shown
    assert not (tmp_path / "g.parquet").exists()


def test_songs_that_were_tagged_are_not_scored_again(arguments, library, tmp_path, capsys):
    assert main([*map(str, arguments)]) == 1
    assert main(["tag", str(tmp_path / "g.parquet"), "--write"]) == 0
    assert "24 changed" in capsys.readouterr().out
    assert main([*map(str, arguments)]) == 1
    assert "25 unchanged" in capsys.readouterr().out


@pytest.mark.long
@LINUX
@pytest.mark.parametrize("how", ["lightning", "torchrun"])
def test_two_processes_give_the_table_of_one(how, arguments, tmp_path):
    out = tmp_path / "two.parquet"
    if how == "lightning":
        done = start(arguments, "--out", str(out), "--processes", "2")
    else:
        launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
        done = start(arguments, "--out", str(out), module=(*launcher, "-m", "genrenet"))
    shown, errors = done.communicate(timeout=240)
    assert "25 songs in" in shown, errors
    assert "25 new" in shown
    assert shown.count("25 songs") == 1
    # torchrun has an exit code of its own for processes that did not return 0.
    assert done.returncode == 1
    assert "broken.mp3" in errors
    assert main([*map(str, arguments)]) == 1
    assert read_table(out).equals(read_table(tmp_path / "g.parquet"))
    assert not parts_folder(out).exists()


@LINUX
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_says_how_to_go_on(how, arguments, library, tmp_path):
    songs = list(library.rglob("*.wav"))
    for copy in range(40):
        for song in songs:
            shutil.copy(song, song.with_stem(f"{song.stem}-{copy}"))
    scan = start(arguments, "--workers", "1")
    journal = parts_folder(tmp_path / "g.parquet") / "00000.jsonl"
    while scan.poll() is None and not (journal.exists() and journal.stat().st_size > 4000):
        time.sleep(0.01)
    scan.send_signal(how)
    _, errors = scan.communicate(timeout=120)
    assert scan.returncode == 130, errors
    assert "the same command resumes the scan" in errors
    assert "Traceback" not in errors
    done = len(read_table(tmp_path / "g.parquet"))
    assert 4 < done < 41 * 24 + 1
    assert not parts_folder(tmp_path / "g.parquet").exists()
