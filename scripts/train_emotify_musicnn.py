#!/usr/bin/env python3
"""Train the shipped checkpoint ``emotify-musicnn``: a head on a published tagger's embedding.

The head is a logistic regression on the songs' mean embeddings. Averaged logits of a song's frames
are the logits of their average, so as the last layer of the network, with the geometric mean for
the song's score, it gives the same scores frame by frame. The file contains only the head, and the
name and checksum of the backbone.

    python scripts/train_emotify_musicnn.py --data FOLDER --work FOLDER
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from protocol import artist_folds, line, set_head, summarise, write_card
from robustness import robustness, robustness_section
from sklearn.exceptions import ConvergenceWarning
from transfer_study import choose, fit

from genrenet.data.catalog import read_catalog
from genrenet.features import cached_embeddings, song_matrix
from genrenet.models.checkpoints import export_checkpoint, load_model, write_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.training.finetuning import Pretrained
from genrenet.training.module import GenreClassifier

NAME, BACKBONE, SEEDS = "emotify-musicnn", "musicnn-msd", 3
WHOLE_SONG_TRIM = 20.0


def bounded(model: GenreClassifier) -> GenreClassifier:
    """The model with bounded levels, and short songs repeated up to a frame."""
    model.frontend = LogMel.from_settings({**model.frontend.settings, "level": "bound"})
    model.frames = replace(model.frames, fill="repeat")
    return model


def with_head(labels: list[str], regression: Any) -> GenreClassifier:
    """The backbone with a fitted scaler and logistic regression as its last layer."""
    scaler, rotation, logistic = regression
    weight = logistic.coef_ @ rotation.components_
    bias = logistic.intercept_ - weight @ rotation.mean_
    weight = weight / scaler.scale_
    bias = bias - weight @ scaler.mean_
    model = GenreClassifier(labels, network=Pretrained(BACKBONE), aggregation="geometric")
    set_head(model, weight, bias).frames = replace(model.frames, trim=WHOLE_SONG_TRIM)
    return bounded(model).eval()


def main() -> None:
    """Evaluate the recipe, train the checkpoint, and write it with its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the Emotify songs, with artists")
    parser.add_argument("--work", type=Path, required=True, help="where the backbone is written")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    catalog = read_catalog(options.data)
    table, labels = catalog.table, list(catalog.genres)
    target = np.array([labels.index(genre) for genre in table["genre"]])
    options.work.mkdir(parents=True, exist_ok=True)
    backbone = options.work / "backbone.ckpt"
    if not backbone.exists():
        write_checkpoint(bounded(load_model(BACKBONE)), backbone)

    def embedded(paths: list[str]) -> NDArray[np.float32]:
        return song_matrix(cached_embeddings(paths, backbone, trim=0.0, frames="whole"))[0]

    x = embedded(list(table["path"]))
    scores = np.zeros((SEEDS, len(table), len(labels)))
    test_fold, models = np.zeros(len(table), np.int64), list[Any]()
    settings: Counter[tuple[float, float]] = Counter()
    for seed in range(SEEDS):
        for train, test in artist_folds(table, seed):
            part = table.iloc[train].reset_index(drop=True)
            _, strength, power = choose({"embedding": x[train]}, part, seed)
            settings[strength, power] += 1
            model = fit(x[train], part, strength, power)
            scores[seed, test] = model.predict_proba(x[test])
            if not seed:
                test_fold[test] = len(models)
                models.append(model)
    result = summarise(NAME, scores, target, table)
    print(line(result), flush=True)
    changed = robustness(table, lambda i, paths: models[i].predict(embedded(paths)), test_fold)
    _, strength, power = choose({"embedding": x}, table, SEEDS)
    shipped = with_head(labels, fit(x, table, strength, power))
    shipped.provenance |= {
        "dataset": "emotify",
        "licence": "MIT (learnt from music under CC BY-NC-SA)",
        "split": "all songs; measured on five folds by artist",
        "metrics": {"song_accuracy": result["accuracy"], "songs": result["songs"]},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = write_checkpoint(shipped, Path(folder) / "whole.ckpt")
        export_checkpoint(whole, options.out / f"{NAME}.ckpt", without_backbone=True)
    found = json.dumps([[*key, count] for key, count in settings.most_common()])
    recipe = SECTIONS["Recipe"].format(strength=strength, power=power, found=found)
    sections = {**SECTIONS, "Recipe": recipe, "Robustness": robustness_section(changed)}
    write_card(options.out / f"{NAME}.md", NAME, result, labels, sections)


SECTIONS = {
    "What it is": """
A linear layer on the 200-number embedding of MusiCNN (Pons and Serra, 2019), trained by them on the
Million Song Dataset. It predicts one of classical, electronic, pop and rock. The file holds that
layer only; the backbone `musicnn-msd` (ISC licence) is downloaded from the package index on first
use and checked against the SHA-256 in the file. `genrenet checkpoints import musicnn-msd --from
FILE` takes a wheel that was fetched elsewhere.
""",
    "Data": """
300 excerpts of 60 s, 75 a genre, by 95 artists: Emotify (Aljanaki, Wiering and Veltkamp, 2016),
recordings of Magnatune under CC BY-NC-SA. The recordings are not part of this package. Their
licence does not allow commercial use; whether weights trained on them may be used commercially is
not settled: ask before you do.
""",
    "Protocol": """
Five folds by artist (`StratifiedGroupKFold`), shuffled with three seeds. Regularisation and artist
weighting were chosen inside each fold's training songs, by the log-loss of four inner folds by
artist. The shipped layer comes from all 300 songs, so no song is left to test it on. The songs that
the backbone was trained on are not known individually; they are not known to include these
recordings.
""",
    "Recipe": """
`scripts/train_emotify_musicnn.py`: mean embedding of a song's 2.976-s frames (without their
mean value; those under -20 dB or beyond full scale brought to -20 dB), standardised;
logistic regression (C {strength:g}, genres balanced, songs weighted by their artist's number of
songs to the power of -{power:g}). The folds chose (C, power, times): {found}. No randomness but the
folds' shuffling.
""",
    "Limits": """
Four genres only: a jazz or a folk song gets one of the four. Pop and rock overlap in this
collection, and predictions for songs of one artist are correlated: see the confusion matrix. The
scores are not calibrated for other collections. The level of a frame matters above -20 dB of full
scale (root mean square) only; quieter frames are raised to -20 dB, so recordings far below the
usual level are classified by their other features. With every frame at the same level, the accuracy
was 0.723 on all songs. A tenth of a song, 20 s at most, is left out at either end: pass `--trim 0`
for excerpts.
""",
}


if __name__ == "__main__":
    main()
