"""A fast reproduction of the source report: its networks predict at random."""

import numpy as np
import pandas as pd

from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.methods import Contender, FoldResult
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.reproduction.plan import FULL, Reproduction
from genrenet.evaluation.reproduction.songs import Material
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import judge

GENRES = ["classical", "jazz", "metal", "pop"]


class Guessing(Contender):
    """Decides by chance, on several frames a song."""

    def __init__(self, name, frames):
        super().__init__(name)
        self.frames = frames

    def about(self):
        return {"frames": self.frames}

    def check(self, dataset):
        pass

    def judge(self, dataset, split, seed, folder, *, own_validation):
        tracks = dataset.table.iloc[split.indices(dataset.table, "test")]
        rng = np.random.default_rng(len(self.name))
        scores = rng.dirichlet(np.ones(len(GENRES)), size=len(tracks))
        confusion = np.zeros((len(GENRES), len(GENRES)), int)
        for genre, row in zip(tracks["genre"], scores, strict=True):
            confusion[GENRES.index(genre), row.argmax()] += self.frames
        return FoldResult(
            list(tracks["track_id"]), scores.tolist(), 1.0, 1.0, frame_confusion=confusion.tolist()
        )


def tuned(network, stages, optimiser):
    history = [
        {
            "seconds": 1.0,
            "train/loss": 2 / epoch,
            "val/loss": 1.5 + abs(3 - epoch) / 10,
            "train/frame_accuracy": 1 - 0.5 / epoch,
            "val/frame_accuracy": 0.5,
        }
        for epoch in range(1, 6)
    ]
    return {
        "network": network,
        "stages": stages,
        "optimiser": optimiser,
        "song_accuracy": 0.5,
        "song_ci95": [0.4, 0.6],
        "n_songs": 60,
        "n_train": 200,
        "n_validation": 30,
        "split_name": "stratified",
        "best_epoch": 3,
        "seconds": 5.0,
        "history": history,
    }


def guessed(folder):
    """Return a reproduction whose networks guessed."""
    rows = [(f"{genre}.{n}", f"{genre}.{n}.wav", genre, "") for genre in GENRES for n in range(10)]
    table = pd.DataFrame(rows, columns=["track_id", "path", "genre", "artist"])
    dataset = Dataset("songs", "songs", table)
    models = [Guessing("config:short/cnn", 4), Guessing("transfer:msd-cnn", 1)]
    judged = judge(dataset, models, protocols(["70-30"], 1), folder, tell=[].append)
    found = Reproduction(folder, FULL, Material(notes=["forty songs"]))
    found.evaluations["networks"] = summarise(judged, predictions(judged))
    found.tuned = [
        tuned("crnn", stages, optimiser)
        for stages in ("head", "recurrent", "all")
        for optimiser in ("adam", "sgd")
    ]
    found.lack("k-means <of> Table 2", "there is no audio")
    return found
