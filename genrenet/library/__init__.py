"""Whole libraries: the genre of every song in one table, which follows the files."""
