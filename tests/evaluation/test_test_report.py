"""Metrics against scikit-learn, the report of a real test, predictions, two processes at once."""

import contextlib
import csv
import io
import json
import math
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import soundfile
import torch
from matplotlib.image import imread

from genrenet.evaluation import metrics
from genrenet.evaluation.report.test_report import ReportError, predictions_table, write_report
from genrenet.inference.result import score_columns
from genrenet.training.metrics import StageMetrics
from tests.helpers.reported_training import reported_training
from tests.helpers.tones import RATE, tone

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:.*smaller than the logging interval"
)
GENRES = {"R&B <b>": 150.0, "$oul": 900.0, "Veränderung": 4000.0}


def guesses(n=200, labels=5, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(labels), n)
    target = np.where(rng.random(n) < 0.6, scores.argmax(axis=1), rng.integers(0, labels, n))
    return target, scores


# --- metrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [2, 5, 30])
def test_metrics_equal_scikit_learns(labels):
    target, scores = guesses(60, labels)
    best = scores.argmax(axis=1)
    confusion = metrics.confusion_matrix(target, scores)
    wanted = sklearn.metrics.confusion_matrix(target, best, labels=range(labels))
    assert (confusion == wanted).all()
    assert metrics.accuracy(target, scores) == pytest.approx(
        sklearn.metrics.accuracy_score(target, best)
    )
    assert metrics.macro_f1(confusion) == pytest.approx(
        sklearn.metrics.f1_score(target, best, average="macro", zero_division=0)
    )
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        target, best, labels=range(labels), zero_division=0
    )
    found = metrics.per_class(confusion)
    for name, values in [("precision", precision), ("recall", recall), ("f1", f1)]:
        assert found[name] == pytest.approx(values)
    assert (found["support"] == support).all()
    if labels > 2:
        assert metrics.top_k_accuracy(target, scores, 2) == pytest.approx(
            sklearn.metrics.top_k_accuracy_score(target, scores, k=2, labels=range(labels))
        )


def test_songs_that_were_not_decided_are_left_out():
    target, scores = guesses(50)
    more = np.concatenate([target, [-1, -1]]), np.concatenate([scores, np.zeros((2, 5))])
    labels = list("abcde")
    assert metrics.evaluate(*more, labels) == metrics.evaluate(target, scores, labels)


def test_evaluate_agrees_with_the_metrics_of_training():
    target, scores = guesses(80)
    stage = StageMetrics(list("abcde"), 80, "mean")
    stage.update(
        torch.tensor(scores), torch.tensor(target), torch.arange(80), torch.ones(80).bool()
    )
    live, found = stage.compute(), metrics.evaluate(target, scores, list("abcde"))
    assert found["song_accuracy"] == pytest.approx(float(live["song_accuracy"]))
    assert found["song_macro_f1"] == pytest.approx(float(live["song_f1"]))
    assert found["song_top2"] == pytest.approx(float(live["song_top2"]))
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("correct", "n", "lower", "upper"),
    # Published values: Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_equal_published_ones(correct, n, lower, upper):
    assert metrics.wilson_interval(correct, n) == pytest.approx((lower, upper), abs=1e-4)
    mirrored = metrics.wilson_interval(n - correct, n)
    assert mirrored == pytest.approx((1 - upper, 1 - lower), abs=1e-4)


def test_wilson_intervals_at_the_ends():
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)
    assert metrics.wilson_interval(7, 7)[1] == 1.0
    wide, narrow = metrics.wilson_interval(5, 10, 0.99), metrics.wilson_interval(5, 10, 0.8)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    with pytest.raises(metrics.MetricError, match="8 of 7"):
        metrics.wilson_interval(8, 7)


def test_calibration_error_knows_honest_from_boastful():
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1.0, 20_000)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    honest = (rng.random(20_000) > confidence).astype(int)
    assert metrics.calibration_error(honest, scores) < 0.02
    assert metrics.calibration_error(np.ones(4, int), [[1.0, 0.0]] * 4) == 1.0


@pytest.mark.parametrize(
    ("target", "scores", "message"),
    [
        ([0, 1], [[1.0, 0.0]], "do not fit"),
        ([0.5], [[1.0, 0.0]], "must be numbers"),
        ([0], [[math.nan, 0.0]], "1 bad scores"),
        ([2], [[1.0, 0.0]], "out of range"),
        ([-1], [[1.0, 0.0]], "nothing to measure"),
    ],
)
def test_impossible_input_is_named(target, scores, message):
    with pytest.raises(metrics.MetricError, match=message):
        metrics.evaluate(target, scores, ["a", "b"])


# --- the report -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """Checks that elements are closed in order, and gathers text and what points outside."""

    void = frozenset({"meta", "br", "img"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.outside, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


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


# --- Lightning ------------------------------------------------------------------------------------


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
