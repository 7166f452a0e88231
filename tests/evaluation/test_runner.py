"""The harness: the same folds for all, resuming, failures, and its files."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from sklearn.base import BaseEstimator, ClassifierMixin

from genrenet.baselines import Baseline
from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.baseline_methods import BaselineContender, FeatureBank
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.leakage import leaks
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import EvaluationError, contenders, judge
from genrenet.plugins import manager as plugins
from genrenet.utils.errors import GenrenetError
from tests.helpers.small_training import TINY


class Fragile(ClassifierMixin, BaseEstimator):
    """Fails to learn where a column's mean says so; otherwise always names the first genre."""

    def fit(self, x, y):
        if x[:, 0].mean() > 0:
            raise ValueError("too loud for me")
        self.classes_ = np.unique(y)
        return self

    def predict(self, x):
        return np.repeat(self.classes_[:1], len(x))


@pytest.fixture
def fragile(monkeypatch):
    """A contender that fails, registered beside the built-in ones."""
    found = dict(plugins.contributions("register_baselines"))
    item = Baseline("fragile", "fails", Fragile, "spectral-stats")
    found["fragile"] = plugins.Contribution(item, "test", "test 1")
    monkeypatch.setattr("genrenet.baselines.base.contributions", lambda hook: found)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """A table of features: three genres apart, ten artists each, one row broken."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "track_id": f"{genre}/{artist}-{song}",
            "genre": genre,
            "artist": f"{genre} {artist}",
            "split": ["train", "validation", "test"][artist % 3],
            **dict(zip("abcd", centre + rng.standard_normal(4), strict=True)),
        }
        for genre, centre in (("folk", -3.0), ("jazz", 0.0), ("rock", 3.0))
        for artist in range(10)
        for song in range(2)
    ]
    frame = pd.DataFrame(rows)
    frame.loc[0, "a"] = np.nan
    file = tmp_path_factory.mktemp("table") / "songs.csv"
    frame.to_csv(file, index=False)
    return file


def run(source, models, protocol, folder, seeds=1, told=None):
    dataset = read_dataset(source)
    lines = [] if told is None else told
    judges = protocols(protocol, seeds)
    judged = judge(dataset, contenders(models), judges, folder, tell=lines.append)
    decided = predictions(judged)
    results = summarise(judged, decided)
    write_run(Path(folder), results, decided)
    return results, decided


def test_every_model_gets_the_same_songs(features, tmp_path):
    results, decided = run(features, ["knn", "tree"], "artist-5fold", tmp_path, seeds=2)
    assert results["n_songs"] == 59
    assert results["skipped"][0]["reason"].startswith("row 2: no finite number in a")
    for _, part in decided.groupby(["model", "seed"]):
        assert sorted(part["track_id"]) == sorted(set(decided["track_id"]))
    folds = decided.groupby(["seed", "track_id"])["fold"].nunique()
    assert (folds == 1).all()
    for row in results["models"]:
        assert row["n"] == 59
        assert row["accuracy"] > 0.8
        assert row["ci95"][0] < row["accuracy"] < row["ci95"][1]
        assert len(row["by_seed"]) == 2
        assert row["frame_accuracy"] is None
        assert row["error"] is None
        assert {entry["label"] for entry in row["per_class"]} == {"folk", "jazz", "rock"}
        assert np.sum(row["confusion_songs"]) == 2 * 59
        assert len(row["settings"]) in (0, 10)
    mean = decided[decided["model"] == "knn"].eval("genre == predicted").mean()
    knn = next(row for row in results["models"] if row["name"] == "knn")
    assert knn["accuracy"] == pytest.approx(mean)
    assert len(results["comparisons"]) == 1


def test_the_files_of_a_run(features, tmp_path):
    _, decided = run(features, ["knn", "tree"], "stratified-3fold,column", tmp_path)
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["protocol"] == "stratified-3fold,column"
    assert [(r["protocol"], r["name"]) for r in kept["models"]] == [
        ("stratified-3fold", "knn"),
        ("stratified-3fold", "tree"),
        ("column", "knn"),
        ("column", "tree"),
    ]
    assert kept["why_protocols_differ"]
    again = pd.read_parquet(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(again, decided, check_dtype=False)
    page = (tmp_path / "report.html").read_text()
    assert "Why the protocols differ" in page
    assert not any(f'{key}="http' in page for key in ("src", "href", "action"))
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2 + 4 * 2
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))
    assert "| knn |" in (tmp_path / "results.md").read_text()


def test_finished_folds_are_not_repeated(features, tmp_path):
    told = []
    run(features, ["knn"], "artist-5fold", tmp_path, told=told)
    files = sorted(tmp_path.glob("folds/artist-5fold/*/knn.json"))
    assert len(files) == sum("right" in line for line in told) == 5
    stamps = [file.stat().st_mtime_ns for file in files]
    files[2].unlink()
    files[3].write_text("{ damaged")
    time.sleep(0.01)
    told.clear()
    run(features, ["knn", "tree"], "artist-5fold", tmp_path, told=told)
    assert sum(": knn " in line for line in told) == 2
    assert sum(": tree " in line for line in told) == 5
    after = [file.stat().st_mtime_ns for file in files]
    assert [a == b for a, b in zip(stamps, after, strict=True)] == [True, True, False, False, True]


def test_folds_hold_for_the_machine_that_made_them(features, tmp_path, monkeypatch):
    def repeated():
        told = []
        results, _ = run(features, ["knn"], "70-30", tmp_path, told=told)
        return sum("right" in line for line in told), results["machine"]

    assert repeated()[0] == 1
    assert repeated()[0] == 0
    monkeypatch.setattr(torch, "__version__", "99.1.2+cu999")
    done, about = repeated()
    assert (done, about["torch"]) == (1, "99.1")
    monkeypatch.setattr(torch, "__version__", "99.1.3")
    assert repeated()[0] == 0
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    done, about = repeated()
    assert (done, about["device"]) == (1, "mps")


def test_a_folder_belongs_to_its_songs(features, music, tmp_path):
    run(features, ["knn"], "70-30", tmp_path)
    with pytest.raises(EvaluationError, match="a run on other songs"):
        run(music, ["knn"], "70-30", tmp_path)


@pytest.mark.usefixtures("fragile")
def test_one_failure_does_not_lose_the_others(features, tmp_path):
    told = []
    results, _ = run(features, ["fragile", "knn"], "artist-5fold", tmp_path, told=told)
    broken, good = results["models"]
    assert "too loud for me" in broken["error"]
    assert broken["accuracy"] is None
    assert good["accuracy"] > 0.8
    assert any("fragile: failed" in line for line in told)
    (log,) = tmp_path.glob("folds/*/*/fragile.log")
    assert str(log) in broken["error"]
    said = log.read_text()
    assert "Traceback (most recent call last)" in said
    assert "in fit" in said
    assert "ValueError: too loud for me" in said
    assert "too loud for me" in (tmp_path / "report.html").read_text()


def test_models_that_do_not_accept_the_data(features, tmp_path):
    results, _ = run(features, ["kl-knn", "cnn", "knn"], "70-30", tmp_path)
    errors = {row["name"]: row["error"] for row in results["models"]}
    assert "compares Gaussians of songs" in errors["kl-knn"]
    assert "needs audio" in errors["cnn"]
    assert errors["knn"] is None
    with pytest.raises(EvaluationError, match="no model can be evaluated"):
        run(features, ["cnn"], "70-30", tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("svn", "no baseline 'svn'"),
        ("svm@nothing", "no features 'nothing'"),
        ("svm@mfcc-gaussian", "does not accept the features"),
        ("kl-knn@spectral-stats", "does not accept the features"),
        ("svm@spectral-stats+mfcc-gaussian", "cannot be joined"),
        ("transfer:nothing", "no published network 'nothing'"),
        ("config:nothing", "no configuration 'nothing'"),
    ],
)
def test_models_that_do_not_exist(name, said):
    with pytest.raises(GenrenetError, match=said):
        contenders([name])


def test_a_backbone_in_a_file_is_given_what_it_was_trained_on(checkpoint):
    """Its rate and its frame length are not those of the configuration."""
    (found,) = contenders([f"transfer:{checkpoint}"])
    options = [option for option in found.options if option.startswith("--data")]
    assert options == ["--data.sample_rate=12000", "--data.frame_seconds=1.5"]
    assert found.config == "transfer"


def test_one_genre_to_learn_from(features, tmp_path):
    frame = pd.read_csv(features)
    frame["split"] = np.where(frame["genre"] == "folk", "train", "test")
    frame.to_csv(tmp_path / "one.csv", index=False)
    results, _ = run(tmp_path / "one.csv", ["knn"], "column", tmp_path / "run")
    error = results["models"][0]["error"]
    assert "fold 1: the baseline 'knn' needs training songs of at least two genres" in error
    assert "songs of folk" in error


def test_features_of_audio_are_computed_once(music):
    bank = FeatureBank()
    dataset = read_dataset(music)
    first, second = BaselineContender("knn", bank), BaselineContender("tree@spectral-stats", bank)
    assert bank.matrix(dataset, first.features) is bank.matrix(dataset, first.features)
    found = bank.matrix(dataset, second.features)
    assert found.rows.shape[0] == 24
    assert found.usable.all()


def test_songs_without_features_are_counted(music, tmp_path):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    (folder / "bass" / "bass-0.wav").write_bytes(b"RIFF")
    results, _ = run(folder, ["tree@spectral-stats"], "stratified-3fold", tmp_path / "run")
    (row,) = results["models"]
    assert row["n"] == 23
    assert list(row["skipped"]) == ["bass/bass-0"]


@pytest.mark.long
def test_a_network_is_judged_like_the_others(music, tmp_path):
    """One tiny network through the program's own commands, with frames and a resumed run."""
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    name = f"config:{config}"
    results, decided = run(music, [name, "knn"], "70-30", tmp_path / "run")
    network, knn = results["models"]
    assert network["error"] is None, network["error"]
    assert network["n"] == knn["n"]
    assert network["n_frames"] == 3 * network["n"]
    assert np.sum(network["confusion_frames"]) == network["n_frames"]
    assert network["fit_seconds"] > 0
    (training,) = network["training"]
    for part in ("train", "val"):
        assert len(training["curves"][f"{part}/loss"]) == 1  # of one epoch
    # Stopped before its first checkpoint: what is there does not keep it from starting again.
    for file in (tmp_path / "run" / "folds").rglob("*.json"):
        file.unlink()
    for file in (tmp_path / "run" / "work").rglob("*.ckpt"):
        file.unlink()
    results, _ = run(music, [name], "70-30", tmp_path / "run")
    assert results["models"][0]["error"] is None, results["models"][0]["error"]
    scores = decided[decided["model"] == name].filter(like="score_").to_numpy()
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-4)


@pytest.mark.long
def test_all_folds_networks_and_seeds_share_one_store(music, tmp_path, monkeypatch):
    """Songs are decoded once, before any time is taken, and found by other collections of them."""
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    names = []
    for name, batch in {"one": 4, "other": 3}.items():
        config = tmp_path / f"{name}.yaml"
        config.write_text(TINY.replace("batch_size: 4", f"batch_size: {batch}"))
        names.append(f"config:{config}")
    results, _ = run(music, names[:1], "stratified-2fold", tmp_path / "run")
    assert results["models"][0]["error"] is None
    (store,) = (tmp_path / "cache" / "stores").iterdir()
    samples = list(store.glob("songs/*/*"))
    assert len(samples) == 24
    written = max(file.stat().st_mtime for file in samples)
    began = [file.stat().st_mtime for file in (tmp_path / "run" / "work").rglob("split.csv")]
    assert len(began) == 2
    assert written < min(began)
    first = results["models"][0]["prepare_seconds"]
    (other,) = contenders(names[1:])
    assert first > other.prepare(read_dataset(music), tmp_path) > 0
    # What is decoded now is found by the folder's own training, and the other way round.
    data = GenreDataModule(str(music))
    before = {file: file.stat().st_mtime_ns for file in samples}
    data.prepare_data()
    assert data.store_folder == store
    assert {file: file.stat().st_mtime_ns for file in store.glob("songs/*/*")} == before
    # A run that goes on says how long it took the first time.
    again, _ = run(music, names[:1], "stratified-2fold", tmp_path / "run")
    assert again["models"][0]["prepare_seconds"] == first


@pytest.mark.long
def test_a_network_that_fails_is_not_taken_for_one_that_skipped_songs(music, tmp_path):
    config = tmp_path / "fails.yaml"
    config.write_text(TINY)
    option = "--trainer.callbacks+=tests.evaluation.test_runner.Crash"
    dataset, judges = read_dataset(music), protocols("70-30", 1)
    models = contenders([f"config:{config}"], [option])
    judged = judge(dataset, models, judges, tmp_path / "run", tell=lambda line: None)
    (error,) = judged.errors.values()
    assert "ended with code 70" in error
    assert "the disk is on fire" in error


@pytest.mark.long
def test_training_may_end_before_the_first_validation(music, tmp_path):
    config = tmp_path / "short.yaml"
    config.write_text(TINY)
    models = contenders([f"config:{config}"], ["--trainer.max_steps=1"])
    judges = protocols("70-30", 1)
    judged = judge(read_dataset(music), models, judges, tmp_path / "run", tell=lambda line: None)
    assert not judged.errors
    assert len(judged.folds) == 1


class Crash(pl.Callback):
    """Fails as code of the user's own may."""

    def on_train_end(self, trainer, pl_module):
        raise RuntimeError("the disk is on fire")


def test_one_recording_on_two_sides_is_found(features, tmp_path):
    frame = pd.read_csv(features).dropna()
    twin = frame[frame["split"] == "train"].iloc[[0]]
    twin = twin.assign(track_id="folk/copy", artist="somebody", split="test")
    pd.concat([frame, twin]).to_csv(tmp_path / "twins.csv", index=False)
    results, _ = run(tmp_path / "twins.csv", ["knn"], "column", tmp_path / "run")
    text = results["protocols"][0]["leakage"]
    assert "leaks in 1 of 1" in text
    assert "identical features in more than one part: 1" in text
    assert "folk/copy" in text


def test_a_leak_of_a_later_fold_or_seed_is_found(music, tmp_path):
    """Two names of one recording that stand on one side in the first fold of the first seed."""
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    shutil.copy(folder / "bass" / "bass-0.wav", folder / "bass" / "copy.wav")
    dataset, (protocol,) = read_dataset(folder), protocols("stratified-4fold", 2)
    dealt = [[fold.split for fold in protocol.folds(dataset.table, seed)] for seed in (0, 1)]

    def apart(split):
        return split.parts["bass/bass-0"] != split.parts["bass/copy"]

    together = [split for group in dealt for split in group if not apart(split)]
    leaky = [split for group in dealt for split in group if apart(split)]
    assert together
    assert leaky
    text = leaks(dataset, {"p": [*together, *leaky]}, tmp_path / "run")["p"]
    n = len(together) + len(leaky)
    assert f"leaks in {len(leaky)} of {n}" in text
    assert f"all {n} folds checked" in text
    assert f"bass/bass-0 = bass/copy: folds: {len(leaky)}" in text
    assert "no leak was found" in leaks(dataset, {"p": together}, tmp_path / "run")["p"]
    judged = judge(dataset, contenders(["knn"]), [protocol], tmp_path / "run", tell=lambda _: None)
    assert f"all {n} folds checked" in judged.leaks[protocol.name]
    assert f"leaks in {len(leaky)} of {n}" in judged.leaks[protocol.name]
