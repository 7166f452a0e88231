#!/usr/bin/env python3
"""Fine-tune the published CNN's last convolution and a new head, folds by artist.

The settings are those of the configuration ``transfer`` and the same in every fold; all songs of
the training folds are trained on, and the last weights count. What is frozen is computed once a
frame. Writes the songs' scores, shape (seeds, songs, genres), for ``transfer_study.py --add``.

    python scripts/finetuning_folds.py --data FOLDER --out finetuned.npz
"""

from __future__ import annotations

import argparse
import functools
import logging
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from protocol import GivenSplit, artist_folds, line, summarise

from genrenet.catalog import read_catalog
from genrenet.classifier import GenreClassifier
from genrenet.cli.lightning import keep_freed_memory
from genrenet.finetuning import LayerFreezing, Pretrained
from genrenet.inference import score_songs
from genrenet.schedules import OneCycle
from genrenet.splits import Split

NAME, BACKBONE, STAGES = "msd-cnn, conv5 and head tuned", "msd-cnn", ("conv5", "head")


def train(source: str, parts: pd.Series, name: str, seed: int) -> GenreClassifier:
    """Train on the songs whose part is "train"."""
    pl.seed_everything(seed, verbose=False)
    data = GivenSplit(
        Split(name, parts), source=source, trim=0.0, crops="fixed", batch_size=16, seed=seed
    )
    model = GenreClassifier(
        data.labels,
        Pretrained(BACKBONE, dropout=0.5, seed=seed),
        optimizer=functools.partial(torch.optim.AdamW, lr=0.001, weight_decay=0.01),
        lr_scheduler=OneCycle,
        seed=seed,
    )
    trainer = pl.Trainer(
        max_epochs=30,
        devices=1,
        gradient_clip_val=5.0,
        callbacks=[LayerFreezing(STAGES, decay=0.2)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    trainer.fit(model, data)
    return model.cpu().eval()


def main() -> None:
    """Train on every fold and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="collection with artists")
    parser.add_argument("--out", type=Path, default=Path("finetuned.npz"))
    parser.add_argument("--seeds", type=int, default=3, help="shufflings of the folds")
    parser.add_argument("--threads", type=int, help="processors to use (default: all)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_freed_memory()
    warnings.filterwarnings("ignore", module="pytorch_lightning|torch")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    catalog = read_catalog(options.data)
    table, labels = catalog.table, list(catalog.genres)
    target = np.array([labels.index(genre) for genre in table["genre"]])
    scores = np.zeros((options.seeds, len(table), len(labels)))
    for seed in range(options.seeds):
        for number, (_, test) in enumerate(artist_folds(table, seed)):
            parts = pd.Series("train", index=table["track_id"])
            parts.iloc[test] = "test"
            model = train(options.data, parts, f"artist fold {number}", seed)
            songs = score_songs(list(table["path"].iloc[test]), model, trim=0.0)
            scores[seed, test] = [[song.scores[label] for label in labels] for song in songs]
            right = (scores[seed, test].argmax(axis=1) == target[test]).mean()
            print(f"seed {seed}, fold {number}: {right:.3f}", flush=True)
    print(line(summarise(NAME, scores, target, table)))
    np.savez(options.out, **{NAME: scores})


if __name__ == "__main__":
    main()
