"""Recommendations from listening histories and from what songs sound like."""
