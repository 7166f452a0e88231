"""Evaluations: the same held-out items for all, the popularity baseline, reported failures."""

import json

import numpy as np
import pytest

from genrenet.recommend import (
    Recommender,
    RecommendError,
    evaluation as judging,
    recommenders,
)
from genrenet.recommend.evaluation import judge
from genrenet.recommend.output import check_folder
from genrenet.recommend.report import markdown, write_report
from genrenet.recommend.results import summarise
from tests.helpers.listeners import tastes


class Oracle:
    """Knows what is held out, as it has seen all plays."""

    plays = tastes().plays

    def fit(self, plays, content=None):
        return self

    def score(self, histories):
        found = np.zeros(histories.shape, np.float32)
        rows = {tuple(row.indices[row.data > 0]): row for row in self.plays}
        for number, history in enumerate(histories):
            own = set(history.indices)
            for indices in rows:
                if own <= set(indices):
                    found[number, list(indices)] = 1
        return found

    def get_params(self, deep=True):
        return {"knows": "all"}


class Broken(Oracle):
    """Fails when it is fitted."""

    def fit(self, plays, content=None):
        raise ValueError("this cannot\nbe learnt")


@pytest.fixture(scope="module")
def results():
    history = tastes()
    models = [recommenders()[name] for name in ("popularity", "item-knn", "user-knn")]
    models += [Recommender("oracle", "x", Oracle), Recommender("broken", "x", Broken)]
    told = []
    found = judge(history, models, seeds=2, tell=told.append)
    assert len(told) == 5
    return summarise("tastes", history, found, 0.2, 2)


def test_models_are_ranked_and_set_against_popularity(results):
    rows = {row["name"]: row for row in results["models"]}
    means = [row["figures"]["recall@20"]["mean"] for row in results["models"][:-1]]
    assert means == sorted(means, reverse=True)
    assert rows["oracle"]["figures"]["recall@10"]["mean"] == pytest.approx(1)
    assert rows["oracle"]["settings"] == {"knows": "all"}
    assert rows["popularity"]["ratio"] == {"mean": 1, "ci95": [1, 1]}
    assert rows["item-knn"]["ratio"]["ci95"][0] > 1
    for row in rows.values():
        for name, figure in row.get("figures", {}).items():
            assert figure["ci95"][0] <= figure["mean"] <= figure["ci95"][1], name
    assert results["judges"] == 59
    assert results["undivided"] == 1
    assert results["held"] == 59 * 2
    assert results["reachable"] == 1


def test_pairs_are_told_apart_only_where_they_differ(results):
    pairs = {(pair["first"], pair["second"]): pair for pair in results["comparisons"]}
    assert len(pairs) == 6
    assert pairs["oracle", "popularity"]["p_holm"] < 0.01
    assert pairs["oracle", "popularity"]["difference"] > 0
    near = next(pair for names, pair in pairs.items() if set(names) == {"item-knn", "user-knn"})
    assert near["p_holm"] > 0.05


def test_a_model_that_fails_is_told_and_the_others_stand(results, tmp_path):
    assert results["models"][-1] == {"name": "broken", "error": "this cannot be learnt"}
    page = write_report(tmp_path / "run", results)
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == results
    text = (tmp_path / "run" / "results.md").read_text()
    assert text == markdown(results)
    assert "| broken | failed: this cannot be learnt |" in text
    assert "not over the smaller" in text
    html = page.read_text()
    assert html.count("<svg") == 4
    assert "1 users have one item" in html
    figures = sorted(path.name for path in (tmp_path / "run" / "figures").iterdir())
    assert figures == ["coverage-20.png", "ndcg-20.png", "novelty-20.png", "recall-20.png"]
    assert not list((tmp_path / "run").glob(".*"))


def test_many_users_are_judged_by_some_of_them(monkeypatch):
    monkeypatch.setattr(judging, "JUDGES", 20)
    told = []
    found = judge(tastes(), [recommenders()["popularity"]], tell=told.append)
    assert found.judges == 20
    assert told[0].startswith("tested on 20 of 59 users")


def test_a_model_that_recommends_nothing_is_measured_too():
    class Silent(Oracle):
        def score(self, histories):
            return np.zeros(histories.shape, np.float32)

    history = tastes()
    found = judge(history, [Recommender("silent", "x", Silent)])
    results = summarise("tastes", history, found, 0.2, 1)
    [row] = results["models"]
    assert row["figures"]["recall@20"]["mean"] == 0
    assert row["figures"]["novelty@20"] == {"mean": None, "ci95": None}
    assert row["ratio"] is None
    assert "| silent |" in markdown(results)


def test_the_folder_of_a_report_is_looked_at_first_and_made_last(tmp_path):
    assert check_folder(tmp_path / "new" / "run") == tmp_path / "new" / "run"
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecommendError, match="cannot write into the folder"):
        check_folder(tmp_path / "file" / "run")
