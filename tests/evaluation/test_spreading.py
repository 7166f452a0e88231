"""Evaluations spread over processes and over a Dask cluster: the same results, failures and all."""

import json
import os
import signal
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB

from genrenet.baselines import Baseline
from genrenet.cli import main
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import contenders, judge
from genrenet.evaluation.spreading import spread
from genrenet.evaluation.tasks import EvaluationError, Shared, Task, machine
from genrenet.plugins import manager as plugins

TIMES = ("created", "prepare_seconds", "fit_seconds", "predict_seconds")


class Late(ClassifierMixin, BaseEstimator):
    """Fails where the first song that it learns from says so, or ends its process."""

    def __init__(self, limit=0.0, deadly=False):
        self.limit, self.deadly = limit, deadly

    def fit(self, x, y):
        if x[:, 0].mean() > self.limit:
            if self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("too loud for me")
        self.classes_ = np.unique(y)
        return self

    def predict(self, x):
        return np.repeat(self.classes_[:1], len(x))


@pytest.fixture
def late(monkeypatch):
    """Contenders that fail in one of two folds, and one that is quick."""
    found = {}
    for name, deadly in (("late", False), ("deadly", True)):

        def make(limit: float = 0.0, deadly: bool = deadly) -> Late:
            return Late(limit, deadly)

        found[name] = Baseline(name, "fails", make, "spectral-stats")
    found["bayes"] = Baseline("bayes", "naive Bayes", GaussianNB, "spectral-stats")
    found = {name: plugins.Contribution(item, "test", "test 1") for name, item in found.items()}
    monkeypatch.setattr("genrenet.baselines.base.contributions", lambda hook: found)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    rng = np.random.default_rng(0)
    rows = [
        (f"{genre}-{n}", genre, f"{genre} {n // 2}", *(centre + rng.standard_normal(40)))
        for genre, centre in (("folk", -0.3), ("jazz", 0.0), ("rock", 0.3))
        for n in range(20)
    ]
    columns = ["track_id", "genre", "artist", *(f"f{n}" for n in range(40))]
    table = pd.DataFrame(rows, columns=columns)
    # Of two halves, one has a mean above zero.
    table["f0"] -= table["f0"].mean()
    file = tmp_path_factory.mktemp("table") / "songs.csv"
    table.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as found:
        yield found


def judged(features, folder, models=("late", "bayes"), told=None, **settings):
    """What a run says, but for times and dates and where it is; and its predictions."""
    lines = [] if told is None else told
    found = judge(
        read_dataset(features),
        contenders(models),
        protocols("stratified-2fold", 2),
        folder,
        tell=lines.append,
        **settings,
    )
    decided = predictions(found)
    results = summarise(found, decided)
    for row in [results, *results["models"]]:
        for key in TIMES:
            row.pop(key, None)
    return json.dumps(results).replace(str(folder), "RUN"), decided


@pytest.mark.usefixtures("late")
@pytest.mark.long
def test_processes_and_machines_say_what_one_process_says(features, tmp_path, cluster):
    alone, table = judged(features, tmp_path / "one")
    errors = {row["name"]: row["error"] for row in json.loads(alone)["models"]}
    assert "too loud for me" in errors["late"]
    assert errors["bayes"] is None
    for name, how in {"two": {"jobs": 2}, "dask": {"dask": cluster.scheduler_address}}.items():
        told = []
        found, other = judged(features, tmp_path / name, told=told, **how)
        assert found == alone
        pd.testing.assert_frame_equal(other, table)
        assert sum(" right (" in line for line in told) >= 4
        assert len(list((tmp_path / name).glob("folds/*/*/bayes.json"))) == 4
    # What is there is not done again, however it was made.
    told = []
    judged(features, tmp_path / "two", ("bayes",), told=told)
    assert not told


class Slow:
    """Takes its time to be written for another process."""

    def __reduce__(self):
        time.sleep(0.3)
        return Slow, ()


@pytest.mark.usefixtures("late")
def test_what_a_dataset_keeps_while_it_is_sent_does_no_harm(features, tmp_path):
    dataset = read_dataset(features)
    dataset.problems.append(Slow())  # in the middle of its attributes
    (model,) = contenders(["bayes"])
    (protocol,) = protocols("stratified-2fold", 1)
    shared = Shared(dataset, {model.name: model}, tmp_path, machine())

    def tasks():
        for number, fold in enumerate(protocol.folds(dataset.table, 0)):
            yield Task(protocol.name, 0, number, fold, model.name, f"{number}")
        time.sleep(0.1)
        assert "songs" not in vars(dataset)
        assert len(dataset.songs) == 60

    done = list(spread(shared, tasks(), jobs=2))
    assert sorted(task.number for task, _ in done) == [0, 1]
    assert not any("error" in result for _, result in done)


@pytest.mark.usefixtures("late")
def test_a_process_that_dies_leaves_what_is_finished(features, tmp_path):
    with pytest.raises(EvaluationError, match=r"has died.*fewer --jobs"):
        judged(features, tmp_path, ("bayes", "deadly"), jobs=2)
    assert (tmp_path / "folds/stratified-2fold/seed0-fold0/bayes.json").exists()


@pytest.mark.usefixtures("late")
def test_large_features_are_mapped_and_not_copied(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((4000, 40)), columns=[f"f{n}" for n in range(40)])
    table.insert(0, "track_id", [f"s{n}" for n in range(4000)])
    table.insert(1, "genre", ["a", "b"] * 2000)
    table.to_parquet(tmp_path / "songs.parquet")
    dataset, models = read_dataset(tmp_path / "songs.parquet"), contenders(["bayes"])
    models[0].judge = _mapped
    judges = protocols("70-30", 1)
    found = judge(dataset, models, judges, tmp_path / "run", jobs=2, tell=lambda line: None)
    (why,) = found.errors.values()
    assert "memmap" in why


def _mapped(dataset, *_, **__):
    raise ValueError(type(dataset.features).__name__)


def test_clusters_that_cannot_be_used(features, tmp_path, capsys, cluster):
    words = ["evaluate", str(features), "--models", "tree", "--protocol", "70-30"]
    words += ["--out", str(tmp_path / "run")]
    assert main([*words, "--dask", "tcp://127.0.0.1:1"]) == 2
    assert "no Dask scheduler responds at 'tcp://127.0.0.1:1'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--dask", "tcp://127.0.0.1:1", "--jobs", "2"])
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--jobs", "0"])
    assert "wanted 1 or more" in capsys.readouterr().err
