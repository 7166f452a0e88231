"""A reproduction end to end on synthetic songs: parts that cannot be run are listed."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
import soundfile

from genrenet.cli import main
from genrenet.evaluation.reproduction.plan import Plan
from genrenet.evaluation.reproduction.run import network_names, reproduce
from tests.helpers.tones import RATE, tone

LIGHT = Plan(
    {"svm": "tree", "k-means": "gaussian-kmeans", "knn": "kl-knn", "neural network": "knn"}, 2
)
"""Methods that learn in a moment."""

GENRES = ("classical", "jazz", "metal", "pop")


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """A folder of 20 songs of 2 s in four genres."""
    root = tmp_path_factory.mktemp("songs")
    for place, genre in enumerate(GENRES):
        (root / genre).mkdir()
        for song in range(5):
            wave = tone(200.0 * 2**place * (1 + 0.02 * song), 2.0, seed=song)
            soundfile.write(root / genre / f"{genre}.{song:05}.wav", wave, RATE)
    return root


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    file = tmp_path_factory.mktemp("vectors") / "features_30_sec.csv"
    rows = [
        (f"{genre}.{song:05}.wav", place + 0.3 * (song % 3), song % 2, genre)
        for place, genre in enumerate(GENRES)
        for song in range(10)
    ]
    pd.DataFrame(rows, columns=["filename", "one", "two", "label"]).to_csv(file, index=False)
    return file


@pytest.mark.long
def test_the_whole_report_and_its_resumption(songs, vectors, checkpoint, tmp_path):
    plan = replace(
        LIGHT,
        network_seeds=1,
        networks=[],
        transfers=[],
        classical=["gaussian-kmeans", "kl-knn"],
        backbones={"cnn": str(checkpoint)},
        tuning_epochs=1,
        tuning_songs=8,
    )
    said = []
    found = reproduce([songs], tmp_path / "run", features=vectors, plan=plan, tell=said.append)
    assert [what for what, _ in found.lacking] == ["the fault-filtered split of GTZAN"]
    assert set(found.evaluations) == {"vectors", "gaussians", "networks"}
    page = found.page.read_text("utf-8")
    assert page.count("<h4>Published</h4>") == 4
    assert len(re.findall(r"<h4>Here: [\w-]+</h4>\s*<p>\d", page)) == 4
    assert "Classical and deep methods" in page
    assert page.count("<h4>CNN: ") == 3
    stored = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    assert len(stored["finetuning"]) == 6
    assert stored["evaluations"]["vectors"]["n_songs"] == 40

    kept = [*(tmp_path / "run").rglob("seed*/*.json")]
    times = {file: file.stat().st_mtime_ns for file in kept}
    assert len(times) == 4 + 4 + 2
    said.clear()
    again = reproduce([songs], tmp_path / "run", features=vectors, plan=plan, tell=said.append)
    assert sum("already done" in line for line in said) == 6
    assert not any(" right (" in line for line in said)
    assert times == {file: file.stat().st_mtime_ns for file in times}
    assert again.evaluations["vectors"]["models"] == found.evaluations["vectors"]["models"]

    # One part alone leaves the others on the page.
    page = again.page.read_text("utf-8")
    part = reproduce([songs], tmp_path / "run", features=vectors, plan=plan, parts=["tables"])
    assert _words(part.page.read_text("utf-8")) == _words(page)
    assert part.lacking == again.lacking


def _words(page):
    """Return a page without times and drawings, whose identifiers are drawn by chance."""
    return re.sub(r"<svg.*?</svg>|\d{4}-\d\d-\d\dT[\d:+]+", "", page, flags=re.DOTALL)


def test_vectors_alone_leave_out_what_needs_audio(vectors, tmp_path):
    found = reproduce([vectors], tmp_path / "run", plan=LIGHT, tell=[].append)
    assert set(found.evaluations) == {"vectors"}
    page = found.page.read_text("utf-8")
    assert page.count("audio files, and there are none") == len(found.lacking) == 3
    assert page.count("<p>not run</p>") == 2


def test_the_command_says_what_was_not_run(vectors, tmp_path, capsys):
    given = ["--quick", "--parts", "networks,finetuning", "--out", str(tmp_path / "run")]
    assert main(["reproduce", "report", str(vectors), *given]) == 1
    assert capsys.readouterr().out.count("not run: ") == 2


def test_other_genres_than_the_report_has(music, tmp_path, capsys):
    out = tmp_path / "run"
    given = ["reproduce", "report", str(music), "--parts", "tables", "--out", str(out), "--json"]
    assert main(given) == 1
    told = json.loads(capsys.readouterr().out)
    (lacking,) = told["could_not_be_run"]
    assert "'classical'" in lacking["why"]
    assert (out / "report.html").exists()


def test_an_experiment_is_handed_on_to_evaluate(vectors, tmp_path, capsys):
    given = ["reproduce", "frames-or-songs", str(vectors), "--out", str(tmp_path / "run")]
    assert main(given) == 2
    assert "the network 'cnn' needs audio" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["report", "--parts", "tables,songs"], "found songs"),
        (["four-genres", "--quick"], "--quick of four-genres"),
    ],
)
def test_options_that_do_not_fit(options, words, songs, tmp_path, capsys):
    assert main(["reproduce", *options[:1], str(songs), *options[1:]]) == 2
    assert words in capsys.readouterr().err


def test_networks_by_the_length_of_the_songs():
    def of(seconds):
        return network_names(pd.DataFrame({"duration": [seconds]}))

    assert of(30.0) == ["config:short/cnn", "config:short/crnn"]
    assert of(180.0) == ["cnn", "crnn"]
