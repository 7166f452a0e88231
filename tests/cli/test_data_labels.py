"""``genrenet data labels``, end to end."""

import csv

import numpy as np
import pandas as pd
import pytest

from genrenet.cli import main

WRONG = [3, 17, 41]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Features of two clear genres and of two that are the same; three songs have a wrong label."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(160):
        genre = ("blues", "metal", "pop", "rock")[number % 4]
        centre = {"blues": (-6.0, 0.0), "metal": (6.0, 0.0)}.get(genre, (0.0, 6.0))
        label = "blues" if number in WRONG else genre
        values = dict(zip("ab", centre + rng.standard_normal(2), strict=True))
        name = f"{label}.{number:05d}.wav"
        rows.append({"filename": name, "label": label, "artist": f"A{number // 4 % 10}", **values})
    file = tmp_path_factory.mktemp("table") / "features.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def test_a_collection_is_judged_by_quick_methods(table, tmp_path, capsys):
    out = tmp_path / "labels.csv"
    assert main(["data", "labels", str(table), "--models", "knn,tree", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "artist-5fold, out of fold: knn, tree" in printed
    assert "pop and rock are not reliably separated" in printed
    assert "Songs that all 2 methods decided wrong: " in printed
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["path"] for row in rows if row["genre"] == "blues"}
    assert {f"blues.{number:05d}.wav" for number in WRONG} <= {p.rpartition("/")[2] for p in found}
    assert {"path", "genre", "suggested", "methods", "of", "knn", "tree"} <= set(rows[0])
    assert all(row["methods"] == row["of"] == "2" for row in rows)


def test_a_results_folder_is_read_and_its_report_says_the_same(table, tmp_path, capsys):
    run = tmp_path / "run"
    judge = ["evaluate", str(table), "--models", "knn,tree", "--out", str(run)]
    assert main(judge) == 0
    capsys.readouterr()
    assert main(["data", "labels", str(run)]) == 0
    printed = capsys.readouterr().out
    (line,) = [line.strip() for line in printed.splitlines() if "pop and rock" in line]
    assert f"- {line}" in (run / "results.md").read_text().splitlines()
    page = (run / "report.html").read_text()
    assert line in page
    assert "blues.00003.wav" in page


def test_what_cannot_be_checked(tmp_path, capsys):
    assert main(["data", "labels", str(tmp_path / "nothing")]) == 2
    assert "genrenet data: error: " in capsys.readouterr().err
