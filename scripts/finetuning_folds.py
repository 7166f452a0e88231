#!/usr/bin/env python3
"""Fine-tune a published network's stages and a new head, folds by artist.

The settings are the same in every fold; all songs of the training folds are trained on, and the
last weights are used. By default it is the configuration ``transfer``: the last convolution of
``msd-cnn`` and the head, with the output of the frozen stages computed once per frame. With
``--augment`` training uses random crops with masks and mixing. Writes the songs' scores, shape
(seeds, songs, genres), for ``transfer_study.py --add``; an interrupted run resumes with the next
fold.

    python scripts/finetuning_folds.py --data FOLDER --out finetuned.npz
    python scripts/finetuning_folds.py --data FOLDER --backbone musicnn-msd --stages all \\
        --augment --rate 0.0005 --decay 0.6 --epochs 8 --crops 8 --out musicnn-all.npz
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from protocol import GivenSplit, artist_folds, line, plain_trainer, quiet, summarise

from genrenet.data.catalog import read_catalog
from genrenet.data.splits import Split
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import load_model
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.finetuning import LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from genrenet.training.schedules import OneCycle


def train(options: argparse.Namespace, parts: pd.Series, name: str, seed: int) -> GenreClassifier:
    """Train on the songs whose part is "train"."""
    pl.seed_everything(seed, verbose=False)
    backbone = load_model(options.backbone)
    rate = backbone.frontend.sample_rate
    data = GivenSplit(
        Split(name, parts),
        source=options.data,
        trim=0.0,
        sample_rate=rate,
        frame_seconds=backbone.frames.n_samples / rate,
        crops="random" if options.augment else "fixed",
        crops_per_song=options.crops,
        batch_size=options.batch,
        num_workers=0,
        seed=seed,
    )
    augmented = {
        "waveform_augment": WaveformAugment(),
        "spec_augment": SpecAugment(mel_width=12, time_width=23, n_masks=1),
        "mixup": Mixup(0.3),
    }
    model = GenreClassifier(
        data.labels,
        Pretrained(options.backbone, dropout=0.5, seed=seed),
        optimizer=functools.partial(torch.optim.AdamW, lr=options.rate, weight_decay=0.01),
        lr_scheduler=OneCycle,
        seed=seed,
        **(augmented if options.augment else {}),
    )
    freezing = LayerFreezing(
        options.stages, layer_decay=options.decay, cache_trunk=False if options.augment else "auto"
    )
    plain_trainer(max_epochs=options.epochs, callbacks=[freezing]).fit(model, data)
    return model.cpu().eval()


def main() -> None:
    """Train on every fold and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="collection with artists")
    parser.add_argument("--out", type=Path, default=Path("finetuned.npz"))
    parser.add_argument("--backbone", default="msd-cnn", help="a published network")
    parser.add_argument("--stages", nargs="+", default=["conv5", "head"], help="or: all")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rate", type=float, default=0.001, help="of the head")
    parser.add_argument("--decay", type=float, default=0.2, help="of the rate, a stage down")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crops", type=int, default=1, help="of a song, in an epoch")
    parser.add_argument("--augment", action="store_true", help="crops, masks, gain, mixing")
    parser.add_argument("--seeds", type=int, default=3, help="shufflings of the folds")
    parser.add_argument("--threads", type=int, help="processors to use (default: all)")
    options = parser.parse_args()
    quiet(options.threads)
    catalog = read_catalog(options.data)
    table, labels = catalog.table, list(catalog.genres)
    target = np.array([labels.index(genre) for genre in table["genre"]])
    name = f"{options.backbone}, {' and '.join(options.stages)} tuned"
    name += ", augmented" if options.augment else ""
    scores = np.full((options.seeds, len(table), len(labels)), np.nan)
    if options.out.exists():
        kept = np.load(options.out)[name][: options.seeds]
        scores[: len(kept)] = kept
    for seed in range(options.seeds):
        for number, (_, test) in enumerate(artist_folds(table, seed)):
            if not np.isnan(scores[seed, test]).any():
                continue
            parts = pd.Series("train", index=table["track_id"])
            parts.iloc[test] = "test"
            model = train(options, parts, f"artist fold {number}", seed)
            songs = score_songs(list(table["path"].iloc[test]), model, trim=0.0, frames="whole")
            scores[seed, test] = [[song.scores[label] for label in labels] for song in songs]
            right = (scores[seed, test].argmax(axis=1) == target[test]).mean()
            print(f"seed {seed}, fold {number}: {right:.3f}", flush=True)
            np.savez(options.out, **{name: scores})
    print(line(summarise(name, scores, target, table)))


if __name__ == "__main__":
    main()
