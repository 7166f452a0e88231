"""A finished run on songs with files, in which every model predicts at random."""

import numpy as np
import pandas as pd
import soundfile

from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.report.run_files import write_run
from genrenet.evaluation.results import predictions, summarise
from genrenet.evaluation.runner import judge
from tests.helpers.reproductions import GENRES, Guessing

STEPS = [(step, 1 / (1 + step)) for step in range(4)]


class Network(Guessing):
    """Guesses, and says how it learnt to."""

    def about(self):
        return {**super().about(), "config": "trainer:\n  max_epochs: 4\n"}

    def judge(self, *arguments, **settings):
        found = super().judge(*arguments, **settings)
        found.settings = {"depth": 3}
        found.curves = {"train/loss": STEPS, "val/loss": STEPS, "val/song_accuracy": STEPS}
        return found


class Whole(Guessing):
    """Looks at songs as a whole."""

    def judge(self, *arguments, **settings):
        found = super().judge(*arguments, **settings)
        found.frame_confusion = None
        return found


def guessed_run(folder):
    """Return results, predictions and the page of a run in ``runs/one``, by one network and five
    methods without frames; every second song has its file in ``music``.
    """
    rows = [
        {"track_id": f"{genre}-{i}", "genre": genre, "artist": f"{genre} {i % 5}"}
        for genre in GENRES
        for i in range(10)
    ]
    for number, row in enumerate(rows):
        file = folder / "music" / row["genre"] / f"{row['track_id']}.wav"
        row["path"] = str(file)
        if number % 2:
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, np.full(2000, number / 100), 8000)
    dataset = Dataset("songs", "songs", pd.DataFrame(rows))
    models = [Network("net", 3), *(Whole(f"guess{i}", 1) for i in range(5))]
    judges = protocols("artist-2fold", 2)
    out = folder / "runs" / "one"
    judged = judge(dataset, models, judges, out, tell=lambda line: None)
    decided = predictions(judged)
    results = summarise(judged, decided)
    return results, decided, write_run(out, results, decided)
