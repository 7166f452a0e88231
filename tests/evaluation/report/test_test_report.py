"""The report of a test: its page, its numbers and its pictures."""

import csv
import json
import os

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from genrenet.evaluation import metrics
from genrenet.evaluation.report.test_report import ReportError, predictions_table, write_report
from genrenet.inference.result import score_columns
from tests.helpers.reports import GENRES, Page, guesses


def odd_results(n=40):
    labels = list(GENRES)
    target, scores = guesses(n, len(labels))
    paths = [f"/music/<script>alert({i})</script> caf\udce9\x07.mp3" for i in range(n)]
    genres = [labels[i] for i in target]
    songs = pd.DataFrame({"path": pd.Series(paths, dtype=object), "genre": genres})
    frames = metrics.confusion_matrix(*guesses(3 * n, len(labels)))
    results = {
        **metrics.evaluate(target, scores, labels, frames),
        "dataset": "my <music>",
        "split": "artist-disjoint, seed 0",
        "method": "CNN",
        "parts": {
            "train": {"songs": 7, "frames": None},
            "test": {"songs": n, "frames": 3 * n},
        },
        "skipped": [{"path": f"{i}.mp3", "reason": "cut <short>"} for i in range(150)],
        "description": {"network": {"name": "CNN", "settings": {"n_mels": 96}}, "labels": labels},
    }
    return results, predictions_table(songs, scores, labels, np.full(n, 3))


def test_the_page_is_whole_safe_and_needs_nothing_from_outside(tmp_path):
    results, predictions = odd_results()
    text = write_report(tmp_path / "new", results, predictions).read_text("utf-8")
    page = Page(text)
    assert page.outside == []
    assert "url(" not in text
    assert "script" not in page.tags
    assert "@import" not in text
    lower, upper = (100 * end for end in results["song_ci95"])
    for part in (
        "CNN on my <music>", "artist-disjoint, seed 0", "R&B <b>", "Veränderung", "n = 40",
        f"95 % interval {lower:.1f} to {upper:.1f} %", "n = 120", "cut <short>", "and 50 more",
        r"<script>alert(0)</script> caf\xe9\x07.mp3", "not independent", "network settings n mels",
    ):  # fmt: skip
        assert part in page.text
    assert "prefers-color-scheme:dark" in text


def test_numbers_table_and_pictures(tmp_path):
    results, predictions = odd_results()
    write_report(tmp_path, results, predictions)
    assert json.loads((tmp_path / "results.json").read_text("utf-8")) == results
    with open(tmp_path / "predictions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "path", "genre", "predicted", "confidence", "frames",
        *(f"score_{genre}" for genre in GENRES),
    ]  # fmt: skip
    right = [row["genre"] == row["predicted"] for row in rows]
    assert np.mean(right) == pytest.approx(results["song_accuracy"])
    for row in rows:
        scores = {genre: float(row[f"score_{genre}"]) for genre in GENRES}
        assert max(scores, key=scores.get) == row["predicted"]
        assert max(scores.values()) == pytest.approx(float(row["confidence"]))
    for unit in ("songs", "frames"):
        assert imread(tmp_path / f"confusion_{unit}.png").std() > 0.01


def test_predictions_of_genres_that_differ_in_case_have_columns_of_their_own():
    songs = pd.DataFrame({"path": ["a.mp3", "b.mp3"], "genre": ["Rock", "rock"]})
    labels = ["Rock", "rock", "path", "frames"]
    scores = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.5, 0.2, 0.2]])
    table = predictions_table(songs, scores, labels, [3, 3])
    assert len({name.casefold() for name in table}) == len(table.columns)
    np.testing.assert_array_equal(table[[*score_columns(labels).values()]].to_numpy(), scores)
    assert list(table["path"]) == ["a.mp3", "b.mp3"]


def test_a_method_without_frames_leaves_them_out(tmp_path):
    target, scores = guesses(30, 2)
    songs = pd.DataFrame({"path": [f"{i}.mp3" for i in range(30)], "genre": ["a"] * 30})
    results = metrics.evaluate(target, scores, ["a", "b"])
    page = write_report(tmp_path, results, predictions_table(songs, scores, ["a", "b"]))
    assert "rame" not in Page(page.read_text("utf-8")).text
    assert not (tmp_path / "confusion_frames.png").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReportError, match="cannot write"):
        write_report(tmp_path / "report", *odd_results())
    tmp_path.chmod(0o700)


def test_a_file_in_the_folders_place_is_named(tmp_path):
    (tmp_path / "report").write_text("")
    with pytest.raises(ReportError, match="cannot write"):
        write_report(tmp_path / "report", *odd_results())
