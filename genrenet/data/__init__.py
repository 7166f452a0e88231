"""From files to batches: catalogs, splits, frames, datasets and the Lightning data module."""
