"""The output of a test by Lightning, on one process and on two."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from tests.helpers.reported_training import reported_training
from tests.helpers.reports import GENRES, Page
from tests.helpers.tones import RATE, tone

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:.*smaller than the logging interval"
)


@pytest.fixture(scope="module")
def odd_music(tmp_path_factory):
    """Three genres with awkward names, file names that are not UTF-8, three broken files each."""
    root = tmp_path_factory.mktemp("odd")
    for genre, hz in GENRES.items():
        folder = root / genre
        folder.mkdir()
        for song in range(7):
            soundfile.write(folder / f"{song}.wav", tone(hz, 2.3 + 0.5 * song, seed=song), RATE)
        os.rename(folder / "0.wav", folder / "caf\udce9.wav")
        for number in range(3):
            (folder / f"broken-{number}.wav").write_bytes(b"RIFF nothing")
    return root


@pytest.fixture(scope="module")
def tested(odd_music, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tested")
    trainer, model, data = reported_training(odd_music, False, folder)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        (measured,) = trainer.test(model, data, verbose=False)
        predicted = trainer.predict(model, data)
    return {
        "folder": folder,
        "measured": measured,
        "data": data,
        "predicted": predicted,
        "printed": printed.getvalue(),
    }


def read(folder):
    return json.loads((folder / "report" / "results.json").read_text("utf-8"))


def test_the_report_of_a_test_says_what_lightning_measured(tested):
    results, data = read(tested["folder"]), tested["data"]
    measured = tested["measured"]
    assert results["song_accuracy"] == pytest.approx(measured["test/song_accuracy"])
    assert results["frame_accuracy"] == pytest.approx(measured["test/frame_accuracy"])
    assert results["song_macro_f1"] == pytest.approx(measured["test/song_f1"], abs=1e-6)
    assert np.sum(results["confusion_songs"]) == results["n_songs"]
    assert np.sum(results["confusion_frames"]) == results["n_frames"] == len(data.dataset("test"))
    lower, upper = results["song_ci95"]
    assert 0 <= lower <= results["song_accuracy"] <= upper <= 1
    assert results["split"] == data.split.name
    assert results["labels"] == sorted(GENRES)
    assert results["parts"]["test"]["songs"] == len(data.part("test"))
    assert results["description"]["network"]["name"] == "CNN"
    skipped = [item["path"] for item in results["skipped"]]
    assert skipped
    assert all(path.endswith(("broken-0.wav", "broken-1.wav", "broken-2.wav")) for path in skipped)
    assert results["n_songs"] == len(data.part("test")) - len(skipped)
    Page((tested["folder"] / "report" / "report.html").read_text("utf-8"))


def test_predictions_are_the_mean_of_each_songs_frames(tested):
    data, table = tested["data"], pd.read_csv(tested["folder"] / "predictions.csv")
    scores = torch.cat([out["scores"] for out in tested["predicted"]]).numpy()
    songs = torch.cat([out["song"] for out in tested["predicted"]]).numpy()
    assert len(table) == 21
    assert any(path.endswith(r"caf\xe9.wav") for path in table["path"])
    assert not table["path"].str.contains("broken").any()
    wanted = pd.DataFrame(scores).groupby(songs).mean().to_numpy()
    columns = [f"score_{label}" for label in data.labels]
    assert table[columns].to_numpy() == pytest.approx(wanted, abs=1e-5)
    assert table["frames"].tolist() == pd.Series(songs).value_counts().sort_index().tolist()


def test_what_is_printed(tested):
    results, printed = read(tested["folder"]), tested["printed"]
    lower, upper = results["song_ci95"]
    assert (
        f"song accuracy {results['song_accuracy']:.2f} (95 % interval {lower:.2f} to {upper:.2f},"
        f" n = {results['n_songs']}), frame accuracy" in printed
    )
    assert f"split: {tested['data'].split.name}" in printed
    assert str(tested["folder"] / "report" / "report.html") in printed
    assert "predictions of 21 songs (9 could not be read)" in printed


def test_a_fast_dev_run_leaves_no_report(odd_music, tmp_path):
    trainer, model, data = reported_training(odd_music, False, tmp_path, fast_dev_run=True)
    trainer.test(model, data, verbose=False)
    trainer.predict(model, data)
    assert list(tmp_path.iterdir()) == []


TWO = """
import sys
from pathlib import Path
from pytorch_lightning.loggers import TensorBoardLogger
from tests.helpers.reported_training import reported_training

if __name__ == "__main__":
    music, folder = sys.argv[1:]
    logger = TensorBoardLogger(folder, name="run", version="two", default_hp_metric=False)
    trainer, model, data = reported_training(music, logger, folder, strategy="ddp_fork", devices=2)
    trainer.test(model, data, verbose=False)
    trainer.predict(model, data, return_predictions=False)
    trainer.fit(model, data)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, to save time")
def test_two_processes_write_what_one_would(odd_music, tested, tmp_path):
    root = Path(__file__).parents[2]
    (tmp_path / "two.py").write_text(TWO)
    done = subprocess.run(
        [sys.executable, "two.py", str(odd_music), str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("song accuracy") == 1
    one, two = read(tested["folder"]), read(tmp_path / "run" / "two")
    for key in ("confusion_songs", "confusion_frames", "n_songs", "n_frames", "skipped"):
        assert two[key] == one[key]
    files = [folder / "predictions.csv" for folder in (tested["folder"], tmp_path / "run" / "two")]
    first, second = map(pd.read_csv, files)
    pd.testing.assert_frame_equal(first, second, atol=1e-5)
    assert (tmp_path / "run" / "two" / "projector_config.pbtxt").exists()
