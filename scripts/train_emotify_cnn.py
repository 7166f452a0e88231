#!/usr/bin/env python3
"""Train the shipped checkpoint ``emotify-cnn`` from scratch, and measure its recipe.

The network is trained on the genres and, as a regression, on a published tagger's embedding of the
same audio (feature distillation: Romero et al., 2015, "FitNets"). The regression layer is dropped
in the end; no published weights are included. ``--plain`` leaves the tagger out.

The figures on its card come from five folds by artist: five networks, each trained on four fifths
of the artists and scoring the rest, for a number of epochs fixed beforehand. The checkpoint itself
is one more network of the same recipe, trained on all songs. What is done is kept in ``--work`` and
not trained again.

    python scripts/train_emotify_cnn.py --data FOLDER
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from protocol import (
    GivenSplit,
    artist_folds,
    line,
    plain_trainer,
    quiet,
    summarise,
    write_card,
)
from robustness import robustness, robustness_section
from torch import Tensor
from transfer_study import embedded

from genrenet.data.batches import to_float
from genrenet.data.catalog import read_catalog
from genrenet.data.datasets import Item
from genrenet.data.splits import Split
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import load_model, write_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.module import GenreClassifier
from genrenet.training.schedules import OneCycle

NAME = "emotify-cnn"
SECONDS, HOP = 7.28, 512
NETWORK = {
    "n_stft_frames": 171,
    "channels": (24, 48, 96, 128, 192),
    "pools": ((2, 4), (2, 4), (2, 4), (3, 2), (4, 1)),
    "dropout": 0.5,
}
SHORTEST = 0.3
TEACHER, PATCH, TEACHING = "musicnn-msd", 2.976, 2.0
STEPS, BATCH, RATE, DECAY, SEED = 600, 32, 0.003, 0.05, 0


class Distilled(GenreClassifier):
    """A classifier whose embedding is also trained to predict a teacher's.

    Parameters
    ----------
    teacher : Tensor, shape (songs, patches, features)
        The teacher's embeddings of the training songs, standardised, every `PATCH` seconds.
    settings
        Of `GenreClassifier`.
    """

    def __init__(self, teacher: Tensor, *positional: Any, **settings: Any) -> None:
        super().__init__(*positional, **settings)
        self.register_buffer("teacher", teacher, persistent=False)
        self.tell = torch.nn.Linear(self.network.embedding_size, teacher.shape[-1])

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:
        """Loss of the genres and of the embedding."""
        waveform = self.waveform_augment(to_float(batch["waveform"], batch["scale"]))
        logmel = self.spec_augment(self.frontend(waveform))
        n_labels, n_patches = len(self.labels), round(SECONDS / PATCH)
        first = (batch["start"] / PATCH).long()
        within = torch.arange(n_patches, device=first.device)
        patches = (first[:, None] + within).clamp_max(self.teacher.shape[1] - 1)
        told = self.teacher[batch["song"][:, None], patches].mean(dim=1)
        genre = F.one_hot(batch["label"], n_labels).float()
        logmel, target = self.mixup(logmel, torch.cat([genre, told], dim=1))
        embedding = self.network.embed(logmel)
        loss = self._loss(self.network.head(embedding), target[:, :n_labels], batch["counted"])
        return loss + TEACHING * F.mse_loss(self.tell(embedding), target[:, n_labels:])


def teachings(paths: list[str]) -> Tensor:
    """Embeddings of songs by the teacher, an equal number of patches of each, standardised."""
    songs, columns = embedded(paths, TEACHER)
    count = max(len(song.frames) for song in songs)
    rows = [np.resize(np.arange(len(song.frames)), count) for song in songs]
    patches = np.stack(
        [song.frames[row][:, columns["embedding"]] for song, row in zip(songs, rows, strict=True)]
    )
    mean, deviation = patches.mean(axis=(0, 1)), patches.std(axis=(0, 1))
    return torch.from_numpy((patches - mean) / (deviation + 1e-3))


def train(
    source: str, table: pd.DataFrame, parts: list[str], name: str, *, plain: bool = False
) -> GenreClassifier:
    """Train one network on the songs whose part is "train"."""
    pl.seed_everything(SEED, verbose=False)
    data = GivenSplit(
        Split(name, pd.Series(parts, index=table["track_id"])),
        source=source,
        frame_seconds=SECONDS,
        trim=0.0,
        batch_size=BATCH,
        crops_per_song=BATCH,
        num_workers=0,
        seed=SEED,
    )
    taught = table["path"][np.array(parts) == "train"]
    maker = GenreClassifier if plain else functools.partial(Distilled, teachings(list(taught)))
    model = maker(
        data.labels,
        functools.partial(CNN, **NETWORK),
        LogMel(hop_length=HOP, backend="fft", level="normalise"),
        optimizer=functools.partial(torch.optim.AdamW, lr=RATE, weight_decay=DECAY),
        lr_scheduler=OneCycle,
        waveform_augment=WaveformAugment(shortest=SHORTEST),
        spec_augment=SpecAugment(mel_width=12, time_width=12, n_masks=2),
        mixup=Mixup(0.3),
        seed=SEED,
    )
    plain_trainer(max_steps=STEPS).fit(model, data)
    if not plain:
        del model.tell, model.teacher
    return model.cpu().eval()


def fold_model(options: argparse.Namespace, table: pd.DataFrame, name: str) -> GenreClassifier:
    """The network of a fold, or of all songs; trained where it is missing."""
    file = options.work / f"{name}.ckpt"
    if not file.exists():
        parts = np.full(len(table), "train", dtype=object)
        if name != "all":
            parts[list(artist_folds(table, SEED))[int(name[-1])][1]] = "test"
        began = time.perf_counter()
        model = train(options.data, table, list(parts), name, plain=options.plain)
        write_checkpoint(model, file)
        print(f"{name}: trained in {time.perf_counter() - began:.0f} s", flush=True)
    return load_model(file)


def fold_scores(options: argparse.Namespace, table: pd.DataFrame, labels: list[str]) -> Any:
    """Out-of-fold scores of all songs, shape (1, songs, labels)."""
    scores = np.zeros((1, len(table), len(labels)))
    for number, (_, test) in enumerate(artist_folds(table, SEED)):
        file = options.work / f"fold{number}.json"
        if not file.exists():
            model = fold_model(options, table, f"fold{number}")
            songs = score_songs(list(table["path"].iloc[test]), model, trim=0.0, frames="whole")
            rows = [[song.scores[label] for label in labels] for song in songs]
            file.write_text(json.dumps(rows), "utf-8")
        scores[0, test] = json.loads(file.read_text("utf-8"))
    return scores


def fold_robustness(options: argparse.Namespace, table: pd.DataFrame) -> Any:
    """Result of `robustness` for the folds' networks."""
    file = options.work / "robustness.json"
    if not file.exists():
        test_fold = np.zeros(len(table), dtype=np.int64)
        for number, (_, test) in enumerate(artist_folds(table, SEED)):
            test_fold[test] = number

        def decide(fold: int, paths: list[str]) -> list[str | None]:
            model = fold_model(options, table, f"fold{fold}")
            return [song.genre for song in score_songs(paths, model, trim=0.0, frames="whole")]

        file.write_text(json.dumps(robustness(table, decide, test_fold), indent=1), "utf-8")
    return json.loads(file.read_text("utf-8"))


def main() -> None:
    """Evaluate the recipe, train the checkpoint, and write it with its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the Emotify songs, with artists")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"))
    parser.add_argument("--work", type=Path, default=Path("runs") / NAME)
    parser.add_argument("--plain", action="store_true", help="learn from the genres alone")
    parser.add_argument("--only", nargs="+", help="train these (fold0 to fold4, all) and stop")
    parser.add_argument("--threads", type=int, help="processors to use (default: all)")
    options = parser.parse_args()
    quiet(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    catalog = read_catalog(options.data)
    table, labels = catalog.table, list(catalog.genres)
    target = np.array([labels.index(genre) for genre in table["genre"]])
    for name in options.only or ():
        fold_model(options, table, name)
    if options.only:
        return
    result = summarise(NAME, fold_scores(options, table, labels), target, table)
    result["robustness"] = fold_robustness(options, table)
    print(line(result), flush=True)
    (options.work / "results.json").write_text(json.dumps(result, indent=1), "utf-8")
    model = fold_model(options, table, "all")
    # Excerpts are used completely; the beginnings and ends of whole songs are atypical.
    model.frames = replace(model.frames, trim=20.0)
    model.provenance = {
        "dataset": "emotify",
        "licence": "MIT (learnt from music under CC BY-NC-SA)",
        "split": "all songs; measured on five folds by artist",
        "metrics": {"song_accuracy": result["accuracy"], "songs": result["songs"]},
    }
    write_checkpoint(model, options.out / f"{NAME}.ckpt")
    sections = {**SECTIONS, "Robustness": robustness_section(result["robustness"])}
    write_card(options.out / f"{NAME}.md", NAME, result, labels, sections)


SECTIONS = {
    "What it is": """
A CNN on log-mel spectrograms (12 kHz, hop 512, 96 mel bands) of 7.28-s frames, trained from
scratch: it contains no published weights. Each frame is first normalised in level, so that
neither gain nor a constant offset matters; sound that is shorter than a frame is repeated. During
training it also had to predict the embedding of a published tagger, `musicnn-msd`, for the same
seconds of the training songs (feature distillation). It predicts one of classical, electronic,
pop and rock.
""",
    "Data": """
300 excerpts of 60 s, 75 a genre, by 95 artists: Emotify (Aljanaki, Wiering and Veltkamp, 2016),
recordings of Magnatune under CC BY-NC-SA. The recordings are not part of this package. Their
licence does not allow commercial use; whether weights trained on them may be used commercially is
not settled: ask before you do.
""",
    "Protocol": """
Five folds by artist (`StratifiedGroupKFold`, shuffled with seed 0): no artist is in both the
training and the test set of a fold, and the teacher's embeddings are those of the fold's training
songs alone. The first fold was also used for trials: with frames of 14.56 s and no shortened crops,
as many of its whole songs were right (42 of 60, here 41), but fewer of 5-s excerpts (29, here 40).
The last weights are used, not the best ones. The shipped weights come from the same recipe on all
300 songs, so no song is left to test them on.
""",
    "Recipe": f"""
`scripts/train_emotify_cnn.py`, seed {SEED}: {STEPS} steps of {BATCH} random crops, AdamW with a
one-cycle rate up to {RATE:g} and weight decay {DECAY:g}, random gain, two masks each in time and
mel, mixup 0.3, dropout 0.5, every other crop shortened to {SHORTEST:g} of a frame at least and
repeated; squared error of the teacher's standardised embedding times
{TEACHING:g}.
""",
    "Limits": """
Four genres only: a jazz or a folk song gets one of the four. Pop and rock overlap in this
collection (many of its "pop" songs call themselves alternative rock), and are separated little
better than by chance for artists outside the training set. Magnatune's music differs from chart
music. The scores are not calibrated for other collections. A tenth of a song, 20 s at most, is left
out at either end: pass `--trim 0` for excerpts.
""",
}


if __name__ == "__main__":
    main()
