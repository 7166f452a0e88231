#!/usr/bin/env python3
"""Accuracy and time against the number of frames of a song that are scored.

Songs are evaluated on folds by artist: logistic regression on a published network's embedding is
trained on whole songs (the mean over their frames) and tested on N frames of each test song, evenly
spread, whose scores are averaged. Times are those of decoding and scoring just these frames with
that network, one song after another.

    python scripts/frames_study.py --data FOLDER --backbone musicnn-msd
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from protocol import artist_folds, artist_interval, quiet
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genrenet.data.catalog import read_catalog
from genrenet.data.frames import song_scores, spread
from genrenet.evaluation.metrics import wilson_interval
from genrenet.features import cached_embeddings
from genrenet.inference.classify import open_method, score_songs
from genrenet.utils.progress import progress_bar

SEEDS = 3
TIMED = 40


def main() -> None:
    """Print a row for every number of frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a collection with artists")
    parser.add_argument("--backbone", default="musicnn-msd", help="default: musicnn-msd")
    parser.add_argument("--strength", type=float, default=0.01, help="C of the regression")
    options = parser.parse_args()
    quiet()
    catalog = read_catalog(options.data)
    table, labels = catalog.table, list(catalog.genres)
    target = np.array([labels.index(genre) for genre in table["genre"]])
    paths = list(table["path"])
    with progress_bar("embedding") as show:
        songs = cached_embeddings(paths, options.backbone, trim=0.0, frames="whole", progress=show)
    means = np.stack([song.song for song in songs])
    most = max(len(song.frames) for song in songs)
    counts = [count for count in (1, 2, 3, 5, 10, 20) if count < most] + [most]
    right = np.zeros((len(counts), SEEDS, len(songs)), dtype=bool)
    for seed in range(SEEDS):
        for train, test in artist_folds(table, seed):
            regression = LogisticRegression(
                C=options.strength, class_weight="balanced", max_iter=5000
            )
            method = make_pipeline(StandardScaler(), regression).fit(means[train], target[train])
            for row in test:
                scores = torch.from_numpy(method.predict_proba(songs[row].frames))
                for i, count in enumerate(counts):
                    some = scores[spread(np.arange(len(scores)), count)]
                    right[i, seed, row] = int(song_scores(some).argmax()) == target[row]
    model = open_method(options.backbone)
    list(score_songs(paths[:4], model, trim=0.0))
    for i, count in enumerate(counts):
        begin = time.perf_counter()
        list(score_songs(paths[:: len(paths) // TIMED], model, trim=0.0, frames=count))
        spent = (time.perf_counter() - begin) / len(paths[:: len(paths) // TIMED])
        accuracy = right[i].mean()
        low, high = wilson_interval(round(accuracy * len(songs)), len(songs))
        artists = artist_interval(right[i], table["artist"])
        print(
            f"{count} of {most} frames: {accuracy:.3f} [songs {low:.2f}-{high:.2f}, artists "
            f"{artists[0]:.2f}-{artists[1]:.2f}], {1e3 * spent:.0f} ms a song"
        )


if __name__ == "__main__":
    main()
