"""The models of a run in rank order, and as Markdown."""

import pytest

from genrenet.evaluation.metrics import song_metrics
from genrenet.evaluation.report.ranking import markdown, number, ranked, span


def row(name, accuracy, n=100, protocol="p", **more):
    """A model's row with one protocol; it failed where there is no accuracy."""
    return {
        "name": name,
        "protocol": protocol,
        "accuracy": accuracy,
        "n": n,
        "ci95": [0.4, 0.6],
        "ci95_artists": None,
        "frame_accuracy": None,
        "fit_seconds": 1.25,
        "predict_seconds": 2.0,
        "error": None if accuracy is not None else "out of\nmemory | disk",
        **more,
    }


def results(*rows, protocols=("p",), **more):
    """A run as it is summarised."""
    return {
        "dataset": "songs",
        "seeds": [0, 1],
        "protocols": [{"name": name, "meaning": f"meaning of {name}"} for name in protocols],
        "models": list(rows),
        "why_protocols_differ": "",
        **more,
    }


def test_most_songs_right_come_first_and_failures_last():
    run = results(
        row("failed", None), row("few", 0.9, n=50), row("zero", 0.0), row("all", 0.6, n=100)
    )
    assert [one["name"] for one in ranked(run, "p")] == ["all", "few", "zero", "failed"]


def test_equals_stay_in_their_order_and_other_protocols_out():
    run = results(row("b", 0.5), row("a", 0.5), row("c", 0.9, protocol="q"))
    assert [one["name"] for one in ranked(run, "p")] == ["b", "a"]
    assert ranked(run, "none") == []


@pytest.mark.parametrize(
    ("interval", "text"), [(None, ""), ([0.4, 0.666], "0.40 to 0.67"), ((0, 1), "0.00 to 1.00")]
)
def test_intervals(interval, text):
    assert span(interval) == text


def test_numbers():
    assert (number(None), number(0), number(0.12345), number(3, 1)) == ("", "0.000", "0.123", "3.0")


def cells(line):
    """Of a line of a table; bars with a backslash before them are part of a cell."""
    marked = line.replace("\\|", "\0").strip().strip("|")
    return [cell.strip().replace("\0", "|") for cell in marked.split("|")]


def test_a_table_for_each_protocol_with_a_cell_for_each_head():
    metric = next(iter(song_metrics()))
    run = results(
        row("a|b", 0.5, **{metric: 0.25}),
        row("x", None),
        row("c", 0.9, protocol="q"),
        protocols=("p", "q"),
        notes=["a note"],
        why_protocols_differ="because",
    )
    lines = markdown(run).splitlines()
    assert lines[:3] == ["# songs", "", "a note"]
    assert "## p (seeds 0, 1)" in lines
    assert "because" in lines
    heads = [cells(line) for line in lines if line.startswith("| model")]
    (best,) = [cells(line) for line in lines if "a\\|b" in line]
    assert len(heads) == 2
    shown = dict(zip(heads[0], best, strict=True))
    assert (shown["model"], shown["song accuracy"], shown["n"]) == ("a|b", "0.500", "100")
    assert shown[song_metrics()[metric].title] == "0.250"
    assert (shown["by artist"], shown["prepare s"], shown["fit s"]) == ("", "", "1.2")
    assert "| x | failed: out of memory disk |" in lines
    assert lines.index("meaning of q") > lines.index("| x | failed: out of memory disk |")
