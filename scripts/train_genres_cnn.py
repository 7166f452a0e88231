#!/usr/bin/env python3
"""Train the shipped checkpoint ``genres-cnn``: the genres of `genres`, with a small CNN.

The CNN is trained from scratch on the outputs of published networks for all available music, for
variations of it and for mixtures (see `variations.py`), with the code of ``genrenet distil``. Its
last layer is a logistic regression on its embedding, as that of `genres` is on MusiCNN's. No
published weights are included. Finished steps are stored in ``--work`` and not repeated.

    python scripts/train_genres_cnn.py --shared ../shared/data --work FOLDER
"""

from __future__ import annotations

import argparse
import functools
import re
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from protocol import plain_trainer, quiet, summarise, write_card
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from train_emotify_musicnn import WHOLE_SONG_TRIM, bounded
from train_genres import accuracy, songs, weights
from variations import write_variations

from genrenet.data.splits import Split
from genrenet.evaluation.metrics import calibration_error
from genrenet.features import cached_embeddings, song_matrix
from genrenet.features.teaching import lessons_of
from genrenet.inference.answers import NOT_MUSIC
from genrenet.models.checkpoints import load_model, write_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.distillation import DistilledClassifier, Lesson, TaughtData
from genrenet.training.schedules import OneCycle

NAME, SECONDS, RATE, HOP = "genres-cnn", 2.976, 16_000, 512
TEACHERS = ("musicnn-msd", "efficientat-mn04")
NETWORK = {
    "n_stft_frames": 94,
    "channels": (16, 32, 64, 128, 256),
    "pools": ((2, 2), (2, 2), (2, 2), (3, 2), (4, 2)),
    "dropout": 0.3,
}
STEPS = {"base": 1200, "honest": 2000, "all": 1000}
PEAKS = {"base": 0.003, "honest": 0.003, "all": 0.001}
"""Steps and maximum learning rates of the students; ``honest`` and ``all`` start from ``base``."""

BATCH, SEED, STRENGTH = 48, 0, 0.001
TEMPERATURE = 0.302
"""Settings of `genres`, for its head's scores of the training songs."""
CROPS = {"emotify": 10, "gtzan": 3, "excerpt": 6, "sounds": 4, "varied": 1, "mixed": 2}
"""Number of random crops of a song in an epoch."""


Head = tuple[StandardScaler, LogisticRegression]


def fit(x: NDArray[np.float32], table: pd.DataFrame) -> Head:
    """Fit a head on songs, as for `genres`."""
    scaler, regression = StandardScaler().fit(x), LogisticRegression(C=STRENGTH, max_iter=5000)
    regression.fit(scaler.transform(x), table["genre"], sample_weight=weights(table))
    return scaler, regression


def logits(head: Head, x: Any, labels: list[str]) -> Any:
    """Log-scores in the order of all labels; very low for a genre without training songs."""
    scaler, regression = head
    found = np.full((len(x), len(labels)), -30.0)
    columns = [labels.index(label) for label in regression.classes_]
    found[:, columns] = log_softmax(regression.decision_function(scaler.transform(x)), axis=1)
    return found


class Music(TaughtData):
    """The collection with given training songs, and more crops of longer songs."""

    def __init__(self, learnt: NDArray[np.bool_], kinds: list[str], **settings: Any) -> None:
        super().__init__(**settings)
        self.learnt, self.kinds = learnt, kinds

    @cached_property
    def split(self) -> Split:
        """The training songs, and the others."""
        parts = np.where(self.learnt, "train", "test")
        return Split("given", pd.Series(parts, index=list(self.catalog.table["track_id"])))

    def _dataset(self, name: str, table: pd.DataFrame, reader: Any) -> Any:
        dataset = super()._dataset(name, table, reader)
        if name == "train":
            crops = np.array([CROPS[self.kinds[int(row)]] for row in table["track_id"]])
            dataset.songs = np.repeat(np.arange(len(table)), crops * (dataset.lengths > 0))
            dataset.starts = np.full(len(dataset.songs), -1)
        return dataset


def collect(options: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all songs, and the same followed by variations and mixtures, also written as CSV.

    Songs have ``held`` in addition to the columns of `train_genres.songs`: whether they, and what
    is derived from them, are outside the training set of the honest student.
    """
    table = songs(options.shared, options.work)
    gtzan, emotify = table["set"] == "gtzan", table["set"] == "emotify"
    number = table["path"].map(lambda p: int(m[1]) if (m := re.search(r"\.(\d{5})\.", p)) else -1)
    validation = gtzan & table["artist"].isin(table["artist"][table["part"] == "validation"])
    early = gtzan & ((number < 12) | (table["part"] == "excerpt"))
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=SEED)
    part = table[emotify]
    _, first = next(folds.split(part, part["genre"], part["artist"]))
    fold = pd.Series(False, table.index)
    fold[part.index[first]] = True
    table["early"], table["fold"] = early, fold
    table["held"] = validation | early | fold | (table["part"] == "test")
    groups = [f"{row.set}-{row.held}" for row in table.itertuples()]
    file = options.work / "variations.parquet"
    if not file.exists():
        write_variations(table, groups, options.work / "variations").to_parquet(file)
    made = pd.read_parquet(file)
    held = table["held"].to_numpy()
    made["held"] = [held[list(members)].any() for members in made["members"]]
    everything = pd.concat([table, made], ignore_index=True)
    everything["kind"] = everything["set"].where(everything["part"] != "excerpt", "excerpt")
    everything["track_id"] = everything.index.astype(str)
    columns = ["path", "genre", "track_id"]
    everything[columns].to_csv(options.work / "collection.csv", index=False)
    return table, everything


def teachers(options: argparse.Namespace) -> list[str]:
    """Checkpoints of the teachers, with frames of the student's length and short songs repeated."""
    files = [options.work / f"{name}.ckpt" for name in TEACHERS]
    for name, file in zip(TEACHERS, files, strict=True):
        if not file.exists():
            model = load_model(name)
            model.frames = replace(model.frames, seconds=SECONDS, fill="repeat", trim=0.0)
            write_checkpoint(bounded(model) if name == TEACHERS[0] else model, file)
    return [str(file) for file in files]


def with_genres(
    lesson: Lesson, everything: pd.DataFrame, learnt: NDArray[np.bool_], labels: list[str]
) -> Lesson:
    """The first teacher's lesson with genres: half the label, half a head on its embedding.

    The head is that of `genres`, fitted on the training songs.
    """
    embedding = lesson.said[:, : -len(lesson.labels)].numpy()
    counts = lesson.first.diff().numpy()
    song = np.repeat(np.arange(len(counts)), counts)
    totals = np.zeros((len(counts), embedding.shape[1]))
    np.add.at(totals, song, embedding)
    own = np.flatnonzero(learnt & (counts > 0) & ~everything["set"].isin(["varied", "mixed"]))
    means = (totals[own] / counts[own, None]).astype(np.float32)
    head = fit(means, everything.iloc[own])
    scores = softmax(logits(head, embedding, labels) / TEMPERATURE, axis=1)
    known = everything["genre"].isin(labels).to_numpy()[song]
    place = np.array([labels.index(g) if g else 0 for g in everything["genre"]])[song]
    truth = 0.95 * np.eye(len(labels))[place] + 0.05 / len(labels)
    scores = np.where(known[:, None], (scores + truth) / 2, scores)
    told = torch.from_numpy(np.log(scores + 1e-6)).float()
    return replace(lesson, labels=labels, said=torch.cat([lesson.said, told], dim=1))


def student(
    options: argparse.Namespace,
    everything: pd.DataFrame,
    lessons: list[Lesson],
    name: str,
    start: Path | None = None,
) -> Path:
    """Train a student from ``start``; only ``all`` is trained on the held-out songs."""
    file = options.work / f"{name}.ckpt"
    if file.exists():
        return file
    seed = SEED + (name == "honest")
    pl.seed_everything(seed, verbose=False)
    learnt = ~(everything["part"] == "test" if name == "all" else everything["held"]).to_numpy()
    labels = sorted(set(everything["genre"]) - {""})
    data = Music(
        learnt,
        list(everything["kind"]),
        source=str(options.work / "collection.csv"),
        segments="off",
        sample_rate=RATE,
        frame_seconds=SECONDS,
        trim=0.0,
        batch_size=BATCH,
        num_workers=0,
        seed=seed,
    )
    data.learn_from([with_genres(lessons[0], everything, learnt, labels), *lessons[1:]])
    model = DistilledClassifier(
        labels,
        [lesson.said.shape[1] for lesson in data.lessons],
        network=functools.partial(CNN, **NETWORK),
        frontend=LogMel(
            sample_rate=RATE, n_fft=1024, hop_length=HOP, backend="fft", compression="log10-10000"
        ),
        optimizer=functools.partial(torch.optim.AdamW, lr=PEAKS[name], weight_decay=0.05),
        lr_scheduler=OneCycle,
        waveform_augment=WaveformAugment(shortest=0.4),
        spec_augment=SpecAugment(mel_width=10, time_width=10, n_masks=2),
        mixup=Mixup(0.3),
        seed=seed,
    )
    if start is not None:
        model.network.load_state_dict(load_model(start).network.state_dict())
    plain_trainer(max_steps=STEPS[name], precision=options.precision).fit(model, data)
    model.provenance, model.aggregation = {"teachers": list(TEACHERS)}, "geometric"
    del model.tell
    return write_checkpoint(model.eval(), file)


def main() -> None:
    """Train both students, evaluate the honest one, and write the other with its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--work", type=Path, required=True, help="where all is kept")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"))
    parser.add_argument("--precision", default="bf16-mixed", help="of training; or 32-true")
    parser.add_argument("--threads", type=int, help="processors to use (default: all)")
    options = parser.parse_args()
    quiet(options.threads)
    warnings.simplefilter("ignore")
    options.work.mkdir(parents=True, exist_ok=True)
    table, everything = collect(options)
    files = [options.work / f"{name}.ckpt" for name in STEPS]
    lessons = list[Lesson]()
    if not all(file.exists() for file in files):
        lessons, _ = lessons_of(teachers(options), list(everything["path"]))
    base = student(options, everything, lessons, "base")
    honest = student(options, everything, lessons, "honest", base)
    x, usable = song_matrix(
        cached_embeddings(list(table["path"]), honest, trim=0.0, frames="whole")
    )
    heard = table.iloc[usable].reset_index(drop=True)
    figures, scores, labels = measured(x, heard)
    flat, rows = scores[0], np.flatnonzero(heard["held"] & (heard["part"] != "test"))
    target = np.array([labels.index(genre) for genre in heard["genre"].iloc[rows]])

    def loss(temperature: float) -> float:
        right = log_softmax(flat / temperature, axis=1)[np.arange(len(flat)), target]
        return -float(right.mean())

    temperature = float(minimize_scalar(loss, (0.2, 1.0), bounds=(0.05, 5), method="bounded").x)
    calm = softmax(flat / temperature, axis=1)
    sure, hit = calm.max(axis=1) > 0.8, calm.argmax(axis=1) == target
    figures |= {
        "temperature": f"{temperature:.3f}",
        "expected calibration error, held-out songs": f"{calibration_error(target, calm):.3f}",
        "accuracy where the confidence is above 0.8, held-out songs": (
            f"{hit[sure].mean():.3f} ({hit[sure].sum()} of {sure.sum()})"
        ),
        NOISE: f"{noise(x, heard, labels, temperature):.2f}",
    }
    for name, value in figures.items():
        print(f"{name:<70} {value}", flush=True)
    result = summarise(NAME, scores, target, heard.iloc[rows])
    every = student(options, everything, lessons, "all", base)
    x, usable = song_matrix(cached_embeddings(list(table["path"]), every, trim=0.0, frames="whole"))
    known = table.iloc[usable]["part"].to_numpy() != "test"
    scaler, regression = fit(x[known], table.iloc[usable[known]])
    model = load_model(every)
    weight = regression.coef_ / scaler.scale_
    with torch.no_grad():
        head = model.network.output_layer
        head.weight.copy_(torch.from_numpy(weight / temperature))
        bias = regression.intercept_ - weight @ scaler.mean_
        head.bias.copy_(torch.from_numpy(bias / temperature))
    model.frames = model.frames.with_trim(WHOLE_SONG_TRIM)
    model.provenance |= {
        "dataset": "gtzan excerpts, emotify, sounds made by code",
        "licence": "MIT (learnt from music for research, and under CC BY-NC-SA)",
        "split": "all songs; measured on songs that another student of the recipe did not hear",
        "metrics": {"song_accuracy": result["accuracy"], "songs": result["songs"]},
    }
    write_checkpoint(model, options.out / f"{NAME}.ckpt")
    lines = "".join(f"| {name} | {value} |\n" for name, value in figures.items())
    sections = {**SECTIONS, "Figures": f"| what | figure |\n|---|---|\n{lines}"}
    write_card(options.out / f"{NAME}.md", NAME, result, labels, sections)


NOISE = "highest genre score for 15 non-musical sounds of kinds not in the training set"


def measured(
    x: NDArray[np.float32], table: pd.DataFrame
) -> tuple[dict[str, str], NDArray[np.float64], list[str]]:
    """Figures by protocol, and scores of all songs outside the student's training set.

    Each of these songs, shape (1, songs, labels), is scored by the head of a fold whose training
    set contains neither it nor others of its artist or track.
    """
    labels = sorted(set(table["genre"]))
    gtzan, known = table["set"] == "gtzan", table["part"] != "test"
    validation, excerpt = table["part"] == "validation", table["part"] == "excerpt"
    fold = table["fold"].to_numpy()

    def trained(train: Any, test: Any) -> Any:
        train, test = np.asarray(train), np.asarray(test)
        return logits(fit(x[train], table[train]), x[test], labels)

    four = trained(known & ~fold, fold)
    few = np.isin(labels, ["classical", "electronic", "pop", "rock"])
    figures = {
        "GTZAN, fault-filtered validation tracks, 2-3 s each": accuracy(
            trained(gtzan & (table["part"] == "train") | ~gtzan & known, validation),
            table[validation],
            labels,
        ),
        "GTZAN, numbers 00000-00004, 15-20 s, trained on 00012 and later": accuracy(
            trained(gtzan & ~table["early"] | ~gtzan & known, excerpt), table[excerpt], labels
        ),
        "Emotify among its four genres, by artist, one of three folds": accuracy(
            np.where(few, four, -np.inf), table[fold], labels
        ),
    }
    music = np.flatnonzero(known)
    part, scores = table.iloc[music], np.zeros((len(music), len(labels)))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
    for train, test in folds.split(music, part["genre"], part["artist"]):
        model = fit(x[music[train]], part.iloc[train])
        scores[test] = logits(model, x[music[test]], labels)
    return figures, scores[part["held"].to_numpy()][None], labels


def noise(
    x: NDArray[np.float32], table: pd.DataFrame, labels: list[str], temperature: float
) -> float:
    """Maximum score of a genre for kinds of sounds outside the training set."""
    known = (table["part"] != "test").to_numpy()
    found = logits(fit(x[known], table[known]), x[~known], labels) / temperature
    scores = softmax(found, axis=1)
    scores[:, labels.index(NOT_MUSIC)] = 0.0
    return float(scores.max())


SECTIONS = {
    "What it is": """
A CNN on log-mel spectrograms (16 kHz, hop 512, 96 mel bands) of 2.976-s frames, trained from
scratch: it contains no published weights, and nothing has to be downloaded. It has the labels of
`genres`: blues, classical, country, disco, electronic, hiphop, jazz, metal, pop, reggae and rock,
and `not music` for noise, tones and speech. Each frame is first normalised in level, so that
neither gain nor a constant offset matters; sound that is shorter than a frame is repeated.
""",
    "Data": """
323 tracks of GTZAN (Tzanetakis and Cook, 2002), 2-3 s of each (its fault-filtered training and
validation tracks), the first 15-20 s of 50 more, 300 excerpts of 60 s of Emotify (Aljanaki, Wiering
and Veltkamp, 2016; CC BY-NC-SA), and sounds made by `scripts/not_music.py`; variations and mixtures
of these by `scripts/variations.py`. None of it is part of this package. The licences do not allow
commercial use; whether weights trained on such recordings may be used commercially is not settled:
ask before you do.
""",
    "Protocol": """
All figures are for a student network that was not trained on the test songs: the validation tracks
and the numbers 00000-00011 of GTZAN, excerpts of either, the artists of one of three folds of
Emotify, and anything made from them. For each figure the last layer was trained without its test
songs; for all songs together, in five folds by artist or track. The shipped student is a different
one, which was also trained on these songs, so no song is left to test it on. The songs that the
teachers were trained on are not known individually.
""",
    "Recipe": f"""
`scripts/train_genres_cnn.py`, seed {SEED}: {STEPS["base"]} steps of {BATCH} random crops without
the songs held out, then {STEPS["honest"]} more without them (the student that is measured), or
{STEPS["all"]} with all songs (the one that ships). AdamW with a one-cycle rate each time, random
gain, two masks each in time and mel, mixup 0.3, dropout 0.3, every other crop shortened to 0.4 of a
frame at least and repeated. The loss is the cross-entropy with targets that are half the label and
half the scores of a head on `musicnn-msd`, and twice the mean square error of the standardised
embeddings and logits of `musicnn-msd` and `efficientat-mn04` that a linear layer, removed
afterwards, predicts from the student's embedding. Then a logistic regression on the songs' mean
embeddings, as for `genres`, and one temperature, fitted on the songs that the measured student was
not trained on.
""",
    "Limits": """
Emotify has four genres only: a song that is labelled pop may well be classified as country or disco
here. There is no label for folk, soul, ambient or world music: expect the
nearest one, with a low confidence. Where MusiCNN can be downloaded, `genres` is more accurate.
""",
}


if __name__ == "__main__":
    main()
