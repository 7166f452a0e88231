"""Whole libraries: the genre of every song in one table, updated when files change."""
