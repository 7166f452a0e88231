"""Measures of the order of songs."""

from itertools import pairwise


def repeats(artists):
    """Count the neighbours that share their artist."""
    return sum(one == next_ for one, next_ in pairwise(artists))
