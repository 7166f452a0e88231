"""A whole run on songs with several genres: the same folds, resuming, failures."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from genrenet.cli import main
from genrenet.evaluation.api import evaluate
from genrenet.evaluation.datasets import read_dataset
from genrenet.evaluation.run_difference import ComparisonError, read_run
from genrenet.inference.result import score_columns
from tests.helpers.several_genres import GENRES, feature_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    file = tmp_path_factory.mktemp("several") / "songs.csv"
    feature_table(file, songs=80, artists=20, noise=0.4)
    return file


@pytest.fixture(scope="module")
def judged(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, evaluate(table, ["knn", "tree"], protocol=["artist-2fold"], out=folder)


def test_figures_are_those_of_the_predictions(judged):
    folder, _ = judged
    results = json.loads((folder / "results.json").read_text())
    assert results["multi_label"] is True
    assert results["labels"] == list(GENRES)
    decided = pd.read_parquet(folder / "predictions.parquet")
    columns = [*score_columns(GENRES).values()]
    for row in results["models"]:
        mine = decided[decided["model"] == row["name"]]
        assert len(mine) == row["n"] == results["n_songs"] == 80
        folds = []
        for _, part in mine.groupby("fold"):
            target = np.array([[g in cell.split("; ") for g in GENRES] for cell in part["genres"]])
            folds.append(average_precision_score(target, part[columns], average=None))
        assert row["map"] == pytest.approx(np.mean(folds))
        assert row["map"] > row["chance_map"] + 0.15
        assert row["map_ci95_artists"][0] <= row["map_ci95"][0] < row["map"]
        assert row["left_out"] == 0
        assert [entry["label"] for entry in row["per_label"]] == list(GENRES)
    (pair,) = results["comparisons"]
    assert (pair["first"], pair["second"], pair["groups"]) == ("knn", "tree", 20)
    best = {row["name"]: row["map"] for row in results["models"]}
    assert pair["map"]["difference"] == pytest.approx(best["knn"] - best["tree"])
    assert pair["map"]["p_holm"] == pair["map"]["p"]


def test_songs_of_an_artist_are_judged_together_and_thresholds_decide(judged):
    folder, _ = judged
    decided = pd.read_parquet(folder / "predictions.parquet")
    assert len(decided[["artist", "fold"]].drop_duplicates()) == decided["artist"].nunique()
    kept = json.loads((folder / "folds/artist-2fold/seed0-fold0/knn.json").read_text())
    mine = decided[(decided["model"] == "knn") & (decided["fold"] == 0)].set_index("track_id")
    for track, scores in zip(kept["track_ids"], kept["scores"], strict=True):
        pairs = zip(GENRES, scores, kept["thresholds"], strict=True)
        named = [genre for genre, score, limit in pairs if score >= limit]
        assert mine.loc[track, "predicted"] == "; ".join(named)


def test_a_run_goes_on_where_it_stopped(judged, table):
    folder, found = judged
    file = folder / "folds/artist-2fold/seed0-fold0/knn.json"
    before = file.stat().st_mtime_ns
    again = evaluate(table, ["knn", "tree"], protocol=["artist-2fold"], out=folder)
    assert file.stat().st_mtime_ns == before
    assert again.results["models"] == found.results["models"]


def test_the_page_shows_every_genre_and_what_was_taken(judged):
    page = (judged[0] / "report.html").read_text()
    for genre in GENRES:
        assert f">{genre}</td>" in page
    assert "splits are balanced by each song&#39;s rarest genre" in page
    assert "mAP" in (judged[0] / "results.md").read_text()
    with pytest.raises(ComparisonError, match="a multi-label run"):
        read_run(judged[0])


def test_the_command_and_a_model_that_cannot(table, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["evaluate", str(table), "--multi-label", "--models", "kl-knn,tree"]
    code = main([*arguments, "--protocol", "column", "--out", str(out), "-q", "--json"])
    assert code == 1
    said = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in said["results"]["models"]}
    assert "Gaussians" in rows["kl-knn"]["error"]
    assert rows["kl-knn"]["map"] is None
    assert rows["tree"]["n"] == 20


def test_a_column_that_copies_a_genre_is_no_feature(tmp_path):
    frame = feature_table(tmp_path / "songs.csv")
    frame["rock_tag"] = [int("rock" in cell) for cell in frame["genres"]]
    frame["key"] = np.arange(len(frame)) % 12
    frame.to_csv(tmp_path / "songs.csv", index=False)
    dataset = read_dataset(tmp_path / "songs.csv")
    assert "rock_tag" not in dataset.columns
    assert "key" in dataset.columns
    assert any("whether a song is 'rock'" in str(problem) for problem in dataset.problems)


def test_songs_of_some_genres_alone(table):
    dataset = read_dataset(table)
    some = dataset.only(["jazz", "rock"])
    assert some.labels == ["jazz", "rock"]
    assert set(some.table["genres"]) == {"jazz", "rock", "jazz; rock"}
    assert some.digest != dataset.digest
    assert len(some.features) == len(some.table)
