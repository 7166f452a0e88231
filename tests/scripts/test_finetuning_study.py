"""The study of what should learn: every combination once, a table and a figure."""

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

from genrenet.models.checkpoints import load_model
from tests.helpers.finetuned import NETWORKS
from tests.helpers.small_training import small_data, small_model, small_trainer

SCRIPT = Path(__file__).parents[2] / "scripts" / "finetuning_study.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("finetuning_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recurrent(music, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recurrent")
    trainer = small_trainer(folder, max_epochs=1)
    trainer.fit(small_model(network=NETWORKS["crnn"]), small_data(music, store=None))
    trainer.save_checkpoint(folder / "crnn.ckpt")
    return folder / "crnn.ckpt"


def test_a_small_study_and_its_resumption(
    script, checkpoint, recurrent, music, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "study"
    options = ["--data", str(music), "--split", "stratified", "--out", str(out), "--epochs", "2"]
    options += ["--backbones", str(checkpoint), str(recurrent), "--batch-size", "4"]
    options += ["--accelerator", "cpu", "--max-songs", "6"]
    script.main([*options, "--stages", "head", "--optimisers", "adam"])
    capsys.readouterr()
    first = json.loads((out / "results.json").read_text())
    assert set(first) == {"cnn-head-adam", "crnn-head-adam"}

    script.main([*options, "--networks", "cnn,crnn", "--stages", "head", "recurrent,last-conv"])
    printed = capsys.readouterr().out
    assert printed.count("done before") == 2
    assert "recurrent layers" in printed
    rows = json.loads((out / "results.json").read_text())
    assert set(rows) == {
        f"{network}-{optimiser}"
        for network in (
            "cnn-head",
            "cnn-last-conv",
            "crnn-head",
            "crnn-recurrent",
            "crnn-last-conv",
        )
        for optimiser in ("adam", "sgd")
    }
    assert rows["cnn-head-adam"] == first["cnn-head-adam"]
    for name, row in rows.items():
        low, high = row["song_ci95"]
        assert 0 <= low <= row["song_accuracy"] <= high <= 1
        assert len(row["history"]) == 2
        assert row["cache_seconds"] > 0
        assert row["seconds"] > row["epoch_seconds"] > 0
        assert load_model(out / "checkpoints" / f"{name}.ckpt").labels
        assert list((out / "tensorboard" / name).glob("events.*"))
    table = pd.read_csv(out / "table.csv")
    assert len(table) == 10
    assert {"song_accuracy", "song_lower", "frame_accuracy", "gap", "epoch_seconds"} <= set(table)
    page = (out / "table.md").read_text()
    assert page.count("\n| C") == 10
    assert "(stratified" in page
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "figure.svg").read_text().startswith("<svg")


def test_stages_that_no_network_has_are_named(script, checkpoint, tmp_path):
    options = ["--networks", "cnn", "--backbones", str(checkpoint), "--stages", "recurrent"]
    with pytest.raises(SystemExit, match="none of the stages recurrent in cnn"):
        script.main(["--data", "x", "--out", str(tmp_path / "study"), *options])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--networks", "cnn"], "1 networks, but 2 backbones"),
        (["--stages", "tail"], "tail is not one of head, last-conv"),
        (["--optimisers", "adam,lion"], "lion is not one of adam, sgd"),
    ],
)
def test_wrong_options_are_named(script, options, words, capsys):
    with pytest.raises(SystemExit):
        script.main(["--data", "x", "--out", "y", *options])
    assert words in capsys.readouterr().err
