"""Features of songs for other methods: from trained networks, and classical ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.features.base import (
        FeatureError as FeatureError,
        FeatureExtractor as FeatureExtractor,
        SongFeatures as SongFeatures,
    )
    from genrenet.features.caching import (
        cached_embeddings as cached_embeddings,
        checkpoint_id as checkpoint_id,
        iter_embeddings as iter_embeddings,
    )
    from genrenet.features.classical import (
        CLASSICAL as CLASSICAL,
        MFCC_GAUSSIAN as MFCC_GAUSSIAN,
        SHORT_TERM as SHORT_TERM,
        SPECTRAL_STATS as SPECTRAL_STATS,
        gaussian_features as gaussian_features,
    )
    from genrenet.features.embeddings import (
        SongEmbedding as SongEmbedding,
        embed_songs as embed_songs,
        layer_sizes as layer_sizes,
        song_matrix as song_matrix,
    )
    from genrenet.features.extracting import (
        cached_features as cached_features,
        iter_features as iter_features,
    )
    from genrenet.features.mfcc_gaussian import (
        MfccGaussianSettings as MfccGaussianSettings,
        mfcc_matrix as mfcc_matrix,
    )
    from genrenet.features.short_term import (
        mid_term as mid_term,
        short_term_statistics as short_term_statistics,
    )
    from genrenet.features.spectral import (
        chroma as chroma,
        mfcc as mfcc,
        spectral_centroid as spectral_centroid,
        spectral_features as spectral_features,
        spectral_rolloff as spectral_rolloff,
        zero_crossing_rate as zero_crossing_rate,
    )

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["FeatureError", "FeatureExtractor", "SongFeatures"],
        "caching": ["cached_embeddings", "checkpoint_id", "iter_embeddings"],
        "classical": [
            "CLASSICAL",
            "SPECTRAL_STATS",
            "MFCC_GAUSSIAN",
            "SHORT_TERM",
            "gaussian_features",
        ],
        "embeddings": ["SongEmbedding", "embed_songs", "layer_sizes", "song_matrix"],
        "extracting": ["cached_features", "iter_features"],
        "definitions": ["MfccGaussianSettings"],
        "mfcc_gaussian": ["mfcc_matrix"],
        "short_term": ["mid_term", "short_term_statistics"],
        "spectral": [
            "chroma",
            "spectral_features",
            "mfcc",
            "spectral_centroid",
            "spectral_rolloff",
            "zero_crossing_rate",
        ],
    },
)
