"""Several processes give the same measurements and predictions as one."""

import json
import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import soundfile
import torch

from genrenet.cli import main
from genrenet.data.catalog import read_catalog
from genrenet.data.litdata.writer import write_streamed
from tests.helpers.small_training import TINY
from tests.helpers.tones import RATE, tone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the processes use gloo on Linux")


@pytest.fixture(scope="module")
def flawed(music, tmp_path_factory):
    """The songs of `music`; the second ends soon, and its header does not say so."""
    root = tmp_path_factory.mktemp("flawed")
    shutil.copytree(music, root, dirs_exist_ok=True)
    (root / "bass" / "bass-1.wav").unlink()
    cut = root / "bass" / "bass-1.flac"
    soundfile.write(cut, tone(150.0, 5.0, seed=1), RATE)
    os.truncate(cut, int(0.06 * cut.stat().st_size))  # too little to be used
    return root


@pytest.fixture(scope="module")
def trained(music, tmp_path_factory):
    """A checkpoint in the folder of the run that wrote it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.yaml").write_text(TINY)
    options = ["--data.split=stratified", "--data.store=null", "--trainer.accelerator=cpu"]
    configs = [f"--config={folder / 'tiny.yaml'}", f"--data.source={music}"]
    assert main(["fit", *configs, *options, f"--out={folder}", "--name=run"]) == 0
    return folder / "run" / "version_0" / "checkpoints" / "best.ckpt"


def _program(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "genrenet", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _run(folder, command, checkpoint, devices, *options):
    """Run a command on so many processes; what it printed, and where it wrote."""
    strategy = "ddp" if devices > 1 else "auto"
    arguments = [f"--ckpt_path={checkpoint}", f"--trainer.devices={devices}", *options]
    arguments += [f"--trainer.strategy={strategy}", f"--out={folder}", f"--name={devices}"]
    return _program(command, *arguments), folder / str(devices) / "version_0" / command


@pytest.mark.long
def test_predictions_are_one_file_and_the_same(flawed, trained, tmp_path):
    files = []
    for devices in (1, 2):
        options = [f"--data.source={flawed}", "--data.store=null"]
        done, folder = _run(tmp_path, "predict", trained, devices, *options)
        assert done.returncode == 1, done.stderr[-3000:]
        assert done.stderr.count("skipped (1 so far)") == 1
        assert done.stdout.count("predictions of 23 songs (1 could not be read)") == 1
        assert done.stdout.count("1 songs were skipped") == 1
        (file,) = folder.rglob("*.csv")
        files.append(file)
    one, two = files
    assert two.read_bytes() == one.read_bytes()
    table = pd.read_csv(two)
    assert table["path"].is_unique
    assert table["frames"].tolist() == [3] * 23


@pytest.mark.long
def test_a_test_measures_the_same(music, flawed, trained, tmp_path):
    results = []
    for devices in (1, 2):
        options = [f"--data.source={flawed}", "--data.store=null", "--data.split_seed=2"]
        done, folder = _run(tmp_path, "test", trained, devices, *options)
        assert done.returncode == 1, done.stderr[-3000:]
        found = json.loads((folder / "report" / "results.json").read_text("utf-8"))
        results.append({key: value for key, value in found.items() if key != "created"})
        assert len(pd.read_csv(folder / "report" / "predictions.csv")) == found["n_songs"]
    one, two = (pd.json_normalize(found).iloc[0].to_dict() for found in results)
    assert one.keys() == two.keys()
    for key, value in one.items():
        assert two[key] == (pytest.approx(value) if isinstance(value, float) else value), key
    (skipped,) = results[1]["skipped"]
    assert skipped["path"].endswith("bass-1.flac")


def _fit(folder, source):
    """The last checkpoint of a short training on two processes."""
    folder.mkdir()
    (folder / "tiny.yaml").write_text(TINY)
    options = [f"--data.source={source}", "--data.split=stratified", "--data.split_seed=1"]
    options += ["--trainer.accelerator=cpu", "--trainer.devices=2", f"--out={folder}"]
    done = _program(
        "fit", f"--config={folder / 'tiny.yaml'}", "--config=ddp", "--name=run", *options
    )
    assert done.returncode == 1, done.stderr[-3000:]
    assert done.stdout.count("1 songs were skipped") == 1
    return folder / "run" / "version_0" / "checkpoints" / "last.ckpt"


@pytest.mark.long
def test_training_on_chunks_is_training_on_the_store(flawed, tmp_path):
    write_streamed(read_catalog(flawed), tmp_path / "chunks", chunk_bytes=300_000)
    file = _fit(tmp_path / "streamed", tmp_path / "chunks")
    streamed = torch.load(file, weights_only=True)
    store = torch.load(_fit(tmp_path / "store", flawed), weights_only=True)
    assert streamed["global_step"] == store["global_step"] > 0
    for name, weight in store["state_dict"].items():
        assert torch.equal(streamed["state_dict"][name], weight), name
    measured = []
    for devices in (1, 2):
        done, _ = _run(tmp_path, "validate", file, devices)
        measured.append(dict(re.findall(r"(val/\w+)\W+([\d.]+)", done.stdout)))
    one, two = ({key: float(value) for key, value in found.items()} for found in measured)
    assert one == pytest.approx(two, rel=1e-5)
    assert {"val/loss", "val/song_accuracy", "val/frame_f1"} <= one.keys()
