"""The documentation's figures come from stored results, and these from `genrenet evaluate`."""

import sys
from pathlib import Path

import pytest

from genrenet.evaluation.api import evaluate
from genrenet.evaluation.protocols.curves import with_curves
from genrenet.training.configs import experiment

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
import results


def test_the_page_says_what_is_stored():
    stored = results.read_stored()
    assert set(stored) == set(results.DATA)
    assert (results.DOCS / "results.md").read_text("utf-8") == results.page(stored)


@pytest.mark.parametrize("name", list(results.DATA))
def test_what_is_stored_is_of_the_experiment_as_it_is(name):
    settings, stored = experiment(name), results.read_stored()[name]
    listed = settings["protocol"]
    names = [listed] if isinstance(listed, str) else listed
    asked = with_curves(names, settings.get("learning_curve"), settings.get("sizes", ()))
    assert [protocol["name"] for protocol in stored["protocols"]] == asked
    deformed = {row["deformation"] for row in stored["robustness"]}
    assert deformed == set(settings.get("deform", ()))
    assert stored["seeds"] == list(range(settings["seeds"]))
    assert {row["name"] for row in stored["models"]} == set(settings["models"])


def test_a_short_form_gives_the_same_figures(shared_data, tmp_path):
    """Two methods of the ten genres' experiment: the same songs, and the same share right."""
    folder, names = shared_data / results.DATA["ten-genres"][0], ["knn", "tree"]
    found = evaluate(
        folder, names, protocol=["fault-filtered"], out=tmp_path, tell=lambda line: None
    )
    stored = {
        row["name"]: row
        for row in results.read_stored()["ten-genres"]["models"]
        if row["protocol"] == "fault-filtered"
    }
    for row in found.results["models"]:
        assert row["n"] == stored[row["name"]]["n"]
        # Another machine's products differ in their last digits, which may turn a song or two.
        assert row["accuracy"] == pytest.approx(stored[row["name"]]["accuracy"], abs=0.01)
