"""Packaged configurations for ``genrenet fit --config NAME``."""
