"""Reproduce the source report part by part; a failure or missing songs affect only that part.

Layout of a reproduction's folder
---------------------------------
``report.html``
    The page; written again after every part.
``results.json``
    The results on the page, as JSON.
``vectors``, ``gaussians``, ``networks``
    Runs of `genrenet.evaluation.api.evaluate`, each with its own report.
``finetuning``
    A `genrenet.evaluation.reproduction.tuning` study.
``songs.csv``
    The songs, if they come from several collections.

An interrupted run of each of them is resumed.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genrenet.baselines import baseline
from genrenet.data.splits import SplitError, fault_filtered
from genrenet.evaluation.api import evaluate
from genrenet.evaluation.report.html import writing
from genrenet.evaluation.reproduction.page import plain_name, render
from genrenet.evaluation.reproduction.plan import FULL, Plan, Reproduction
from genrenet.evaluation.reproduction.published import GENRES
from genrenet.evaluation.reproduction.songs import find_material
from genrenet.evaluation.reproduction.tuning import Study, run_study
from genrenet.evaluation.stored_json import read_json
from genrenet.utils.atomic import write_text
from genrenet.utils.errors import GenrenetError, printable

FRAME = 29.12
"""Length of the published taggers' frames, in seconds."""

LEAST_TEST = 100
"""Minimum number of test songs of the fault-filtered split for a second protocol."""

PARTS = ("tables", "networks", "finetuning")


def reproduce(
    data: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    features: str | os.PathLike[str] | None = None,
    plan: Plan = FULL,
    parts: Sequence[str] = PARTS,
    labels: str = "auto",
    tell: Callable[[str], None] = print,
) -> Reproduction:
    """Reproduce the parts of the source report that the songs allow, and write a page.

    Parameters
    ----------
    data : sequence of path
        Collections of songs, and optionally a table of features: of GTZAN, or of any songs with the
        genres classical, jazz, metal and pop.
    out : path
        Output folder. An interrupted reproduction in it is resumed.
    features, labels
        See `genrenet.evaluation.reproduction.songs.find_material`.
    plan : Plan
        `FULL`, `QUICK` or another.
    parts : sequence of {"tables", "networks", "finetuning"}
        Earlier results of the other parts in the same folder stay on the page.
    tell : callable
        Called with lines of progress.

    Returns
    -------
    Reproduction

    Raises
    ------
    GenrenetError
        Data that cannot be read, or a folder that cannot be written.

    Examples
    --------
    >>> reproduce(["gtzan"], "runs/report", plan=QUICK).page  # doctest: +SKIP
    """
    folder = Path(out)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        found = Reproduction(
            folder, plan, find_material(data, folder, features=features, labels=labels)
        )
    for note in found.material.notes:
        tell(note)
    steps: dict[str, Callable[[Reproduction, str, Callable[[str], None]], None]] = {
        "tables": _tables,
        "networks": _networks,
        "finetuning": _finetuning,
    }
    left_out = [part for part in PARTS if part not in parts]
    found.take(read_json(folder / "results.json") or {}, left_out)
    for part in parts:
        found.part = part
        try:
            steps[part](found, labels, tell)
        except Exception as error:  # a failure must not affect the other parts
            why = str(error) if isinstance(error, GenrenetError) else repr(error)
            log = folder / f"{part}.log"
            write_text(log, traceback.format_exc(), errors="backslashreplace")
            found.lack(part, f"{why} (traceback: {printable(log)})")
            tell(f"{part}: failed: {why}")
        _write(found)
    return found


def _write(found: Reproduction) -> None:
    text = json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n"
    with writing(found.out):
        write_text(found.out / "results.json", text, errors="backslashreplace")
        write_text(found.page, render(found), errors="backslashreplace")


def _evaluate(
    found: Reproduction,
    name: str,
    data: Path,
    models: Sequence[str],
    tell: Callable[[str], None],
    **settings: Any,
) -> None:
    """Evaluate models; the reasons for failures are recorded."""
    try:
        judged = evaluate(data, models, out=found.out / name, tell=tell, **settings)
    except GenrenetError as error:
        found.lack(", ".join(map(plain_name, models)), str(error))
        tell(f"{name} could not be run: {error}")
        return
    found.keep(name, judged.results)
    for row in judged.results["models"]:
        if row["accuracy"] is None:
            why = row["error"] or "no song was classified"
            found.lack(f"{plain_name(row['name'])} under {row['protocol']}", why)


def _tables(found: Reproduction, labels: str, tell: Callable[[str], None]) -> None:
    """Evaluate the methods of Tables 1 to 4: on vectors if available, Gaussians on audio."""
    settings = {"protocol": ["70-30"], "seeds": found.plan.seeds, "genres": GENRES}
    material, methods = found.material, list(found.plan.methods.values())
    on_audio = [name for name in methods if baseline(name).kind == "gaussians"]
    if material.features is None:
        on_audio = methods
    else:
        on_vectors = [name for name in methods if name not in on_audio]
        _evaluate(found, "vectors", material.features, on_vectors, tell, **settings)
    if material.audio is not None:
        _evaluate(found, "gaussians", material.audio, on_audio, tell, labels=labels, **settings)
    elif on_audio:
        found.lack(" and ".join(on_audio), "they need audio files, and there are none")


def network_names(songs: pd.DataFrame) -> list[str]:
    """Return the networks with frames short enough for a song to have two of them."""
    long = songs["duration"].median() >= 2 * FRAME
    return ["cnn", "crnn"] if long else ["config:short/cnn", "config:short/crnn"]


def _networks(found: Reproduction, labels: str, tell: Callable[[str], None]) -> None:
    """Evaluate networks and classical methods on the same songs of all genres."""
    material, plan = found.material, found.plan
    if material.audio is None or material.songs is None:
        found.lack(
            "CNN and CRNN, and their comparison", "they need audio files, and there are none"
        )
        return
    networks = network_names(material.songs) if plan.networks is None else plan.networks
    models = [*networks, *(f"transfer:{name}" for name in plan.transfers)]
    epochs = plan.network_epochs
    protocol = ["70-30"]
    try:
        if fault_filtered(material.songs).counts()["test"] >= LEAST_TEST:
            protocol.append("fault-filtered")
        else:
            found.lack(
                "the fault-filtered split of GTZAN",
                f"fewer than {LEAST_TEST} of its test songs were found",
            )
    except SplitError:
        pass  # not GTZAN
    _evaluate(
        found,
        "networks",
        material.audio,
        [*models, *plan.classical],
        tell,
        protocol=protocol,
        seeds=plan.network_seeds,
        fit_options=[] if epochs is None else [f"--trainer.max_epochs={epochs}"],
        labels=labels,
    )


def _finetuning(found: Reproduction, labels: str, tell: Callable[[str], None]) -> None:
    """Train the stages of both taggers by both optimisers."""
    if found.material.audio is None:
        found.lack("fine-tuning", "networks need audio files, and there are none")
        return
    plan = found.plan
    study = Study(
        os.fspath(found.material.audio),
        plan.backbones,
        epochs=plan.tuning_epochs,
        max_songs=plan.tuning_songs,
        labels=labels,
    )
    found.tuned, failed = run_study(study, found.out / "finetuning", tell)
    for name, why in failed.items():
        found.lack(f"fine-tuning of {name}", why)
