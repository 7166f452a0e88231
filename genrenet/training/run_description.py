"""The description of a run: its settings as flat values, and the songs of its split as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytorch_lightning as pl

from genrenet.data.catalog import artists_known
from genrenet.data.catalog.several_genres import names_in
from genrenet.data.datamodule import GenreDataModule, data_of
from genrenet.data.splits import PARTS, artist_key, song_names
from genrenet.utils.errors import printable


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as a Markdown table.

    Examples
    --------
    >>> print(settings_text({"network": "CNN", "lr": 0.003}))
    | setting | value |
    | --- | --- |
    | network | CNN |
    | lr | 0.003 |
    """
    return _table(("setting", "value"), list(settings.items()))


def split_text(data: GenreDataModule) -> str:
    """Return the number of songs and artists in each part of a split, and of songs of each genre,
    as Markdown.

    Parameters
    ----------
    data : GenreDataModule
        After its ``setup``.
    """
    parts = {name: data.part(name) for name in PARTS}
    songs = {name: part[~_repeated(part)] for name, part in parts.items()}
    rows: list[tuple[object, ...]] = [("**songs**", *map(len, songs.values()))]
    rows += [(genre, *counts) for genre, *counts in _by_genre(songs).itertuples()]
    if any(map(artists_known, songs.values())):
        artists = [{*map(artist_key, part["artist"])} - {""} for part in songs.values()]
        rows.append(("**artists**", *map(len, artists)))
        on_both = sorted((artists[0] | artists[1]) & artists[2])
        shared = f"Artists of test songs that are trained or validated on: {len(on_both)}."
    else:
        shared = "Artists are not known."
    heads = ("", *parts)
    name = f"{printable(data.catalog.name)}; split: {data.split.name}"
    return f"{name}\n\n{_table(heads, rows)}\n\n{shared}"


def _repeated(part: pd.DataFrame) -> Any:
    """Return the rows that are segments of the same song as an earlier row."""
    return pd.Series(song_names(part), index=part.index, dtype=object).duplicated()


def _by_genre(songs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    counts = {
        name: (
            part["genres"].map(names_in).explode() if "genres" in part else part["genre"]
        ).value_counts()
        for name, part in songs.items()
    }
    return pd.DataFrame(counts).fillna(0).astype(int).sort_index()


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    cells = [[printable(str(cell)).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def settings_of(trainer: pl.Trainer, model: Any) -> dict[str, Any]:
    """Return the settings of a run as flat, plain values."""
    settings: dict[str, Any] = {
        "network": type(model.network.owner).__name__,
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "output": model.activation,
        "decision": model.aggregation,
        "label_smoothing": model.label_smoothing,
        "class_weights": len(set(model.label_weights.tolist())) > 1,
        "mixup_alpha": model.mixup.alpha if model.mixup is not None else 0.0,
        "spec_augment": model.spec_augment is not None,
        "waveform_augment": model.waveform_augment is not None,
        "frame_seconds": model.frames.seconds,
        "trim_seconds": model.frames.trim,
        "seed": model.seed,
        "precision": str(trainer.precision),
        "devices": trainer.world_size,
        "gradient_clip": trainer.gradient_clip_val or 0.0,
    }
    for optimizer in trainer.optimizers[:1]:
        groups = optimizer.param_groups
        settings["optimizer"] = type(optimizer).__name__
        settings["lr"] = max(float(group.get("initial_lr", group["lr"])) for group in groups)
        settings["weight_decay"] = float(groups[0].get("weight_decay", 0.0))
    for schedule in trainer.lr_scheduler_configs[:1]:
        settings["schedule"] = type(schedule.scheduler).__name__
    if (data := data_of(trainer)) is not None:
        settings |= {
            "dataset": data.catalog.name,
            "split": data.split.name,
            "n_songs": data.n_songs("train"),
            "batch_size": data.batch_size * trainer.accumulate_grad_batches,
            "crops": data.crops,
            "crops_per_song": data.crops_per_song,
        }
    return settings
