"""From files to batches: catalogs, splits, frames, datasets and the Lightning data module."""

from genrenet.utils.moved import names_of

# It was a module once.
__getattr__ = names_of(
    __name__,
    ["genrenet.data.datasets"],
    ["CachedDataset", "FileReader", "FrameDataset", "FrameSampler", "Reader"],
)
