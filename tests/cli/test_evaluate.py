"""``genrenet evaluate`` and ``genrenet compare``, end to end."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from genrenet.cli import main


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    rows = [
        {
            "filename": f"{genre}.{number:05d}.wav",
            "label": genre,
            **dict(zip("abc", centre + 1.5 * rng.standard_normal(3), strict=True)),
        }
        for genre, centre in (("blues", -2.0), ("jazz", 0.0), ("metal", 2.0))
        for number in range(15)
    ]
    file = tmp_path_factory.mktemp("table") / "features.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return str(file)


def evaluate(table, out, *more):
    return main(["evaluate", table, "--out", str(out), *more])


def test_one_command_two_protocols(table, tmp_path, capsys):
    protocols = "stratified-3fold,70-30"
    models = ["--models", "knn, tree", "--protocol", protocols, "--seeds", "2"]
    assert evaluate(table, tmp_path / "run", *models) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^knn +0\.\d{3} ", printed, re.MULTILINE)
    assert "report.html" in printed
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["protocol"] == protocols
    for row in results["models"]:
        for key in ("name", "accuracy", "ci95", "n", "macro_f1", "frame_accuracy", "per_class"):
            assert key in row
        for key in ("fit_seconds", "predict_seconds", "error"):
            assert key in row


def test_an_experiment_from_a_file_and_some_genres(table, tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "models: [knn]\nprotocol: stratified-5fold\ngenres: [blues, metal]\n"
        "reference: [{name: their knn, accuracy: 0.8, source: a paper}]\n"
    )
    assert evaluate(table, tmp_path / "run", "--config", str(config)) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["labels"] == ["blues", "metal"]
    assert results["protocol"] == "stratified-5fold"
    assert "their knn" in (tmp_path / "run" / "report.html").read_text()
    # What the command line says wins.
    more = ["--config", str(config), "--protocol", "70-30"]
    assert evaluate(table, tmp_path / "other", *more) == 0
    assert json.loads((tmp_path / "other" / "results.json").read_text())["protocol"] == "70-30"
    capsys.readouterr()


def test_failures_are_told_by_the_exit_code(table, tmp_path, capsys):
    models = ["--models", "knn,kl-knn", "--protocol", "70-30"]
    assert evaluate(table, tmp_path / "run", *models) == 1
    assert "kl-knn cannot be evaluated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no models to evaluate"),
        (["--models", "svn"], "no baseline 'svn'"),
        (["--models", "knn", "--protocol", "bootstrap"], "unknown protocol"),
        (["--models", "knn", "--protocol", "artist-5fold"], "needs artists"),
        (["--models", "knn", "--seeds", "0"], "number of seeds"),
        (["--models", "knn", "--protocol", "70-30", "--genres", "polka,jazz"], "'polka'"),
        (["--models", "cnn", "--max-steps", "0"], "--max-steps"),
        (["--config", "nothing"], "no experiment 'nothing'"),
    ],
)
def test_requests_that_cannot_be_carried_out(table, tmp_path, capsys, arguments, said):
    assert evaluate(table, tmp_path / "run", *arguments) == 2
    assert said in capsys.readouterr().err


def test_two_runs_side_by_side(table, tmp_path, capsys):
    protocol = ["--protocol", "stratified-5fold"]
    evaluate(table, tmp_path / "one", "--models", "knn,tree", *protocol)
    frame = pd.read_csv(table)
    frame["c"] = 0.0
    frame.to_csv(tmp_path / "features.csv", index=False)
    evaluate(
        str(tmp_path / "features.csv"), tmp_path / "two", "--models", "knn,svm-linear", *protocol
    )
    capsys.readouterr()
    runs = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert main(["compare", *runs, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in found["models"]}
    assert set(rows) == {"knn", "tree", "svm-linear"}
    first, second = rows["knn"]["accuracy"]
    assert rows["knn"]["paired"]["difference"] == pytest.approx(second - first)
    assert rows["knn"]["paired"]["n"] == 45
    assert rows["tree"]["accuracy"][1] is None
    assert rows["tree"]["paired"] is None
    assert main(["compare", *runs]) == 0
    assert re.search(r"^stratified-5fold +knn ", capsys.readouterr().out, re.MULTILINE)


def test_compare_wants_runs(tmp_path, capsys):
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "contains no run" in capsys.readouterr().err
