"""Playlists by genre: which songs, in which order, and the files that players read."""
