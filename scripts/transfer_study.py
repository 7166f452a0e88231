#!/usr/bin/env python3
"""Transfer from published taggers: logistic regression on their layers, folds by artist.

Songs are embedded once (and cached). Every fold chooses the layers, the regularisation and the
weighting of artists on its own training songs, by the log-loss of inner folds by artist. Nothing of
a fold's test songs is used before they are scored. This does not apply to the training data of the
backbones: MagnaTagATune, on which ``musicnn-mtt`` was trained, is Magnatune's music, so that row
may be optimistic for songs of Magnatune.

    python scripts/transfer_study.py --data FOLDER --out transfer_study.json

The songs' scores, shape (seeds, songs, genres), go into an ``.npz`` file of the same name. Those of
other methods on the same folds may be added to the last row with ``--add``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from protocol import artist_folds, artist_weights, line, summarise
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genrenet.data.catalog import read_catalog
from genrenet.features import SongEmbedding, cached_embeddings, layer_sizes, song_matrix
from genrenet.models.checkpoints import load_model
from genrenet.utils.progress import progress_bar

CONVOLUTIONS = tuple(f"conv{i}" for i in range(1, 6))
LAYERS: dict[str, dict[str, Sequence[str]]] = {
    "msd-cnn": {"convolutions": CONVOLUTIONS, "upper": ("conv3", "conv4", "conv5")},
    "msd-crnn": {"all": (*CONVOLUTIONS[:4], "gru"), "embedding": ("embedding",)},
    "musicnn-msd": {"embedding": ("embedding",), "pools": ("mean_pool", "max_pool")},
    "musicnn-mtt": {"embedding": ("embedding",), "pools": ("mean_pool", "max_pool")},
}
"""Candidate layers of each backbone."""

ROWS = {
    "msd-cnn": ("msd-cnn",),
    "msd-crnn": ("msd-crnn",),
    "musicnn-msd": ("musicnn-msd",),
    "musicnn-mtt": ("musicnn-mtt",),
    "ensemble msd-cnn + msd-crnn": ("msd-cnn", "msd-crnn"),
    "ensemble musicnn-msd + musicnn-mtt": ("musicnn-msd", "musicnn-mtt"),
}
"""Rows of the table: single backbones, and the geometric mean of the scores of several."""

STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
POWERS = (0.0, 0.7)


def embedded(
    paths: Sequence[str], backbone: str
) -> tuple[list[SongEmbedding], dict[str, NDArray[np.int64]]]:
    """Songs by all candidate layers, and the columns of each layer."""
    names = list(dict.fromkeys(itertools.chain.from_iterable(LAYERS[backbone].values())))
    with progress_bar(f"songs through {backbone}") as progress:
        songs = cached_embeddings(
            paths, backbone, names, trim=0.0, frames="whole", progress=progress
        )
    bad = [song.path for song in songs if not len(song.frames)]
    if bad:
        raise SystemExit(f"cannot be read: {', '.join(bad)}")
    sizes = layer_sizes(load_model(backbone))
    ends = np.cumsum([sizes[name] for name in names])
    return songs, {
        name: np.arange(end - sizes[name], end) for name, end in zip(names, ends, strict=True)
    }


def matrices(paths: Sequence[str], backbone: str) -> dict[str, NDArray[np.float32]]:
    """Songs as rows, for every choice of layers; with and without the deviation over frames."""
    songs, columns = embedded(paths, backbone)
    width = songs[0].frames.shape[1]
    found = {}
    for std in (False, True):
        matrix, _ = song_matrix(songs, std=std)
        for choice, layers in LAYERS[backbone].items():
            mean = np.concatenate([columns[name] for name in layers])
            wanted = np.concatenate([mean, width + mean]) if std else mean
            found[f"{choice}{' and deviation' if std else ''}"] = matrix[:, wanted]
    return found


def fit(x: NDArray[np.float32], table: pd.DataFrame, strength: float, power: float) -> Any:
    """A scaler and a logistic regression, with artists weighted.

    The rotation between them loses nothing: there are fewer songs than features, and the regression
    and its penalty are invariant to rotations. It saves most of the time.
    """
    model = make_pipeline(
        StandardScaler(),
        PCA(svd_solver="full"),
        LogisticRegression(C=strength, max_iter=300),
    )
    weights = artist_weights(table, power)
    return model.fit(x, table["genre"], logisticregression__sample_weight=weights)


def choose(
    features: dict[str, NDArray[np.float32]], table: pd.DataFrame, seed: int
) -> tuple[str, float, float]:
    """The settings with the lowest log-loss on inner folds by artist."""
    losses: dict[tuple[str, float, float], list[float]] = {}
    labels = sorted(table["genre"].unique())
    for train, test in artist_folds(table, 100 + seed, 4):
        for key in itertools.product(features, STRENGTHS, POWERS):
            x = features[key[0]]
            model = fit(x[train], table.iloc[train], *key[1:])
            scores = model.predict_proba(x[test])
            loss = log_loss(table["genre"].iloc[test], scores, labels=labels)
            losses.setdefault(key, []).append(float(loss))
    return min(losses, key=lambda key: float(np.mean(losses[key])))


def main() -> None:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="collection with artists")
    parser.add_argument("--out", type=Path, default=Path("transfer_study.json"))
    parser.add_argument("--seeds", type=int, default=3, help="shufflings of the folds")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="scores of other methods")
    parser.add_argument("--backbones", nargs="+", default=list(LAYERS), choices=list(LAYERS))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    catalog = read_catalog(options.data)
    table = catalog.table
    target = np.array([catalog.genres.index(genre) for genre in table["genre"]])
    scores: dict[str, NDArray[np.float64]] = {}
    chosen: dict[str, list[str]] = {}
    for backbone in options.backbones:
        began = time.perf_counter()
        features = matrices(list(table["path"]), backbone)
        scores[backbone] = np.zeros((options.seeds, len(table), len(catalog.genres)))
        for seed in range(options.seeds):
            for train, test in artist_folds(table, seed):
                songs = table.iloc[train].reset_index(drop=True)
                inner = {key: x[train] for key, x in features.items()}
                layers, strength, power = choose(inner, songs, seed)
                model = fit(inner[layers], songs, strength, power)
                scores[backbone][seed, test] = model.predict_proba(features[layers][test])
                note = f"{layers}, C {strength:g}, artist weight {power:g}"
                chosen.setdefault(backbone, []).append(note)
        print(f"{backbone}: {time.perf_counter() - began:.0f} s", flush=True)
    rows = dict(ROWS)
    for file in options.add:
        with np.load(file) as others:
            scores.update(others)
            rows |= {name: (name,) for name in others}
    rows[f"ensemble of all {len(scores)}"] = tuple(scores)
    results = []
    for name, members in rows.items():
        if set(members) <= set(scores):
            logs = np.mean([np.log(scores[m].clip(1e-9)) for m in members], axis=0)
            result = summarise(name, np.exp(logs), target, table)
            results.append({**result, "chosen": {m: chosen.get(m) for m in members}})
            print(line(result), flush=True)
    options.out.write_text(json.dumps(results, indent=1), "utf-8")
    np.savez(options.out.with_suffix(".npz"), **scores)


if __name__ == "__main__":
    main()
