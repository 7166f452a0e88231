"""Configurations of networks on short frames, for excerpts."""
