"""The fine-tuning study: every combination once, resumed, and drawn."""

import json
from dataclasses import replace

import pytest

from genrenet.evaluation.reproduction.curves import learning_curves
from genrenet.evaluation.reproduction.tuning import (
    Study,
    TuningError,
    overfitting_start,
    run_study,
)
from genrenet.models.checkpoints import load_model
from genrenet.utils.figures import to_svg
from tests.helpers.finetuned import NETWORKS
from tests.helpers.small_training import small_data, small_model, small_trainer


def saved(music, folder, kind):
    """Return a checkpoint of a small network that has learnt nearly nothing."""
    trainer = small_trainer(folder, max_epochs=1, limit_train_batches=1, limit_val_batches=0)
    trainer.fit(small_model(network=NETWORKS[kind]), small_data(music, store=None))
    trainer.save_checkpoint(folder / f"{kind}.ckpt")
    return folder / f"{kind}.ckpt"


@pytest.fixture(scope="module")
def checkpoint(music, tmp_path_factory):
    return saved(music, tmp_path_factory.mktemp("cnn"), "cnn")


@pytest.fixture(scope="module")
def recurrent(music, tmp_path_factory):
    return saved(music, tmp_path_factory.mktemp("crnn"), "crnn")


def test_a_small_study_and_its_resumption(checkpoint, recurrent, music, tmp_path):
    said = []
    study = Study(
        str(music),
        {"cnn": str(checkpoint), "crnn": str(recurrent)},
        ["head"],
        ["adam"],
        epochs=2,
        split="stratified",
        max_songs=6,
        batch_size=4,
    )
    first, failed = run_study(study, tmp_path, said.append)
    assert [(row["network"], row["stages"]) for row in first] == [("cnn", "head"), ("crnn", "head")]
    assert not failed

    said.clear()
    larger = replace(study, stages=["head", "recurrent"])
    rows, failed = run_study(larger, tmp_path, said.append)
    assert not failed
    assert sum("already done" in line for line in said) == 2
    assert [row for row in rows if row in first] == first
    names = ["-".join(row[key] for key in ("network", "stages", "optimiser")) for row in rows]
    assert names == ["cnn-head-adam", "crnn-head-adam", "crnn-recurrent-adam"]
    assert set(json.loads((tmp_path / "results.json").read_text())) == set(names)
    for name, row in zip(names, rows, strict=True):
        low, high = row["song_ci95"]
        assert 0 <= low <= row["song_accuracy"] <= high <= 1
        assert len(row["history"]) == 2
        assert row["seconds"] > row["epoch_seconds"] > 0
        losses = [epoch["val/loss"] for epoch in row["history"]]
        assert losses[row["best_epoch"] - 1] == min(losses)
        assert load_model(tmp_path / "checkpoints" / f"{name}.ckpt").labels
        assert list((tmp_path / "tensorboard" / name).glob("events.*"))
    drawn = to_svg(learning_curves(rows[:1]))
    assert drawn.startswith("<svg")


def test_one_network_that_is_not_there_does_not_lose_the_other(checkpoint, music, tmp_path):
    backbones = {"gone": str(tmp_path / "gone.ckpt"), "cnn": str(checkpoint)}
    study = Study(str(music), backbones, ["head"], ["sgd"], 1, "stratified", 4)
    rows, failed = run_study(study, tmp_path, [].append)
    assert [row["network"] for row in rows] == ["cnn"]
    assert list(failed) == ["gone"]
    assert "gone.ckpt" in failed["gone"]


def test_one_run_that_fails_is_logged(checkpoint, music, tmp_path):
    study = Study(str(music), {"cnn": str(checkpoint)}, ["head"], ["adam"], 1, "column")
    rows, failed = run_study(study, tmp_path, [].append)
    assert not rows
    assert "split" in failed["cnn-head-adam"]
    assert "Traceback" in (tmp_path / "cnn-head-adam.log").read_text()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stages": ["recurrent"]}, "none of the stages recurrent in cnn"),
        ({"stages": ["tail"]}, "found tail"),
        ({"optimisers": ["lion"]}, "found lion"),
    ],
)
def test_wrong_settings_are_named(changes, words, checkpoint, music, tmp_path):
    study = replace(Study(str(music), {"cnn": str(checkpoint)}), **changes)
    with pytest.raises(TuningError, match=words):
        run_study(study, tmp_path, [].append)


@pytest.mark.parametrize(
    ("train", "validation", "start"),
    [
        ([3, 2, 1], [3, 2, 1], None),
        ([3, 2, 1], [3, 2, 2.5], 2),
        ([3, 2, 2.5], [3, 2, 2.5], None),
        ([3, 2, 1, 0.5], [2, 3, 3, 2.1], 1),
        ([1], [1], None),
    ],
)
def test_where_overfitting_starts(train, validation, start):
    epochs = zip(train, validation, strict=True)
    history = [{"train/loss": one, "val/loss": other} for one, other in epochs]
    assert overfitting_start(history) == start
