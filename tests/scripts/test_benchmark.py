"""The benchmarks: both sides compute the same, and results are written."""

import importlib
import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
import torch

from genrenet import audio

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.setattr(importlib.import_module("benchmark_sides"), "PAUSE", 0.0)


def measured(name, folder, *arguments):
    """Run a benchmark in its least form; give what it wrote."""
    module, file = importlib.import_module(f"benchmark_{name}"), folder / "results.json"
    parser = ArgumentParser()
    module.options(parser)
    options = parser.parse_args([*arguments, "--turns", "1", "--json", str(file)])
    missed = module.run(options)
    found = json.loads(file.read_text())
    # How fast it is here is no matter: whether it is fast enough is told.
    assert missed == (not all(one["met"] for one in found["results"]))
    assert found["results"]
    return found


@pytest.mark.long
def test_frontend(tmp_path, monkeypatch):
    references = importlib.import_module("benchmark_frontend").REFERENCES
    assert set(references) == {"librosa", "torchaudio", "nnAudio"}
    monkeypatch.delitem(references, "torchaudio")
    monkeypatch.delitem(references, "nnAudio")
    found = measured("frontend", tmp_path)
    (one,) = found["results"]
    assert one["reference"] == "librosa"
    assert len(one["ours"]) == len(one["theirs"]) == 1
    assert one["target"] == 1.5
    assert found["machine"]["torch"]


@pytest.mark.long
def test_network(tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(importlib.import_module("benchmark_network").TARGETS, "bf16")
    chosen = ["--networks", "random-crnn", "--no-compile"]
    (single,) = measured("network", tmp_path, *chosen)["results"]
    assert single["reference"] == "eager float32"
    assert single["ratio"] == pytest.approx(single["theirs"][0] / single["ours"][0])
    table = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in table[2:]] == ["random-crnn"]


@pytest.mark.long
def test_classify(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.import_module("benchmark_classify"), "PRECISIONS", ("auto",))
    importlib.import_module("benchmark_music").songs(None, 2, tmp_path, seconds=8.0)
    chosen = ["--data", str(tmp_path), "--networks", "emotify-cnn"]
    found = measured("classify", tmp_path, *chosen)
    assert found["machine"]["MP3s"] == 1
    assert [one["target"] for one in found["results"]] == [4.0]
    assert "2 of 2 genres the same" in found["results"][0]["note"]


@pytest.mark.long
def test_musicnn(tmp_path, monkeypatch):
    monkeypatch.delitem(importlib.import_module("benchmark_musicnn").TARGETS, "bf16")
    importlib.import_module("benchmark_music").songs(None, 1, tmp_path, seconds=8.0)
    try:
        (one,) = measured("musicnn", tmp_path, "--data", str(tmp_path))["results"]
    except importlib.import_module("benchmarking").BenchmarkError as error:
        if "musicnn-msd" not in str(error):
            raise
        pytest.skip("musicnn-msd is not imported")
    assert (one["reference"], one["target"]) == ("librosa + eager", 1.4)
    assert "scores to" in one["note"]


@pytest.mark.parametrize("name", ["random-cnn", "random-crnn"])
def test_reference_equals_ours_and_is_decisive(name):
    references = importlib.import_module("benchmark_references")
    model = references.random_model(name)
    mels = torch.cat([references.music_logmel(model), torch.rand(1, 96, 1366) * 80 - 70])
    with torch.no_grad():
        ours, theirs = model.network(mels), references.PlainNetwork(model.network)(mels)
    assert torch.allclose(ours, theirs, atol=1e-4)
    best = ours[0].topk(2).values
    assert float(best[0] - best[1]) == pytest.approx(3.0, abs=1e-3)
    assert not torch.equal(ours[0], ours[1])


def test_long_song(tmp_path):
    music = importlib.import_module("benchmark_music")
    (source,) = music.songs(None, 1, tmp_path, seconds=4.0)
    song = music.long_song(source, tmp_path / "long.mp3", 31.0)
    wave, whole = audio.load(song), audio.load(source)
    assert len(wave) / 12_000 == pytest.approx(31.0, abs=0.1)
    assert np.abs(wave[: len(whole) // 2] - whole[: len(whole) // 2]).max() < 1e-3


def test_large_store_opens(tmp_path):
    opening = importlib.import_module("benchmark_opening")
    train = importlib.import_module("benchmark_train")
    opening.large_store(tmp_path / "many", 500)
    steps = train.large_opening(500, tmp_path / "many")()
    assert list(steps) == ["catalog", "split", "check", "open", "datasets", "batch"]


@pytest.mark.long
def test_startup(tmp_path, monkeypatch):
    startup = importlib.import_module("benchmark_startup")
    monkeypatch.setattr(startup, "LIBRARY", 6)
    found = measured("startup", tmp_path)
    limits = {one["what"]: one["limit"] for one in found["results"]}
    assert limits.pop(startup.CLASSIFY) == 1.7
    if Path("/proc/self/task").is_dir():
        assert limits.pop(f"{startup.CLASSIFY}, memory with its decoder") is None
    assert len(limits) == 6
    assert set(limits.values()) == {0.5}
    assert all(len(times) == 1 and min(times) > 0 for times in found["seconds"].values())


def test_a_model_that_cannot_be_opened_is_left_out(tmp_path, capsys):
    importlib.import_module("benchmark_music").songs(None, 2, tmp_path, seconds=8.0)
    options = ("--data", str(tmp_path), "--songs", "3", "--models", "emotify-cnn", "absent")
    (found,) = measured("models", tmp_path, *options)["results"]
    assert found["what"] == "genrenet classify of 3 songs, emotify-cnn"
    assert 0 < found["value"] < 300
    assert "absent is left out" in capsys.readouterr().out


def test_a_side_that_fails_says_why():
    error = importlib.import_module("benchmarking").BenchmarkError
    side = importlib.import_module("benchmark_sides").Side(json.loads, "no JSON")
    with pytest.raises(error, match="JSONDecodeError"):
        side.wait()
    side.close()


def test_peak_of_a_program_and_its_children():
    if not Path("/proc/self/task").is_dir():
        pytest.skip("no /proc")
    memory = importlib.import_module("benchmark_memory")
    child = "x = b'1' * 200_000_000; import time; time.sleep(0.3)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    found, _ = memory.peak([sys.executable, "-c", program])
    assert 200_000_000 < found < 300_000_000


def test_all_benchmarks_have_help():
    command = [sys.executable, str(SCRIPTS / "benchmark.py"), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(name in said for name in ("decode", "memory", "train", "all"))
