"""Features of songs from trained networks, for other methods to learn from."""

from genrenet.features.caching import cached_embeddings, checkpoint_id, iter_embeddings
from genrenet.features.embeddings import SongEmbedding, embed_songs, layer_sizes, song_matrix

__all__ = [
    "SongEmbedding",
    "cached_embeddings",
    "checkpoint_id",
    "embed_songs",
    "iter_embeddings",
    "layer_sizes",
    "song_matrix",
]
