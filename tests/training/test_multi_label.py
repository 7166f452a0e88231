"""Training on songs with several genres: targets, loss, metrics, thresholds, answers."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import average_precision_score, roc_auc_score

from genrenet.data.catalog.several_genres import multi_hot
from genrenet.data.datamodule import GenreDataModule
from genrenet.data.splits import by_column
from genrenet.evaluation.callbacks import TestReport
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.network_methods import NetworkContender
from genrenet.inference.classify import classify, open_method
from genrenet.models.thresholds import choose_thresholds
from genrenet.training.module import GenreClassifier
from genrenet.training.multi_label_metrics import MultiLabelMetrics
from genrenet.training.several_genres import SeveralGenresError
from tests.helpers.several_genres import PITCHES, tone_table
from tests.helpers.small_training import SMALL, TINY, small_trainer

LABELS = sorted(PITCHES)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return tone_table(tmp_path_factory.mktemp("tones"), songs=56)


def data_of(table):
    return GenreDataModule(
        str(table), split="column", frame_seconds=1.5, batch_size=8, num_workers=0, store=None
    )


def model_of(**settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = {"optimizer": lambda p: torch.optim.AdamW(p, lr=1e-2), **settings}
        return GenreClassifier(LABELS, network=SMALL, **settings)


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model, data = model_of(), data_of(table)
    trainer = small_trainer(folder, max_epochs=8)
    trainer.fit(model, data)
    figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
    trainer.save_checkpoint(folder / "several.ckpt")
    return model, data, figures, folder / "several.ckpt"


def test_targets_are_vectors_from_the_table_to_the_batch(table):
    data = data_of(table)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    wanted = multi_hot(data.part("train")["genres"], LABELS)
    assert batch["label"].shape == (8, 3)
    assert (batch["label"].numpy() == wanted[batch["song"].numpy()]).all()
    assert data.label_counts == wanted.sum(axis=0).tolist()


def test_it_learns_which_pitches_a_song_holds(trained):
    model, _, figures, _ = trained
    assert model.activation == "sigmoid"
    assert figures["val/song_map"] > 0.9
    assert figures["val/song_roc_auc"] > 0.9


def test_the_loss_is_binary_cross_entropy_with_weights_and_smoothing():
    model = model_of(class_weights=[1.0, 2.0, 0.5], label_smoothing=0.2)
    model.multi_label = True
    logits = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.0, -1.0]])
    target = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    total, weight = model._loss(logits, target, torch.tensor([True, False]))
    soft = 0.8 * target[0] + 0.1
    each = F.binary_cross_entropy(torch.sigmoid(logits[0]), soft, reduction="none")
    assert float(total) == pytest.approx(float((each * torch.tensor([1.0, 2.0, 0.5])).sum()))
    assert float(weight) == 1


def test_an_output_that_shares_out_a_score_of_one_is_refused(table, tmp_path):
    model = model_of(activation="normalised-sigmoid")
    with pytest.raises(SeveralGenresError, match="songs with several genres"):
        small_trainer(tmp_path, max_epochs=1).fit(model, data_of(table))


def test_metrics_are_those_of_scikit_learn_and_leave_out_what_cannot_be_ranked():
    rng = np.random.default_rng(0)
    target = rng.random((30, 4)) < 0.4
    target[:, 3] = False
    scores = torch.from_numpy(rng.random((30, 4))).float()
    metrics = MultiLabelMetrics("abcd", 31, "mean")
    for some in torch.arange(30).split(7):
        counted = torch.ones(len(some), dtype=torch.bool)
        metrics.update(scores[some], torch.from_numpy(target[some]), some, counted)
    # Padding counts for nothing.
    metrics.update(
        scores[:1], ~torch.from_numpy(target[:1]), torch.tensor([0]), torch.tensor([False])
    )
    found = metrics.compute()
    precision = average_precision_score(target[:, :3], scores[:, :3], average="macro")
    assert float(found["song_map"]) == pytest.approx(precision, abs=1e-5)
    auc = roc_auc_score(target[:, :3], scores[:, :3], average="macro")
    assert float(found["song_roc_auc"]) == pytest.approx(auc, abs=1e-5)
    limits = choose_thresholds(target, scores.numpy())
    assert list(metrics.thresholds().values()) == pytest.approx(limits.tolist())
    metrics.reset()
    nothing = torch.tensor([False])
    metrics.update(scores[:1], torch.from_numpy(target[:1]), torch.tensor([0]), nothing)
    assert metrics.compute()["song_map"].isnan()


def test_a_checkpoint_names_all_genres_above_their_thresholds(trained, table):
    model, data, _, checkpoint = trained
    opened = open_method(str(checkpoint), "cpu")
    limits = opened.provenance["answers"]["thresholds"]
    assert limits == model.provenance["answers"]["thresholds"]
    paths = list(data.part("test")["path"])
    for song in classify(paths, checkpoint, device="cpu"):
        named = {name for name, score in song["scores"].items() if score >= limits[name]}
        if named:
            assert set(song["genres"]) == named
            assert not song["unsure"]
        else:
            assert song["unsure"]
    true = dict(zip(data.part("test")["path"], data.part("test")["genres"], strict=True))
    found = classify(paths, checkpoint, device="cpu")
    right = [set(song["genres"]) == set(true[song["path"]].split("; ")) for song in found]
    assert np.mean(right) > 0.6


def test_the_report_of_a_test_uses_the_thresholds_of_the_checkpoint(trained, table, tmp_path):
    _, _, _, checkpoint = trained
    report = TestReport()
    trainer = small_trainer(tmp_path, callbacks=[report])
    trainer.test(model_of(), data_of(table), ckpt_path=str(checkpoint), verbose=False)
    kept = json.loads(report.page.with_name("results.json").read_text())
    limits = open_method(str(checkpoint), "cpu").provenance["answers"]["thresholds"]
    assert kept["thresholds"] == limits
    rows = pd.read_csv(report.page.with_name("predictions.csv"), keep_default_na=False)
    target = multi_hot(rows["genres"], LABELS)
    scores = rows[[f"score_{name}" for name in LABELS]].to_numpy()
    wanted = average_precision_score(target, scores, average="macro")
    assert kept["map"] == pytest.approx(wanted)
    assert "Each genre" in report.page.read_text()


@pytest.mark.long
def test_a_network_is_judged_beside_the_baselines(table, tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    dataset = read_dataset(table)
    network = NetworkContender(
        f"config:{config}", ["--data.store=null", "--trainer.accelerator=cpu"]
    )
    split = by_column(dataset.table)
    found = network.judge(dataset, split, 0, tmp_path / "work", own_validation=True)
    assert len(found.track_ids) == split.counts()["test"]
    assert np.shape(found.scores) == (len(found.track_ids), 3)
    assert len(found.thresholds) == 3
    assert all(0 < limit < 1 for limit in found.thresholds)
