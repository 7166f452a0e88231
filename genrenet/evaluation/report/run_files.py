"""The files of a run: tables, figures, an HTML page, and TensorBoard logs.

``results.json``
    All results, from `genrenet.evaluation.results.summarise`.
``predictions.parquet``
    Every prediction, from `genrenet.evaluation.results.predictions`.
``results.md``
    The models as Markdown tables.
``figures/``
    Accuracies, confusion matrices, reliability plots and training curves as PNG.
``report.html``
    All of it on one page without external resources.
``tensorboard/``
    The same tables and figures for ``tensorboard --logdir``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from genrenet.evaluation.protocols.curves import axis
from genrenet.evaluation.report import run_page as comparison_page
from genrenet.evaluation.report.html import writing
from genrenet.evaluation.report.ranking import markdown, ranked
from genrenet.evaluation.report.robustness_section import panels
from genrenet.utils import figures
from genrenet.utils.atomic import replacing, write_text

PANELS = {
    "loss": "loss",
    "song_accuracy": "songs right",
    "frame_accuracy": "frames right",
    "song_map": "mAP of songs",
}
"""Training curves that are drawn, if available, and their headings."""


def write_run(folder: Path, results: Mapping[str, Any], predictions: pd.DataFrame) -> Path:
    """Write all results of a run, replacing those of an earlier run.

    Parameters
    ----------
    folder : Path
    results : mapping
        From `summarise`.
    predictions : DataFrame
        From `predictions`.

    Returns
    -------
    Path
        Path of the page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    drawn = dict(_drawings(results, predictions))
    svg = {
        name: figures.to_svg(figure)
        for name, figure in drawn.items()
        if not name.startswith("confusion")  # tables on the page
    }
    page = comparison_page.render(results, predictions, svg, folder)
    with writing(folder):
        write_files(folder, results, markdown(results), predictions, drawn, page)
        write_board(folder / "tensorboard", results, markdown(results), drawn)
    return folder / "report.html"


def write_files(
    folder: Path,
    results: Mapping[str, Any],
    tables: str,
    predictions: pd.DataFrame,
    drawn: Mapping[str, Figure],
    page: str,
) -> None:
    """Write the files of a run, except the TensorBoard logs.

    Parameters
    ----------
    folder : Path
    results : mapping
        Values for JSON.
    tables : str
        Markdown.
    predictions : DataFrame
    drawn : mapping of str to Figure
        By name; earlier drawings are removed.
    page : str
        HTML.
    """
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(folder / "results.json", text, errors="backslashreplace")
    write_text(folder / "results.md", tables, errors="backslashreplace")
    with replacing(folder / "predictions.parquet") as part:
        predictions.to_parquet(part, index=False)
    pictures = folder / "figures"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    for name, figure in drawn.items():
        file = re.sub(r"[^\w.+@-]+", "-", name)
        (pictures / f"{file}.png").write_bytes(figures.to_png(figure))
    write_text(folder / "report.html", page, errors="backslashreplace")


def model_intervals(
    rows: Sequence[Mapping[str, Any]],
    *,
    value: str = "accuracy",
    ends: str = "ci95",
    what: str = "song accuracy",
    title: str = "",
) -> Figure:
    """Draw a share of each model with its interval, over artists if available.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``models``, all without errors.
    value, ends : str
        Their keys; ``<ends>_artists`` is preferred.
    what, title : str
        Label of the share, and the figure's title.
    """
    return figures.intervals(
        [row["name"] for row in rows],
        [row[value] for row in rows],
        [row[f"{ends}_artists"] or row[ends] for row in rows],
        f"{what}, with 95 % interval",
        most=1,
        title=title,
    )


def _drawings(
    results: Mapping[str, Any], predictions: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
    """Yield figures by name."""
    for number, curve in enumerate(results.get("curves", [])):
        along, lines = axis(curve), dict[str, list[Any]]()
        for point in curve["points"]:
            if point["accuracy"] is not None and point[along]:
                at = (point[along], point["accuracy"], point["ci95_artists"] or point["ci95"])
                lines.setdefault(point["model"], []).append(at)
        if lines:
            yield (
                f"curve {number}",
                figures.learning_curves(
                    lines, f"{along} in the training set", "song accuracy, with 95 % interval"
                ),
            )
    for protocol in results["protocols"]:
        name = protocol["name"]
        if protocol.get("part_of"):  # its figures are a point of a curve
            continue
        rows = [row for row in ranked(results, name) if row["accuracy"] is not None]
        if rows:
            yield f"accuracies {name}", model_intervals(rows, title=name)
        if found := panels(results, name):
            yield f"robustness {name}", figures.curves(found, "song accuracy", name)
        yield from training_figures(rows)
        for row in rows:
            model = row["name"]
            for unit in ("songs", "frames"):
                if row[f"confusion_{unit}"] is not None:
                    counts = row[f"confusion_{unit}"]
                    title = f"{model}, {unit}"
                    yield (
                        f"confusion {unit} {name} {model}",
                        figures.confusion_matrix(counts, results["labels"], title),
                    )
            mine = (predictions["protocol"] == name) & (predictions["model"] == model)
            decided = predictions[mine]
            right = decided["genre"] == decided["predicted"]
            title = f"{model}, ECE {row['calibration_error']:.3f}"
            yield (
                f"reliability {name} {model}",
                figures.reliability(decided["confidence"], right, title),
            )


def training_figures(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Figure]]:
    """Yield the training curves of networks in rows of ``models``, by name:
    ``training <protocol> <model>``.
    """
    for row in rows:
        runs = [training["curves"] for training in row.get("training") or ()]
        panels = {
            key: title for key, title in PANELS.items() if any(f"val/{key}" in c for c in runs)
        }
        if panels:
            drawn = figures.training_curves({row["name"]: runs}, panels, "step", _best_step)
            yield f"training {row['protocol']} {row['name']}", drawn


def _best_step(curves: Mapping[str, Sequence[tuple[float, float]]]) -> float | None:
    losses = [(loss, step) for step, loss in curves.get("val/loss", ())]
    return min(losses)[1] if losses else None


def write_board(
    folder: Path, results: Mapping[str, Any], tables: str, drawn: Mapping[str, Figure]
) -> None:
    """Write tables and figures for TensorBoard, which compares them: one run per model.

    Parameters
    ----------
    folder : Path
        Earlier content is removed.
    results : mapping
    tables : str
        Markdown.
    drawn : mapping of str to Figure
        By names that end in the protocol, or in protocol and model.
    """
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    left = dict(drawn)
    for row in results["models"]:
        model, protocol = row["name"], row["protocol"]
        ending = f" {protocol} {model}"
        mine = {name: left.pop(name) for name in list(left) if name.endswith(ending)}
        if not mine:
            continue
        place = folder / re.sub(r"[^\w.+@-]+", "-", model)
        with SummaryWriter(str(place), filename_suffix=f".{protocol}") as board:
            for name, figure in mine.items():
                tag = f"{protocol}/{name.removesuffix(ending)}"
                board.add_image(tag, figures.to_array(figure), dataformats="HWC")
            if len(row["by_seed"]) > 1:
                for seed, value in zip(results["seeds"], row["by_seed"], strict=False):
                    board.add_scalar(f"{protocol}/by_seed", value, seed)
    with SummaryWriter(str(folder / "all")) as board:
        board.add_text("results", tables)
        for name, figure in left.items():
            board.add_image(name, figures.to_array(figure), dataformats="HWC")
