"""Helpers that know nothing of music: errors, files, caches, hardware, progress, figures."""
