#!/usr/bin/env python3
"""Train the shipped checkpoints ``genres`` and ``genres-fused``: eleven genres, and "not music".

A logistic regression on the songs' mean embeddings by each of one or two published networks; the
sum of their logits is put into the network as its last layer, as in `train_emotify_musicnn.py`. One
temperature, fitted on folds in which no artist and no track is on both sides, calibrates its
confidence.

    python scripts/train_genres.py genres-fused --shared ../shared/data --work FOLDER
"""

from __future__ import annotations

import argparse
import re
import tempfile
import warnings
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from not_music import write_sounds
from numpy.typing import NDArray
from protocol import artist_interval, set_head, summarise, write_card
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from train_emotify_musicnn import BACKBONE, WHOLE_SONG_TRIM, bounded

from genrenet.evaluation.metrics import calibration_error
from genrenet.features import cached_embeddings, song_matrix
from genrenet.inference.answers import NOT_MUSIC
from genrenet.models.checkpoints import export_checkpoint, load_model, write_checkpoint
from genrenet.models.description import frontend_part, network_part
from genrenet.models.fused import Fused
from genrenet.training.finetuning import Pretrained
from genrenet.training.module import GenreClassifier

SEEDS, STRENGTH = 3, 0.001
BACKBONES = {
    "genres": {BACKBONE: 1.0},
    "genres-fused": {BACKBONE: 1.0, "efficientat-mn04": 0.6},
}
"""Published networks of each checkpoint, and the weights of their logits."""
SHARES = {"gtzan": 1.0, "emotify": 0.3, "sounds": 0.5}
"""Weight of a song of each collection, before genres are balanced."""
Parts = list[tuple[int, float]]
"""Length of each network's embedding, and the weight of its logits."""
NAMED, UNSURE = 0.85, 0.4
"""Target share of songs whose genre is among those named, and of reliable confidence."""


def base_model(name: str, labels: list[str]) -> GenreClassifier:
    """Return the backbones of a checkpoint, in one model with an unfitted head."""
    names = list(BACKBONES[name])
    if len(names) == 1:
        model = GenreClassifier(labels, network=Pretrained(names[0]), aggregation="geometric")
        return bounded(model).eval()
    parts, state, known = [], dict[str, Any](), []
    for i, one in enumerate(names):
        published = load_model(one)
        parts.append(
            {
                "network": network_part(published.network),
                "frontend": frontend_part(published.frontend),
                "seconds": published.frames.seconds,
            }
        )
        prefix = f"branches.{i}.network."
        weights_of = published.network.state_dict().items()
        state |= {prefix + key: value for key, value in weights_of if not key.startswith("head")}
        sha256 = published.provenance["source"]["sha256"]
        known.append({"name": one, "sha256": sha256, "prefix": f"network.{prefix}"})
    made = partial(Fused, branches=parts)
    model = GenreClassifier(labels, network=made, aggregation="geometric")
    model.network.load_state_dict(state | model.network.head.state_dict(prefix="head."))
    model.frames = replace(model.frames, fill="repeat")
    model.provenance["backbone"] = known
    return model.eval()


def songs(shared: Path, work: Path) -> pd.DataFrame:
    """Return path, genre, collection and artist of all songs: for GTZAN the track as artist."""
    rows: list[dict[str, Any]] = []
    short = pd.read_csv(shared / "gtzan-short" / "tracks.csv")
    for row in short.itertuples():
        path = shared / "gtzan-short" / str(row.path)
        rows.append({"path": path, "genre": row.genre, "set": "gtzan", "part": row.split})
    rows += [
        {"path": path, "genre": path.parent.name, "set": "gtzan", "part": "excerpt"}
        for path in sorted((shared / "gtzan-excerpts" / "genres").rglob("*.wav"))
    ]
    for row in rows:
        row["artist"] = ".".join(Path(row["path"]).name.split(".")[:2])
    for row in pd.read_csv(shared / "emotify" / "tracks.csv").itertuples():
        path = shared / "emotify" / str(row.path)
        rows.append({"path": path, "genre": row.genre, "set": "emotify", "artist": row.artist})
    for part, seconds in (("train", 9.0), ("test", 30.0)):
        for path in write_sounds(work / "sounds" / part, part, seconds, seed=part == "test"):
            kind = path.stem.split("-")[0]
            rows.append(
                {"path": path, "genre": NOT_MUSIC, "set": "sounds", "part": part, "artist": kind}
            )
    return pd.DataFrame(rows).astype({"path": str})


def weights(table: pd.DataFrame) -> NDArray[np.float64]:
    """Weights of songs: by collection, with equal totals for all genres."""
    share = table["set"].map(SHARES).to_numpy(np.float64)
    total = pd.Series(share, table.index).groupby(table["genre"]).transform("sum")
    return share * total.mean() / total.to_numpy()


class Head(NamedTuple):
    """A linear layer on all embeddings."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, x: Any) -> Any:
        """Return the logits of songs."""
        return x @ self.weight.T + self.bias


def fit(x: NDArray[np.float32], table: pd.DataFrame, labels: list[str], parts: Parts) -> Head:
    """Fit a scaler and a regression for each network, and sum their logits.

    A genre without training songs has a near-zero score.
    """
    weight, bias, first = [], np.zeros(len(labels)), 0
    for size, counts in parts:
        part = x[:, first : first + size]
        first += size
        scaler = StandardScaler().fit(part)
        regression = LogisticRegression(C=STRENGTH, max_iter=5000)
        regression.fit(scaler.transform(part), table["genre"], sample_weight=weights(table))
        rows, unlearnt = np.zeros((len(labels), size)), np.full(len(labels), -30.0)
        columns = [labels.index(label) for label in regression.classes_]
        rows[columns] = counts * regression.coef_ / scaler.scale_
        unlearnt[columns] = counts * regression.intercept_
        weight.append(rows)
        bias += unlearnt - rows @ scaler.mean_
    return Head(np.hstack(weight), bias)


def accuracy(scores: Any, table: pd.DataFrame, labels: list[str]) -> str:
    """Accuracy with its 95 % interval by artist, or by track where artists are unknown."""
    right = np.array(labels)[scores.argmax(axis=1)] == table["genre"].to_numpy()
    low, high = artist_interval(right[None], list(table["artist"]))
    return f"{right.mean():.3f} ({right.sum()} of {len(right)}, {low:.2f}-{high:.2f})"


def reliability(confidence: NDArray[np.float64], hit: NDArray[np.bool_]) -> str:
    """Return a table of accuracies by confidence."""
    lines = ["| confidence | predictions | mean confidence | accuracy |", "|---|---|---|---|"]
    for low, high in pairwise((0.0, 0.4, 0.6, 0.8, 0.9, 1.0)):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            share, mean = hit[inside].mean(), confidence[inside].mean()
            lines.append(f"| {low:g} to {high:g} | {inside.sum()} | {mean:.2f} | {share:.2f} |")
    told = (
        f"Predictions of the folds, {SEEDS} for each song, each by a model that was not trained "
        "on it.\n\n"
    )
    return told + "\n".join(lines) + "\n"


def main() -> None:
    """Evaluate the recipe, train the checkpoint, and write it with its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(BACKBONES), help="the checkpoint")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--work", type=Path, required=True, help="where the backbone is written")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    name: str = options.name
    table = songs(options.shared, options.work)
    labels = sorted(set(table["genre"]))
    backbone = options.work / f"backbone-{name}.ckpt"
    model = base_model(name, labels)
    if not backbone.exists():
        write_checkpoint(model, backbone)
    x, usable = song_matrix(
        cached_embeddings(list(table["path"]), backbone, trim=0.0, frames="whole")
    )
    table = table.iloc[usable].reset_index(drop=True)
    held_out = (table["set"] == "sounds") & (table["part"] == "test")
    sizes = [branch.embedding_size for branch in getattr(model.network, "branches", ())]
    parts = list(zip(sizes or [x.shape[1]], BACKBONES[name].values(), strict=True))
    target = np.array([labels.index(genre) for genre in table["genre"]])

    def trained(train: Any, test: Any) -> Any:
        train, test = np.asarray(train), np.asarray(test)
        return fit(x[train], table[train], labels, parts).logits(x[test])

    gtzan, known = table["set"] == "gtzan", ~held_out
    number = table["path"].map(lambda p: int(m[1]) if (m := re.search(r"\.(\d{5})\.", p)) else -1)
    learnt = gtzan & (table["part"] == "train") | ~gtzan & known
    validation, excerpts = table["part"] == "validation", table["part"] == "excerpt"
    late = gtzan & ~excerpts & (number >= 12) | ~gtzan & known
    figures = {
        "GTZAN, fault-filtered validation tracks, 2-3 s each": accuracy(
            trained(learnt, validation), table[validation], labels
        ),
        "GTZAN, numbers 00000-00004, 15-20 s, trained on 00012 and later": accuracy(
            trained(late, excerpts), table[excerpts], labels
        ),
    }
    music = np.flatnonzero(known)
    scores = np.zeros((SEEDS, len(music), len(labels)))
    for seed in range(SEEDS):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        part = table.iloc[music]
        for train, test in folds.split(music, part["genre"], part["artist"]):
            head = fit(x[music[train]], part.iloc[train], labels, parts)
            scores[seed, test] = head.logits(x[music[test]])
    right = np.tile(target[music], SEEDS)
    flat = scores.reshape(-1, len(labels))

    def loss(temperature: float) -> float:
        return -float(log_softmax(flat / temperature, axis=1)[np.arange(len(flat)), right].mean())

    temperature = float(minimize_scalar(loss, (0.2, 1.0), bounds=(0.05, 5), method="bounded").x)
    calm = softmax(flat / temperature, axis=1)
    sure = calm.max(axis=1) > 0.8
    hit = calm.argmax(axis=1) == right
    figures["temperature"] = f"{temperature:.3f}"
    figures["expected calibration error, folds"] = f"{calibration_error(right, calm):.3f}"
    figures["accuracy where the confidence is above 0.8, folds"] = (
        f"{hit[sure].mean():.3f} ({sure.mean():.2f} of songs)"
    )
    truth_score = calm[np.arange(len(right)), right]
    several = float(np.quantile(np.where(hit, 1.0, truth_score), 1 - NAMED))
    named = (calm >= several).sum(axis=1).clip(1)
    figures[
        f"genres named (score from {several:.3f} on, {NAMED:.0%} hold the right one), folds"
    ] = f"{named.mean():.2f} a song"
    emotify = np.flatnonzero((table.iloc[music]["set"] == "emotify").to_numpy())
    four = [labels.index(label) for label in ("classical", "electronic", "pop", "rock")]
    among = np.isin(np.arange(len(labels)), four)
    few = np.where(among, scores[:, emotify], -np.inf)
    truth = target[music[emotify]]
    figures["Emotify among its four genres, by artist, 3 seeds"] = (
        f"{(few.argmax(axis=2) == truth).mean():.3f}"
    )
    merged = np.where(
        few.argmax(axis=2) == labels.index("rock"), labels.index("pop"), few.argmax(2)
    )
    merged_truth = np.where(truth == labels.index("rock"), labels.index("pop"), truth)
    figures["the same with pop and rock as one, and the right one among the first two"] = (
        f"{(merged == merged_truth).mean():.3f}, "
        f"{(np.argsort(-few, axis=2)[..., :2] == truth[:, None]).any(axis=2).mean():.3f}"
    )
    head = fit(x[music], table.iloc[music], labels, parts)
    noises = softmax(head.logits(x[held_out]) / temperature, axis=1)
    noises[:, labels.index(NOT_MUSIC)] = 0.0
    figures["highest genre score for 15 non-musical sounds of kinds not in the training set"] = (
        f"{noises.max():.2f}"
    )
    for what, value in figures.items():
        print(f"{what:<70} {value}", flush=True)
    result = summarise(name, scores, target[music], table.iloc[music])
    shipped = set_head(model, head.weight / temperature, head.bias / temperature)
    shipped.frames = shipped.frames.with_trim(WHOLE_SONG_TRIM)
    shipped.provenance |= {
        "answers": {"several": round(several, 3), "unsure": UNSURE, "not_music": [NOT_MUSIC]},
        "dataset": "gtzan excerpts, emotify, sounds made by code",
        "licence": "MIT (learnt from music for research, and under CC BY-NC-SA)",
        "split": "all songs; measured on five folds by artist or track",
        "metrics": {"song_accuracy": result["accuracy"], "songs": result["songs"]},
    }
    with tempfile.TemporaryDirectory() as folder:
        whole = write_checkpoint(shipped, Path(folder) / "whole.ckpt")
        export_checkpoint(whole, options.out / f"{name}.ckpt", without_backbone=True)
    lines = "".join(f"| {what} | {value} |\n" for what, value in figures.items())
    own = {"What it is": WHAT_IT_IS[name]}
    sections = {
        **own,
        **SECTIONS,
        "Figures": f"| what | figure |\n|---|---|\n{lines}",
        "Reliability": reliability(calm.max(axis=1), hit),
    }
    write_card(options.out / f"{name}.md", name, result, labels, sections)


WHAT_IT_IS = {
    "genres": """
A linear layer on the 200-number embedding of MusiCNN (Pons and Serra, 2019): blues, classical,
country, disco, electronic, hiphop, jazz, metal, pop, reggae and rock, and `not music` for noise,
tones and speech. The file holds that layer only; the backbone `musicnn-msd` (ISC licence) is
downloaded from the package index on first use and checked against the SHA-256 in the file.
""",
    "genres-fused": """
A linear layer on the 200-number embedding of MusiCNN (Pons and Serra, 2019) and the 512-number one
of EfficientAT's mn04 (Schmid, Koutini and Widmer, 2023) of 10-s frames: blues, classical, country,
disco, electronic, hiphop, jazz, metal, pop, reggae and rock, and `not music` for noise, tones and
speech. The file holds that layer only; `musicnn-msd` (ISC licence) is fetched from the package
index on first use, `efficientat-mn04` (MIT licence) from its authors by `genrenet checkpoints
import efficientat-mn04`; both are checked against the SHA-256 that the file names.
""",
}

SECTIONS = {
    "Data": """
323 tracks of GTZAN (Tzanetakis and Cook, 2002), 2-3 s of each (its fault-filtered training and
validation tracks), the first 15-20 s of 50 more, 300 excerpts of 60 s of Emotify (Aljanaki, Wiering
and Veltkamp, 2016; CC BY-NC-SA), and sounds made by `scripts/not_music.py`. None of it is part of
this package. The licences do not allow commercial use; whether weights trained on such recordings
may be used commercially is not settled: ask before you do.
""",
    "Recipe": """
`scripts/train_genres.py`: mean embedding of a song's frames, standardised; logistic regression (C
0.001; genres balanced; songs of Emotify weigh 0.3, sounds 0.5), one for each network, whose logits
are added (mn04's times 0.6); one temperature, fitted on the folds' scores. No randomness but the
folds' shuffling and the sounds' generator.
""",
    "Limits": """
Emotify has four genres only: a song that is labelled pop may well be classified as country or disco
here. GTZAN's artists are not known, so some may be in both the training and the test set; MusiCNN's
training songs are not known individually. There is no label for folk, soul, ambient or world music:
expect the nearest one, with a low confidence. MusiCNN's second model (MagnaTagATune) did not
improve it on these songs; mn04 mostly helps to distinguish music from other sounds.
""",
}


if __name__ == "__main__":
    main()
