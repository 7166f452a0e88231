"""A plugin with one thing of each kind that packages can add to genrenet.

Copy it to start your own. What is heavy is imported inside of the hooks, so that commands that need
nothing of it stay quick.
"""

from genrenet import hookimpl


@hookimpl
def register_baselines(register):
    """Any scikit-learn classifier is a baseline."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from genrenet.baselines import Baseline

    register(
        Baseline(
            name="boosting",
            summary="gradient boosting of decision trees (scikit-learn)",
            estimator=HistGradientBoostingClassifier,
            features="loudness",
            grid={"max_leaf_nodes": [7, 31]},
            trusted=[
                "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
                "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
            ],
        )
    )


@hookimpl
def register_features(register):
    """A function from waveforms to rows of numbers is a feature extractor."""
    import torch

    from genrenet.features import FeatureExtractor

    def loudness(waveform):
        power = waveform.square()
        return torch.stack([power.mean(dim=1), power.std(dim=1)], dim=1)

    register(
        FeatureExtractor(
            name="loudness",
            summary="mean and deviation of the power",
            extract=loudness,
            columns=("power", "power_deviation"),
        )
    )


@hookimpl
def register_catalogs(register):
    """Two functions, one that recognises a layout and one that reads it, are a reader."""
    import os

    from genrenet.data.catalog import Reader, Reading, Song

    def is_listing(path):
        return path.endswith(".genres")

    def read_listing(path):
        folder = os.path.dirname(path)
        with open(path, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file if line.strip()]
        songs = [Song(os.path.join(folder, name), genre) for name, genre in rows]
        return Reading("genres", folder, songs)

    register(Reader("genres", "a text file: path, tab, genre", is_listing, read_listing))


@hookimpl
def register_backbones(register):
    """A published file, its checksum, and a function that makes a classifier of it."""
    from genrenet.models.checkpoints import PublishedModel, load_model

    register(
        PublishedModel(
            name="sample-backbone",
            title="A network that nobody has published",
            filename="sample.ckpt",
            sha256="0" * 64,
            size=1,
            address="https://example.org/sample.ckpt",
            licence="MIT",
            citation="nobody",
            labels=("quiet", "loud"),
            convert=load_model,
        )
    )


@hookimpl
def register_adapters(register):
    """A function that opens a file of weights, and the files it depends on, are an adapter."""
    from pathlib import Path

    from genrenet.models.adapters import Adapter, Card

    def open_bands(file, trust):
        from genrenet_sample_modules import Bands

        return Bands(int(Path(file).read_text()))

    def files(file):
        return [Path(file)]

    def card(file):
        return Card("bands of a spectrum", "MIT")

    register(Adapter("bands", "a text file with a number of bands", open_bands, files, card))


@hookimpl
def register_networks(register):
    """Any module from log-mels to logits is a network; its path lets other commands wait less."""
    from genrenet.models.registry import ModuleClass

    register(ModuleClass("pooled", "one convolution, pooled", "genrenet_sample_modules.Pooled"))


@hookimpl
def register_frontends(register):
    """Any module from waveforms to (batch, bins, time) is a front end."""
    from genrenet.models.registry import ModuleClass

    register(ModuleClass("raw-audio", "samples as they are", "genrenet_sample_modules.RawAudio"))


@hookimpl
def register_playlist_formats(register):
    """A function that makes a file's text is a format of playlists; another may read it."""
    from genrenet.playlists import ListedSong, PlaylistFormat
    from genrenet.playlists.paths import line_of, path_at

    def write(playlist, folder):
        return "".join(f"{line_of(song.path, folder)}\n" for song in playlist.songs)

    def read(data, folder):
        lines = data.decode("utf-8").splitlines()
        return [ListedSong(path_at(line, folder, uri=False)) for line in lines]

    register(PlaylistFormat(".list", "paths, a line each", write, read))


@hookimpl
def register_recommenders(register):
    """Any class with ``fit`` and ``score`` on a matrix of plays is a recommender."""
    import numpy as np
    from sklearn.base import BaseEstimator

    from genrenet.recommend import Recommender

    class MostPlayed(BaseEstimator):
        def __init__(self, power: float = 1.0):
            self.power = power

        def fit(self, plays, content=None):
            self.plays_ = np.asarray(plays.power(self.power).sum(axis=0), np.float32).ravel()
            return self

        def score(self, histories):
            return np.tile(self.plays_, (histories.shape[0], 1))

    register(Recommender("most-played", "what has been played most often", MostPlayed))


@hookimpl
def register_tag_formats(register):
    """A subclass of mutagen's FileType, and the key of the genre in its tags, are a tag format."""
    import mutagen

    from genrenet.library.tag_formats import TagFormat

    class Note(mutagen.FileType):
        """The genres of a file that is nothing but a line of text."""

        @staticmethod
        def score(filename, fileobj, header):
            return 4 * header.startswith(b"note: ")

        def load(self, file, filename=None):
            with open(filename or file, encoding="utf-8") as held:
                self.tags = {"GENRE": held.read()[6:].split()}

    register(TagFormat("note", "the words of a note", Note))


@hookimpl
def register_metrics(register):
    """A function from true labels and scores to a number is a metric."""
    from sklearn.metrics import cohen_kappa_score

    from genrenet.evaluation.metrics import Metric

    def kappa(target, scores):
        return cohen_kappa_score(target, scores.argmax(axis=1))

    register(Metric("kappa", "Kappa", "agreement beyond chance (Cohen)", kappa))


@hookimpl
def register_protocols(register):
    """A function that divides songs into those learnt from and those judged is a protocol."""
    import numpy as np
    import pandas as pd

    from genrenet.data.splits import Split
    from genrenet.evaluation.protocols import ProtocolKind

    def halves(table, seed):
        second = np.random.default_rng(seed).permutation(len(table)) % 2
        found = []
        for judged in (0, 1):
            parts = np.where(second == judged, "test", "train")
            index = pd.Index(table["track_id"], name="track_id")
            found.append(Split(f"half {judged}", pd.Series(parts, index, dtype=object)))
        return found

    meaning = "Each half of the songs is judged by what learnt from the other, regardless of genre."
    register(ProtocolKind("halves", "each half by the other", meaning, halves, lenient=True))
