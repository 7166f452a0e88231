"""Common parts of the training recipes: folds by artist, their figures, and model cards."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from genrenet.data.datamodule import GenreDataModule
from genrenet.data.splits import Split
from genrenet.evaluation.metrics import class_table, confusion_matrix, wilson_interval
from genrenet.training.module import GenreClassifier
from genrenet.utils.hardware import keep_freed_memory

N_FOLDS = 5


class GivenSplit(GenreDataModule):
    """Songs with a given split, without taking validation songs from it."""

    def __init__(self, given: Split, **settings: Any) -> None:
        super().__init__(**settings)
        self.given = given

    @cached_property
    def split(self) -> Split:
        """The split that was given."""
        return self.given


def quiet(threads: int | None = None) -> None:
    """Set up a recipe's process: without warnings, and with a number of cores (all by default)."""
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    warnings.filterwarnings("ignore", module="pytorch_lightning|torch")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


def plain_trainer(**settings: Any) -> pl.Trainer:
    """Return a trainer on one device that trains to its end and writes nothing."""
    return pl.Trainer(
        accelerator="auto",
        devices=1,
        gradient_clip_val=5.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        **settings,
    )


def artist_folds(
    table: pd.DataFrame, seed: int, n_folds: int = N_FOLDS
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return training rows and test rows; no artist is in both.

    Parameters
    ----------
    table : pandas.DataFrame
        With `genre` and `artist`.
    seed : int
        Seed for shuffling the artists.
    n_folds : int > 1

    Yields
    ------
    train, test : ndarray of int
    """
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    yield from folds.split(table, table["genre"], table["artist"])


def artist_weights(table: pd.DataFrame, power: float) -> NDArray[np.float64]:
    """Return weights of training songs: equal for all genres, lower for songs of prolific artists.

    Parameters
    ----------
    table : pandas.DataFrame
        With `genre` and `artist`.
    power : float in [0, 1]
        0 gives all songs, 1 all artists equal weight.

    Returns
    -------
    ndarray, shape (songs,)
        With mean 1.
    """
    songs = table.groupby("artist")["genre"].transform("size").to_numpy(float)
    weights = pd.Series(songs**-power, index=table.index)
    balanced = (weights / weights.groupby(table["genre"]).transform("sum")).to_numpy(float)
    return np.asarray(balanced * len(table) / balanced.sum())


def artist_interval(
    correct: NDArray[np.bool_], artists: Sequence[str], seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy from a bootstrap over artists instead of songs.

    Songs of one artist are not independent, so this is wider than an interval over songs.

    Parameters
    ----------
    correct : ndarray of bool, shape (seeds, songs)
        Whether each song was predicted correctly, for every shuffling of the folds.
    artists : sequence of str, length songs
    seed : int

    Returns
    -------
    low, high : float
    """
    by_artist = pd.DataFrame({"artist": artists, "right": correct.mean(axis=0), "songs": 1.0})
    sums = by_artist.groupby("artist")[["right", "songs"]].sum().to_numpy()
    drawn = np.random.default_rng(seed).integers(0, len(sums), (10_000, len(sums)))
    right, songs = sums[drawn].sum(axis=1).T
    low, high = np.quantile(right / songs, [0.025, 0.975])
    return float(low), float(high)


def summarise(
    name: str, scores: NDArray[np.float64], target: NDArray[np.int64], table: pd.DataFrame
) -> dict[str, Any]:
    """Return the figures of a method from its out-of-fold song scores.

    Parameters
    ----------
    name : str
    scores : ndarray, shape (seeds, songs, labels)
    target : ndarray of int, shape (songs,)
    table : pandas.DataFrame
        With `artist`.

    Returns
    -------
    dict
        ``accuracy`` (mean over seeds), ``by_seed``, the 95 % intervals ``interval_songs`` (Wilson)
        and ``interval_artists`` (bootstrap), and the first seed's ``confusion``.
    """
    correct = scores.argmax(axis=2) == target
    accuracy = float(correct.mean())
    return {
        "name": name,
        "songs": len(target),
        "accuracy": accuracy,
        "by_seed": [float(seed.mean()) for seed in correct],
        "interval_songs": wilson_interval(round(accuracy * len(target)), len(target)),
        "interval_artists": artist_interval(correct, list(table["artist"])),
        "confusion": confusion_matrix(target, scores[0]).tolist(),
    }


def set_head(
    model: GenreClassifier, weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> GenreClassifier:
    """Put an external linear classifier into a network, as its last layer."""
    with torch.no_grad():
        model.network.head.weight.copy_(torch.from_numpy(weight))
        model.network.head.bias.copy_(torch.from_numpy(bias))
    return model


def line(result: Mapping[str, Any]) -> str:
    """Return a `summarise` as one line of text."""
    songs, artists = result["interval_songs"], result["interval_artists"]
    seeds = " ".join(f"{value:.3f}" for value in result["by_seed"])
    return (
        f"{result['name']:<34} {result['accuracy']:.3f}  seeds {seeds}  "
        f"songs {songs[0]:.2f}-{songs[1]:.2f}  artists {artists[0]:.2f}-{artists[1]:.2f}"
    )


def write_card(
    file: Path,
    title: str,
    result: Mapping[str, Any],
    labels: Sequence[str],
    sections: Mapping[str, str],
) -> None:
    """Write a model card.

    Parameters
    ----------
    file : Path
        Markdown.
    title : str
    result : mapping
        Result of `summarise`.
    labels : sequence of str
    sections : mapping
        Text by heading, in order; placed before the figures.
    """
    songs, artists = result["interval_songs"], result["interval_artists"]
    text = [f"# {title}\n"]
    text += [f"## {head}\n\n{body.strip()}\n" for head, body in sections.items()]
    seeds = ", ".join(f"{value:.3f}" for value in result["by_seed"])
    text.append(
        f"## Metrics\n\nSong accuracy **{result['accuracy']:.3f}** on {result['songs']} songs, "
        "each scored once by a model that was not trained on its artist (folds shuffled by seed: "
        f"{seeds}). 95 % interval {songs[0]:.2f}-{songs[1]:.2f} over songs (Wilson), "
        f"{artists[0]:.2f}-{artists[1]:.2f} over artists (bootstrap). Chance level: "
        f"{1 / len(labels):.2f}.\n"
    )
    rows = "".join(
        f"| {label} | " + " | ".join(str(count) for count in counts) + " |\n"
        for label, counts in zip(labels, result["confusion"], strict=True)
    )
    text.append(
        "## Confusion matrix\n\nRows: the true genre; columns: the decision (first seed).\n\n"
        f"| | {' | '.join(labels)} |\n|---|{'---|' * len(labels)}\n{rows}"
    )
    classes = "".join(
        f"| {row['label']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} |\n"
        for row in class_table(result["confusion"], labels)
    )
    text.append(f"| genre | precision | recall | F1 |\n|---|---|---|---|\n{classes}")
    file.write_text("\n".join(text), "utf-8")
