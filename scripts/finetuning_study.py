#!/usr/bin/env python3
"""Which stages of a published tagger should learn, and with which optimiser?

Every network starts from its backbone and trains {the head, the last convolution and the head, the
recurrent layers and the head, everything} by {Adam, SGD with Nesterov momentum}. The epoch with the
least validation loss is measured on test songs by artists that were not trained on.

    python scripts/finetuning_study.py --data FOLDER --out study --epochs 30

The folder gets ``results.json`` (a run that stands there is not repeated), ``table.csv``,
``table.md``, ``figure.png`` and ``figure.svg``, the curves in ``tensorboard``, and ``checkpoints``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from matplotlib.figure import Figure
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger

from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.metrics import evaluate
from genrenet.models.checkpoints import load_model
from genrenet.models.networks import GenreNetwork
from genrenet.training.finetuning import LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from genrenet.training.schedules import OneCycle
from genrenet.utils.atomic import write_text
from genrenet.utils.figures import INK, MUTED, to_png, to_svg

STAGES = {
    "head": "head",
    "last-conv": "last convolution + head",
    "recurrent": "recurrent layers + head",
    "all": "all stages",
}
OPTIMISERS = {"adam": "Adam", "sgd": "SGD Nesterov"}
MAKERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}
DASHES, HATCHES = {"adam": "-", "sgd": "--"}, {"adam": "", "sgd": "///"}
SETTINGS = ("data", "format", "split", "epochs", "seed", "batch_size", "max_songs", "lr", "decay")
HEAD = ["network", "learning", "optimiser", "song accuracy [95 %]", "frame accuracy [95 %]"]
HEAD += ["train - validation", "s / epoch", "s in all", "s of cache"]
NOTE = (
    "Accuracies on {n_songs} songs and {n_frames} frames of the test part ({split_name}), of the "
    "epoch with the least validation loss. Wilson's intervals take songs and frames to be "
    "independent, which frames of one song are not. Train - validation: frame accuracies of that "
    "epoch, the former measured while training, with dropout."
)


class History(pl.Callback):
    """Metrics and seconds of every epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self._started: float | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Close the last epoch, whose metrics are complete only now, and start the clock."""
        self._close(trainer)
        self._started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Close the last epoch."""
        self._close(trainer)

    def _close(self, trainer: pl.Trainer) -> None:
        if self._started is not None:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self.epochs.append({"seconds": time.perf_counter() - self._started, **found})


def stages_of(network: GenreNetwork, kind: str) -> list[str] | None:
    """Names of the stages that learn; None where the network has no such stage."""
    if kind in ("head", "all"):
        return [kind]
    start = "conv" if kind == "last-conv" else "gru"
    found = [name for name in network.stages() if name.startswith(start)]
    return [found[-1], "head"] if found else None


def train(args: argparse.Namespace, name: str, backbone: str, stages: list[str], kind: str) -> Any:
    """Train and measure one combination."""
    frames = load_model(backbone).frames
    data = GenreDataModule(
        args.data,
        format=args.format,
        split=args.split,
        split_seed=args.seed,
        frame_seconds=frames.seconds,
        sample_rate=frames.sample_rate,
        crops="fixed",
        batch_size=args.batch_size,
        max_songs=args.max_songs,
        seed=args.seed,
    )
    model = GenreClassifier(
        data.labels,
        network=Pretrained(backbone, seed=args.seed),
        optimizer=partial(MAKERS[kind], lr=args.lr[kind]),
        lr_scheduler=OneCycle,
        seed=args.seed,
    )
    freezing = LayerFreezing(
        stages, layer_decay=args.decay, cache_trunk="auto" if args.cache else False
    )
    history = History()
    best = ModelCheckpoint(
        args.out / "checkpoints", name, monitor="val/loss", enable_version_counter=False
    )
    trainer = pl.Trainer(
        max_epochs=args.epochs,
        accelerator=args.accelerator,
        callbacks=[freezing, history, best],
        logger=TensorBoardLogger(args.out, "tensorboard", name, default_hp_metric=False),
        gradient_clip_val=5.0,
        log_every_n_steps=5,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    started = time.perf_counter()
    trainer.fit(model, data)
    seconds = time.perf_counter() - started
    trainer.test(model, data, ckpt_path=best.best_model_path, verbose=False, weights_only=True)
    test: Any = model.stage_metrics["test"]
    scores, target = test.songs.compute()
    found = evaluate(target.cpu(), scores.cpu(), data.labels, test.frame_confusion.compute().cpu())
    epochs = history.epochs[1:] or history.epochs  # the first one also warms up
    chosen = min(history.epochs, key=lambda epoch: epoch["val/loss"])
    kept = ("n_songs", "song_accuracy", "song_ci95", "n_frames", "frame_accuracy", "frame_ci95")
    return {
        **{key: found[key] for key in kept},
        "split_name": data.split.name,
        "gap": chosen["train/frame_accuracy"] - chosen["val/frame_accuracy"],
        "epoch_seconds": float(np.median([epoch["seconds"] for epoch in epochs])),
        "seconds": seconds,
        "cache_seconds": freezing.cache_seconds,
        "history": history.epochs,
    }


def study(args: argparse.Namespace) -> list[dict[str, Any]]:
    """All combinations that are not in ``results.json`` yet; all rows there are then."""
    file = args.out / "results.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    wanted = []
    for network, backbone in zip(args.networks, args.backbones, strict=True):
        source = load_model(backbone).network
        for stages, kind in itertools.product(args.stages, args.optimisers):
            name = f"{network}-{stages}-{kind}" + ("" if args.cache else "-uncached")
            learning = stages_of(source, stages)
            if learning is None:
                continue
            wanted.append(name)
            settings = {**{key: getattr(args, key) for key in SETTINGS}, "backbone": backbone}
            if rows.get(name, {}).get("settings") == settings:
                print(f"{name}: done before")
                continue
            found = train(args, name, backbone, learning, kind)
            about = {"network": network, "stages": stages, "optimiser": kind}
            rows[name] = {**about, "settings": settings, **found}
            print(f"{name}: song accuracy {found['song_accuracy']:.3f}, {found['seconds']:.0f} s")
            write_text(file, json.dumps(rows, indent=1))
    return [rows[name] for name in wanted]


def lines(rows: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Cells of the table for people."""
    return [
        [
            row["network"].upper(),
            STAGES[row["stages"]],
            OPTIMISERS[row["optimiser"]],
            *(
                "{:.3f} [{:.3f}, {:.3f}]".format(row[f"{unit}_accuracy"], *row[f"{unit}_ci95"])
                for unit in ("song", "frame")
            ),
            f"{row['gap']:+.3f}",
            *(f"{row[key]:.2f}" for key in ("epoch_seconds", "seconds", "cache_seconds")),
        ]
        for row in rows
    ]


def write_tables(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """``table.csv`` and ``table.md``, and the table on the screen."""
    from rich.console import Console
    from rich.table import Table

    flat = pd.DataFrame(rows).drop(columns=["history", "settings"])
    for unit in ("song", "frame"):
        ends = np.array(flat.pop(f"{unit}_ci95").tolist())
        flat[f"{unit}_lower"], flat[f"{unit}_upper"] = ends[:, 0], ends[:, 1]
    flat.to_csv(folder / "table.csv", index=False)
    page = [f"| {' | '.join(line)} |" for line in [HEAD, ["---"] * len(HEAD), *lines(rows)]]
    note = NOTE.format(**rows[0])
    (folder / "table.md").write_text("\n".join([*page, "", note, ""]), encoding="utf-8")
    table = Table(*HEAD, caption=note)
    for line in lines(rows):
        table.add_row(*line)
    Console(width=160).print(table)


def draw(rows: Sequence[dict[str, Any]]) -> Figure:
    """Learning curves of every network, and song accuracies with their intervals."""
    networks = list(dict.fromkeys(row["network"] for row in rows))
    size = (4.2 * len(networks) + 5.4, max(3.4, 0.8 + 0.34 * len(rows)))
    figure = Figure(size, dpi=110, facecolor="white")
    *panels, bars = figure.subplots(1, len(networks) + 1)
    shades = dict(zip(STAGES, mpl.colormaps["viridis"](np.linspace(0.35, 0.95, 4)), strict=True))
    for panel, network in zip(panels, networks, strict=True):
        for row in (row for row in rows if row["network"] == network):
            curve = [epoch["val/frame_accuracy"] for epoch in row["history"]]
            style = {"color": shades[row["stages"]], "ls": DASHES[row["optimiser"]], "lw": 1.4}
            panel.plot(range(1, len(curve) + 1), curve, **style)
        panel.set_title(f"{network.upper()}: validation frames", size=10, color=INK, loc="left")
        panel.set_xlabel("epoch", size=8, color=MUTED)
        panel.xaxis.get_major_locator().set_params(integer=True)
    names = [", ".join(line[:3]) for line in lines(rows)]
    shares = [row["song_accuracy"] for row in rows]
    ends = np.abs(np.array([row["song_ci95"] for row in rows]).T - shares)
    looks = {"color": [shades[row["stages"]] for row in rows], "ecolor": INK, "capsize": 3}
    looks |= {"hatch": [HATCHES[row["optimiser"]] for row in rows], "edgecolor": "white"}
    bars.barh(names, shares, xerr=ends, **looks)
    bars.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    bars.set_title("test songs, 95 % intervals", size=10, color=INK, loc="left")
    bars.set_xlabel("accuracy (dashed, hatched: SGD)", size=8, color=MUTED)
    for axes in (*panels, bars):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    figure.tight_layout()
    return figure


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the options."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add, several = parser.add_argument, {"type": lambda text: text.split(","), "nargs": "+"}
    add("--data", required=True, help="a collection, as for genrenet fit --data.source")
    add("--format", default="auto")
    add("--split", default="artist", help="default: by artist")
    add("--out", required=True, type=Path, help="folder of the results")
    add("--epochs", type=int, default=30)
    add("--networks", **several, default=[["cnn", "crnn"]], help="names for the backbones")
    add("--backbones", **several, default=[["msd-cnn", "msd-crnn"]], help="one for each network")
    add("--stages", **several, default=[list(STAGES)], help=", ".join(STAGES))
    add("--optimisers", **several, default=[list(OPTIMISERS)], help=", ".join(OPTIMISERS))
    add("--adam-lr", type=float, default=1e-3)
    add("--sgd-lr", type=float, default=1e-2)
    add("--decay", type=float, default=1.0, help="learning rate of a stage by that above it")
    add("--seed", type=int, default=0)
    add("--batch-size", type=int, default=16)
    add("--max-songs", type=int)
    add("--accelerator", default="auto")
    add("--no-cache", dest="cache", action="store_false", help="run frozen stages in every epoch")
    args = parser.parse_args(arguments)
    for name in ("networks", "backbones", "stages", "optimisers"):
        setattr(args, name, list(itertools.chain.from_iterable(getattr(args, name))))
    if len(args.networks) != len(args.backbones):
        parser.error(f"{len(args.networks)} networks, but {len(args.backbones)} backbones")
    for name, known in (("stages", STAGES), ("optimisers", OPTIMISERS)):
        if unknown := set(getattr(args, name)) - set(known):
            parser.error(f"--{name}: {', '.join(unknown)} is not one of {', '.join(known)}")
    args.lr = {"adam": args.adam_lr, "sgd": args.sgd_lr}
    return args


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    args = parse(arguments)
    known = "many workers|smaller than the logging|directory .* exists|LeafSpec"
    warnings.filterwarnings("ignore", f".*({known})")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = study(args)
    if not rows:
        raise SystemExit(
            f"nothing to compare: found none of the stages {', '.join(args.stages)} in "
            f"{', '.join(args.networks)}; wanted stages that a network has (--stages)"
        )
    write_tables(args.out, rows)
    (args.out / "figure.png").write_bytes(to_png(draw(rows)))
    (args.out / "figure.svg").write_text(to_svg(draw(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
