"""Networks as contenders: each is trained and tested by the program's own commands.

They run in separate processes, so that a crash does not affect others, their memory is released
afterwards, and an interrupted run resumes from the network's last checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from genrenet.audio.deforming import Deformation
from genrenet.data.catalog.tables import write_table
from genrenet.data.splits import Split, write_split
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.deformed_songs import deformed_songs
from genrenet.evaluation.methods import Contender, ContenderError, FoldResult
from genrenet.inference.result import score_columns
from genrenet.models.adapters import is_reference
from genrenet.models.checkpoints import published_models
from genrenet.models.checkpoints.finding import content_of, has_own_content
from genrenet.models.checkpoints.header import read_header
from genrenet.models.thresholds import USUAL
from genrenet.training.configs import config_path
from genrenet.utils import atomic
from genrenet.utils.errors import printable
from genrenet.version import __version__

NETWORKS = ("cnn", "crnn")

TRANSFER = {
    "musicnn": "transfer-musicnn",
    "MusiCNN": "transfer-musicnn",
    "efficientat": "transfer-efficientat",
    "audioset": "transfer-efficientat",
    "MobileNetV3": "transfer-efficientat",
    "Fused": "transfer-musicnn",
}
"""Configurations for backbones that ``transfer`` does not fit, by prefixes of published names and
by the networks of files."""


class NetworkContender(Contender):
    """A network that is trained from a configuration.

    Parameters
    ----------
    name : str
        ``cnn``, ``crnn``, ``transfer:BACKBONE`` or ``config:NAME_OR_FILE``.
    options : sequence of str
        More options of ``genrenet fit``, such as ``--trainer.max_steps=200``.

    Raises
    ------
    ContenderError
        No such backbone.
    ConfigError
        No such configuration.
    """

    uses_gpu = True

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        super().__init__(name)
        kind, _, rest = name.partition(":")
        self.options = list(options)
        self.backbone = ""
        if kind == "transfer":
            own_content = has_own_content(rest)
            if rest not in published_models() and not own_content:
                raise ContenderError(
                    f"no published network '{rest}'",
                    wanted=f"transfer:NAME with one of {', '.join(published_models())}, a file, or "
                    "what an adapter opens, such as hf:ORG/NAME",
                )
            self.config, own = _transfer(rest)
            self.options = [f"--model.network.init_args.backbone={rest}", *own, *self.options]
            self.backbone = rest
            if own_content:
                self.backbone = content_of(rest)
        else:
            self.config = rest if kind == "config" else name
        self.file = os.path.abspath(config_path(self.config))

    def about(self) -> dict[str, Any]:
        """Return the configuration's text, the options and the backbone."""
        text = Path(self.file).read_text("utf-8")
        about = {"config": text, "options": self.options, "genrenet": __version__}
        return {**about, "backbone": self.backbone} if self.backbone else about

    def check(self, dataset: Dataset) -> None:
        """Raise an error for a table of features: networks need audio."""
        if dataset.features is not None:
            raise ContenderError(
                f"the network '{self.name}' needs audio",
                found=f"a table of {len(dataset.columns)} features, '{dataset.name}'",
                wanted="a collection of songs",
            )

    def with_options(self, options: Sequence[str]) -> NetworkContender:
        """Return the same network with more options of ``genrenet fit``."""
        found = copy(self)
        found.options = [*self.options, *options]
        return found

    def configuration(self, dataset: Dataset, folder: Path) -> dict[str, Any]:
        """Return the full configuration as ``genrenet fit`` resolves it with the options."""
        songs = folder / "songs.csv"
        write_table(dataset.table, str(songs))
        settings = folder / f"{hashlib.sha256(self.name.encode()).hexdigest()[:16]}.yaml"
        arguments = ["--config", self.file, *self.options, f"--data.source={songs}"]
        arguments += _of_songs(dataset)
        self._run(["fit", *arguments, "--print_config"], folder / "prepare.log", settings)
        found: dict[str, Any] = yaml.safe_load(settings.read_text("utf-8"))
        return found

    def prepare(self, dataset: Dataset, folder: Path) -> float:
        """Decode the songs into the store shared by every fold, seed and network of this rate."""
        settings = self.configuration(dataset, folder)
        from genrenet.data.datamodule import GenreDataModule

        data = GenreDataModule(**settings["data"])
        began = time.perf_counter()
        data.prepare_data()
        return time.perf_counter() - began

    def judge(
        self, dataset: Dataset, split: Split, seed: int, folder: Path, *, own_validation: bool
    ) -> FoldResult:
        """See `Contender.judge`."""
        folder.mkdir(parents=True, exist_ok=True)
        songs, parts = folder / "songs.csv", folder / "split.csv"
        write_table(dataset.table, str(songs))
        write_split(split, parts)
        run = folder / "run" / "version_0"
        last, best = (run / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
        finished = folder / "fit_seconds.txt"
        began = time.perf_counter()
        if not finished.exists() or not last.exists():
            if last.exists():
                arguments = ["--ckpt_path", str(last)]
            else:
                # If it was stopped before its first checkpoint, a run starts again in the same
                # folder.
                shutil.rmtree(folder / "run", ignore_errors=True)
                arguments = ["--config", self.file, *self.options]
                arguments += [f"--data.source={songs}", f"--data.split={parts}"]
                arguments += _of_songs(dataset)
                arguments += [f"--out={folder}", "--name=run", f"--seed_everything={seed}"]
            self._run(["fit", *arguments], folder / "fit.log")
            if not last.exists():
                raise ContenderError(
                    f"'genrenet fit' of '{self.name}' wrote no checkpoint",
                    wanted=printable(last),
                    remedy=f"let its configuration write some; see {printable(folder / 'fit.log')}",
                )
            atomic.write_text(finished, f"{time.perf_counter() - began:.3f}")
        learnt = time.perf_counter()
        self._run(
            ["test", "--ckpt_path", str(best if best.exists() else last)], folder / "test.log"
        )
        answered = time.perf_counter()
        report = run / "test" / "report"
        found = json.loads((report / "results.json").read_text("utf-8"))
        rows = pd.read_csv(report / "predictions.csv", keep_default_na=False)
        ids = dict(
            zip(map(printable, dataset.table["path"]), dataset.table["track_id"], strict=True)
        )
        decided = [ids[path] for path in rows["path"]]
        known = set(decided)
        wanted = dataset.table["track_id"].to_numpy()[split.indices(dataset.table, "test")]
        reasons = {ids.get(item["path"], ""): item["reason"] for item in found.get("skipped", [])}
        return FoldResult(
            decided,
            _scores(rows, dataset.labels),
            float(finished.read_text("utf-8")),
            answered - learnt,
            frame_confusion=None
            if dataset.multi_label
            else _in_order(found["confusion_frames"], list(found["labels"]), dataset.labels),
            skipped={
                track: reasons.get(track, "it was not decided")
                for track in wanted
                if track not in known
            },
            truncated={
                ids[item["path"]]: item["reason"]
                for item in found.get("truncated", [])
                if ids.get(item["path"]) in known
            },
            deformed={
                one.name: self._deformed(
                    dataset, wanted, one, best if best.exists() else last, folder
                )
                for one in self.deformations
            },
            thresholds=[found["thresholds"].get(label, USUAL) for label in dataset.labels]
            if dataset.multi_label
            else None,
            curves=_curves(run),
        )

    def _deformed(
        self,
        dataset: Dataset,
        tracks: Sequence[str],
        one: Deformation,
        checkpoint: Path,
        folder: Path,
    ) -> dict[str, Any]:
        """Return a checkpoint's scores for deformed songs."""
        table = dataset.table[dataset.table["track_id"].isin(tracks)]
        files, errors = deformed_songs(table["path"], one)
        skipped = {
            track: errors[path]
            for track, path in zip(table["track_id"], table["path"], strict=True)
            if path in errors
        }
        table = table[table["path"].isin(files)]
        if not len(table):
            return {"track_ids": [], "scores": [], "skipped": skipped}
        table = table.assign(path=table["path"].map(files))
        place = folder / "deformed" / hashlib.sha256(one.name.encode()).hexdigest()[:16]
        place.mkdir(parents=True, exist_ok=True)
        # Copies of one song share a file.
        write_table(table.drop_duplicates("path"), str(place / "songs.csv"))
        arguments = ["--ckpt_path", str(checkpoint), f"--data.source={place / 'songs.csv'}"]
        arguments += ["--data.segments=off", f"--out={place}", "--name=run"]
        self._run(["predict", *arguments], place / "predict.log")
        written = sorted(place.rglob("predictions.csv"), key=lambda file: file.stat().st_mtime)
        rows = pd.read_csv(written[-1], keep_default_na=False)
        scores = dict(zip(rows["path"], _scores(rows, dataset.labels), strict=True))
        answers = {
            track: scores[path]
            for track, path in zip(table["track_id"], map(printable, table["path"]), strict=True)
            if path in scores
        }
        return {
            "track_ids": list(answers),
            "scores": list(answers.values()),
            "skipped": skipped
            | {track: "it was not decided" for track in table["track_id"] if track not in answers},
        }

    def _run(self, arguments: Sequence[str], log: Path, out: Path | None = None) -> None:
        """Run a command of the program; skipped songs are not a failure.

        Its output goes to ``log``, or standard output to ``out`` if given and the rest to ``log``.
        """
        quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
        command = [sys.executable, "-m", "genrenet", arguments[0], *quiet, *arguments[1:]]
        with open(log, "wb") as file, open(out or os.devnull, "wb") as printed:
            code = subprocess.run(
                command,
                stdout=file if out is None else printed,
                stderr=file,
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode
        if code not in (0, 1):
            said = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
            raise ContenderError(
                f"'genrenet {arguments[0]}' of '{self.name}' ended with code {code}",
                found=said[-1][:300] if said else "no output",
                remedy=f"see {printable(log)}",
            )


def _curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    from genrenet.training.stage_logger import read_curves  # imports Lightning

    return read_curves(run)


def _transfer(backbone: str) -> tuple[str, list[str]]:
    """Return the configuration that trains a head on a backbone, and the settings that a file
    overrides.
    """
    if is_reference(backbone):
        from genrenet.models.adapters.network import frame_options

        frames = frame_options(backbone).items()
        return "transfer", [f"--data.{name}={value}" for name, value in frames]
    if not Path(backbone).is_file():
        family = backbone.partition("-")[0]
        return TRANSFER.get(family, "transfer"), []
    description = read_header(backbone)["genrenet"]
    rate, seconds = description["frames"]["sample_rate"], description["frames"]["seconds"]
    heard = [f"--data.sample_rate={rate}", f"--data.frame_seconds={seconds}"]
    return TRANSFER.get(description["network"]["name"], "transfer"), heard


def _of_songs(dataset: Dataset) -> list[str]:
    """Return options with which the trainer reads the songs as the dataset has them."""
    found = [] if "song" in dataset.table else ["--data.segments=off"]
    return [*found, "--data.multi_label=true"] if dataset.multi_label else found


def _scores(rows: pd.DataFrame, labels: Sequence[str]) -> list[list[float]]:
    columns = [*score_columns(labels).values()]
    for column in columns:
        if column not in rows:
            rows[column] = 0.0
    return [[float(value) for value in row] for row in rows[columns].to_numpy()]


def _in_order(
    matrix: Sequence[Sequence[int]], given: Sequence[str], labels: Sequence[str]
) -> list[list[int]]:
    """Return a confusion matrix for all labels, with zeros for labels that were not among the given
    ones.
    """
    place = {label: row for row, label in enumerate(given)}
    return [
        [matrix[place[a]][place[b]] if a in place and b in place else 0 for b in labels]
        for a in labels
    ]
