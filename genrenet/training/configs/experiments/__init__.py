"""Packaged experiments of ``genrenet evaluate``."""
