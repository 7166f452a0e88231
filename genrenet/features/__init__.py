"""Features of songs for other methods to learn from: of trained networks, and classical ones."""

from genrenet.features.base import FeatureError, FeatureExtractor, SongFeatures
from genrenet.features.caching import cached_embeddings, checkpoint_id, iter_embeddings
from genrenet.features.classical import (
    CLASSICAL,
    FIVE,
    MFCC_GAUSSIAN,
    SHORT_TERM,
    gaussian_features,
)
from genrenet.features.embeddings import SongEmbedding, embed_songs, layer_sizes, song_matrix
from genrenet.features.extracting import cached_features, iter_features
from genrenet.features.mfcc_gaussian import MfccGaussianSettings, mfcc_gaussian, mfcc_matrix
from genrenet.features.short_term import mid_term, short_term, short_term_statistics
from genrenet.features.spectral import (
    chroma,
    five,
    mfcc,
    spectral_centroid,
    spectral_rolloff,
    zero_crossing_rate,
)

__all__ = [
    "CLASSICAL",
    "FIVE",
    "MFCC_GAUSSIAN",
    "SHORT_TERM",
    "FeatureError",
    "FeatureExtractor",
    "MfccGaussianSettings",
    "SongEmbedding",
    "SongFeatures",
    "cached_embeddings",
    "cached_features",
    "checkpoint_id",
    "chroma",
    "embed_songs",
    "five",
    "gaussian_features",
    "iter_embeddings",
    "iter_features",
    "layer_sizes",
    "mfcc",
    "mfcc_gaussian",
    "mfcc_matrix",
    "mid_term",
    "short_term",
    "short_term_statistics",
    "song_matrix",
    "spectral_centroid",
    "spectral_rolloff",
    "zero_crossing_rate",
]
