"""Learning curves, from the command to the page."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from genrenet.cli import main
from genrenet.data.splits import SplitError
from genrenet.evaluation.protocols.curves import with_curves


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Three genres that overlap, ten artists each with two songs."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "track_id": f"{genre}/{artist}-{song}",
            "genre": genre,
            "artist": f"{genre} {artist}",
            **dict(zip("abcdefgh", centre + 2 * rng.standard_normal(8), strict=True)),
        }
        for genre, centre in (("folk", -1.5), ("jazz", 0.0), ("rock", 1.5))
        for artist in range(10)
        for song in range(2)
    ]
    file = tmp_path_factory.mktemp("table") / "songs.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return str(file)


def test_a_curve_by_artists_and_one_size_that_there_is_not(features, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["--models", "knn,tree", "--protocol", "artist-2fold", "--seeds", "2"]
    arguments += ["--learning-curve", "artists", "--sizes", "3,9,99", "--out", str(out)]
    assert main(["evaluate", features, *arguments]) == 1
    printed = capsys.readouterr().out
    assert "artist-2fold@99-artists cannot be used: too few artists to train" in printed
    assert "Learning curve of artist-2fold, by artists" in printed
    assert re.search(r"^9 artists +18 +9 ", printed, re.MULTILINE)
    results = json.loads((out / "results.json").read_text())
    (curve,) = results["curves"]
    assert (curve["protocol"], curve["unit"]) == ("artist-2fold", "artists")
    knn = [point for point in curve["points"] if point["model"] == "knn"]
    assert [point["size"] for point in knn] == ["3", "9", "all", "99"]
    assert [point["artists"] for point in knn] == [3, 9, 15, None]
    assert [point["songs"] for point in knn] == [6, 18, 30, None]
    for point in knn[:3]:
        low, high = point["ci95_artists"]
        assert low < point["accuracy"] < high
        assert point["n"] == 60
        assert len(point["by_seed"]) == 2
        (row,) = [
            row
            for row in results["models"]
            if (row["protocol"], row["name"]) == (point["protocol"], "knn")
        ]
        assert row["accuracy"] == point["accuracy"]
    assert "99" in knn[3]["error"]
    # What the report draws and lists are the points; the pages of models are of the whole alone.
    page = (out / "report.html").read_text()
    assert "Learning curve of artist-2fold, by artists" in page
    assert "too few artists to train on 99" in page
    assert "Protocol artist-2fold@" not in page
    assert (out / "figures" / "curve-0.png").stat().st_size > 1000
    assert {check["protocol"] for check in results["label_check"]} == {"artist-2fold"}
    # The same, asked for by names and in another run's folder, are the same figures.
    names = "artist-2fold@9-artists,artist-2fold@3-artists"
    arguments[3] = names
    assert main(["evaluate", features, *arguments[:6], "--out", str(tmp_path / "other")]) == 0
    other = json.loads((tmp_path / "other" / "results.json").read_text())["curves"][0]["points"]
    figures = {(p["size"], p["model"]): p["accuracy"] for p in curve["points"]}
    assert {(p["size"], p["model"]): p["accuracy"] for p in other}.items() <= figures.items()


def test_few_shots_in_a_configuration(features, tmp_path):
    config = tmp_path / "shots.yaml"
    config.write_text("models: [tree]\nprotocol: 70-30\nseeds: 2\nshots: [1, 5]\n")
    out = tmp_path / "run"
    assert main(["evaluate", features, "--config", str(config), "--out", str(out)]) == 0
    (curve,) = json.loads((out / "results.json").read_text())["curves"]
    assert curve["unit"] == "songs of each genre"
    assert [(p["size"], p["songs"]) for p in curve["points"]] == [("1", 3), ("5", 15), ("all", 42)]


def test_names_of_curves():
    assert with_curves(["70-30"]) == ["70-30"]
    assert with_curves(["a", "b"], "artists-per-genre", ["1"]) == [
        *("a@1-artists-per-genre", "a", "b@1-artists-per-genre", "b")
    ]
    assert with_curves(["a"], "songs")[0] == "a@10%-songs"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((["a"], "albums"), "found 'albums', wanted songs or artists"),
        ((["a"], None, ["5"]), "sizes without a learning curve"),
        ((["a"], "artists-per-genre"), "needs sizes"),
        ((["a@5-shot"], "songs"), "a protocol that has a size"),
    ],
)
def test_curves_that_are_none(arguments, said):
    with pytest.raises(SplitError, match=said):
        with_curves(*arguments)
