"""Classical methods on features: what a baseline is, its features, how it is fitted and stored.

The methods themselves come from plugins; the built-in ones are in ``genrenet_plugins``.
"""

from genrenet.baselines.base import Baseline, BaselineError, baseline, baselines, origin
from genrenet.baselines.fitted import FittedBaseline, fit_baseline, load_baseline
from genrenet.baselines.song_features import FeatureMatrix, known_features, song_features

__all__ = [
    "Baseline",
    "BaselineError",
    "FeatureMatrix",
    "FittedBaseline",
    "baseline",
    "baselines",
    "fit_baseline",
    "known_features",
    "load_baseline",
    "origin",
    "song_features",
]
