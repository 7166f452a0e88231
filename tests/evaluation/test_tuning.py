"""Hyperparameter search: only on inner folds, resuming, failed trials, and its files."""

import csv
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import BaseEstimator, ClassifierMixin

from genrenet.baselines import Baseline
from genrenet.cli import main
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.search_space import TuningError, read_space
from genrenet.evaluation.tuned_run import tune
from genrenet.evaluation.tuning import inner_splits
from genrenet.plugins import manager as plugins
from tests.helpers.small_training import TINY

SEEN = []


class Nearest(ClassifierMixin, BaseEstimator):
    """The nearest mean of some columns; which fails where there are none, and notes its songs."""

    def __init__(self, columns=1, worse=0.0):
        self.columns, self.worse = columns, worse

    def fit(self, x, y):
        SEEN.append(x[:, -1])
        if not self.columns:
            raise ValueError("no columns at all")
        self.classes_ = np.unique(y)
        self.means_ = np.stack([x[y == one, : self.columns].mean(axis=0) for one in self.classes_])
        return self

    def predict(self, x):
        far = np.linalg.norm(x[:, None, : self.columns] - self.means_, axis=-1)
        return self.classes_[(far if self.worse < 0.5 else -far).argmin(axis=1)]


@pytest.fixture(autouse=True)
def nearest(monkeypatch):
    item = Baseline("nearest", "nearest mean", Nearest, "spectral-stats", grid={"columns": [0, 2]})
    found = {"nearest": plugins.Contribution(item, "test", "test 1")}
    monkeypatch.setattr("genrenet.baselines.base.contributions", lambda hook: found)
    SEEN.clear()


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Three genres, ten artists each; the last column is the row's number."""
    rng = np.random.default_rng(0)
    rows = [
        (f"{genre}-{n}", genre, f"{genre} {n // 2}", *(centre + rng.standard_normal(3)))
        for genre, centre in (("folk", -2.0), ("jazz", 0.0), ("rock", 2.0))
        for n in range(20)
    ]
    table = pd.DataFrame(rows, columns=["track_id", "genre", "artist", "a", "b", "c"])
    # Not told by the genre, or the column would count as a copy of it.
    table["d"] = rng.permutation(len(table)).astype(float)
    file = tmp_path_factory.mktemp("table") / "songs.csv"
    table.to_csv(file, index=False)
    return file


def trials(folder):
    (file,) = folder.glob("work/*/*/search-*/trials.csv")
    with open(file, newline="") as text:
        return list(csv.DictReader(text))


def test_a_search_sees_training_songs_alone_and_goes_on(features, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text("columns: [0, 1, 2]\nworse: {low: 0, high: 1e0}\n")
    told = []
    settings = {"space": read_space(str(space)), "out": tmp_path / "run", "tell": told.append}
    tune(features, "nearest", trials=3, **settings)
    found = tune(features, "nearest", trials=12, **settings)
    # Nine more, and not all again.
    assert sum(": trial " in line for line in told) == 12
    rows = trials(tmp_path / "run")
    states = [row["state"] for row in rows]
    assert len(rows) == 12
    assert {"complete", "fail", "pruned"} == set(states)
    assert all("no columns at all" in row["error"] for row in rows if row["state"] == "fail")
    assert all(int(row["inner_folds"]) < 3 for row in rows if row["state"] == "pruned")
    best = max((row for row in rows if row["state"] == "complete"), key=lambda r: r["inner_score"])
    assert found.best == yaml.safe_load(best["settings"])
    # The figure is that of the outer songs: those no estimator has learnt from.
    (row,) = found.results["models"]
    judged = set(pd.read_parquet(tmp_path / "run/predictions.parquet")["track_id"])
    table = pd.read_csv(features).set_index("track_id")
    assert row["n"] == len(judged) == 12
    assert not {*np.concatenate(SEEN)} & {*table.loc[sorted(judged), "d"]}
    assert row["accuracy"] != float(best["inner_score"])


def test_inner_folds_have_no_song_of_the_outer_test(features):
    dataset = read_dataset(features)
    (protocol,) = protocols("artist-5fold", 1)
    for fold in protocol.folds(dataset.table, 0):
        test = {*fold.split.parts.index[fold.split.parts == "test"]}
        inner = inner_splits(dataset, fold.split, 3, 0, own_validation=False)
        judged = [one.parts.index[one.parts == "test"] for one in inner]
        assert sorted(np.concatenate(judged)) == sorted({*dataset.table["track_id"]} - test)
        assert not any(test & {*one.parts.index} for one in inner)
        artists = dataset.table.set_index("track_id")["artist"]
        for one in inner:
            sides = [{*artists[one.parts.index[one.parts == part]]} for part in ("train", "test")]
            assert not sides[0] & sides[1]
        (given,) = inner_splits(dataset, fold.split, 3, 0, own_validation=True)
        validation = fold.split.parts.index[fold.split.parts == "validation"]
        assert {*given.parts.index[given.parts == "test"]} == {*validation}


def test_the_file_is_read_by_the_other_commands(features, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["tune", str(features), "--model", "nearest", "--trials", "4", "--out", "run"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "best settings: columns 2" in said
    assert "n = 12; artist-5fold, 1 outer fold), on songs that the search has not used" in said
    assert yaml.safe_load((tmp_path / "run/best.yaml").read_text()) == {
        "baseline": "nearest",
        "settings": {"columns": 2},
    }
    words = ["--models", "config:run/best.yaml,nearest", "--protocol", "70-30", "--out", "other"]
    assert main(["evaluate", str(features), *words]) == 0
    assert "config:run/best.yaml" in capsys.readouterr().out
    assert main(["baseline", "knn", "x", "--out", "k.skops", "--settings", "run/best.yaml"]) == 2
    assert "does not hold settings of 'knn'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {low: 2, high: 1}", "columns: found"),
        ("columns: {low: 0, high: 1, log: true}", "log: true needs A > 0"),
        ("columns: {low: 1}", "a list of choices"),
        ("columns: 3", "a list of choices"),
        ("- columns", "names no settings"),
        ("columns: [1", "cannot be read as YAML"),
        ("colums: [1, 2]", "has no setting 'colums'"),
    ],
)
def test_spaces_that_are_none(text, said, features, tmp_path, capsys):
    space = tmp_path / "space.yaml"
    space.write_text(text)
    words = ["tune", str(features), "--model", "nearest", "--space", str(space)]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err


def test_searches_that_cannot_be_carried_out(features, tmp_path, monkeypatch):
    with pytest.raises(TuningError, match="no search space for 'cnn'"):
        tune(features, "cnn", out=tmp_path)
    space = tmp_path / "none.yaml"
    space.write_text("columns: [0]")
    none = read_space(str(space))
    with pytest.raises(TuningError, match=r"no trial of 'nearest' succeeded.* no columns at all"):
        tune(features, "nearest", space=none, trials=2, out=tmp_path / "run", tell=[].append)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TuningError, match=r"package optuna.*genrenet\[research\]"):
        tune(features, "nearest", out=tmp_path)


@pytest.mark.long
def test_options_of_a_network_are_searched(music, tmp_path):
    """On validation songs that the collection names, so that two trainings are enough."""
    dataset = read_dataset(music)
    parts = dataset.table.groupby("genre").cumcount().map(lambda n: ["train", "test"][n % 2])
    parts[dataset.table.groupby("genre").cumcount() > 4] = "validation"
    dataset.table.assign(split=parts).to_csv(tmp_path / "songs.csv", index=False)
    (tmp_path / "tiny.yaml").write_text(TINY)
    space, model = tmp_path / "space.yaml", f"config:{tmp_path / 'tiny.yaml'}"
    told = []
    settings = {"protocol": "column", "trials": 1, "tell": told.append}
    space.write_text("data.nothing: [1]")
    wrong = read_space(str(space))
    with pytest.raises(TuningError, match=r"cannot be tuned.*nothing"):
        tune(tmp_path / "songs.csv", model, space=wrong, out=tmp_path / "wrong", **settings)
    space.write_text("model.optimizer.init_args.lr: {low: 1e-4, high: 1e-2, log: true}")
    found = tune(
        tmp_path / "songs.csv",
        model,
        space=read_space(str(space)),
        out=tmp_path / "run",
        **settings,
    )
    (rate,) = found.best.values()
    assert 1e-4 <= rate <= 1e-2
    written = yaml.safe_load(found.file.read_text())
    assert written["model"]["optimizer"]["init_args"]["lr"] == rate
    assert "source" not in written["data"]
    assert found.results["models"][0]["n"] == int((parts == "test").sum())
