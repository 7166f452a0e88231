"""The page and the TensorBoard of a run: curves, matrices, players and settings."""

import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from genrenet.evaluation.report.run_page import render
from tests.helpers.guessed_runs import STEPS, guessed_run
from tests.helpers.reports import Page


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    results, decided, page = guessed_run(folder)
    return folder, results, decided, page.read_text("utf-8")


def test_curves_of_networks_are_on_the_page_and_in_the_results(run):
    folder, results, _, page = run
    assert page.count("<h3>Training curves</h3>") == 1
    assert (folder / "runs/one/figures/training-artist-2fold-net.png").stat().st_size > 1000
    kept = json.loads((folder / "runs/one/results.json").read_text())["models"]
    (network,) = [row for row in kept if row["name"] == "net"]
    assert [(t["seed"], t["fold"]) for t in network["training"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert network["training"][0]["curves"]["val/loss"] == [list(point) for point in STEPS]
    assert all(row["training"] == [] for row in kept if row["name"] != "net")
    # A run of an earlier version has none.
    older = {**results, "models": [{**row, "training": None} for row in results["models"]]}
    assert "Training curves" not in render(older, run[2], {}, folder)


def test_matrices_stand_side_by_side_and_many_are_folded(run):
    page = run[3]
    pairs = page.split('<div class="pair large">')[1:]
    assert "net: songs" in pairs[0]
    assert "net: frames" in pairs[0]
    tables = [part.split("</section>")[0].count('<table class="heat">') for part in pairs]
    assert tables == [2, 4, 1]
    assert "<summary>and 1 more</summary>" in page


def test_surest_mistakes_have_players_where_there_are_files(run):
    folder, _, decided, page = run
    found = Page(page)
    assert {"audio"} <= set(found.tags)
    assert page.count("<audio") == page.count('preload="none"') == len(found.outside) / 2
    for address in found.outside:
        assert address.startswith("../../music/")
        assert (folder / "runs/one" / address).is_file()
    wrong = decided[(decided["model"] == "net") & (decided["genre"] != decided["predicted"])]
    surest = wrong.sort_values("confidence", ascending=False)["path"].iloc[0]
    name = surest.removeprefix(f"{folder}/music/")
    assert name in found.text
    assert f">{surest}" not in page
    assert str(folder / "music") in page  # said once, for all


def test_settings_are_folded(run):
    page = run[3]
    assert page.count("<details><summary>Settings</summary>") == 1  # the others have none
    assert "<pre>\ntrainer:\n  max_epochs: 4\n</pre>" in page
    assert "depth 3" in page


def test_tensorboard_has_figures_of_each_model_and_no_plots_of_one_point(run):
    folder, results, _, _ = run
    board = folder / "runs/one/tensorboard"

    def tags(name):
        return EventAccumulator(str(board / name), size_guidance={"scalars": 0}).Reload()

    network = tags("net")
    kinds = ("confusion songs", "confusion frames", "reliability", "training")
    assert set(network.Tags()["images"]) == {f"artist-2fold/{kind}" for kind in kinds}
    (row,) = [row for row in results["models"] if row["name"] == "net"]
    seeds = network.Scalars("artist-2fold/by_seed")
    assert np.allclose([event.value for event in seeds], row["by_seed"])
    assert network.Tags()["scalars"] == ["artist-2fold/by_seed"]
    everything = tags("all")
    assert everything.Tags()["images"] == ["accuracies artist-2fold"]
    (text,) = everything.Tensors("results/text_summary")
    assert b"| net |" in text.tensor_proto.string_val[0]
