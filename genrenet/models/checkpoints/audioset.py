"""The classes of AudioSet, and which of its genres of music lies under which.

``audioset.csv`` has the 527 classes in the order of networks' outputs, and what each lies under in
the part of the ontology that is about genres of music. Source: AudioSet and its ontology (Gemmeke
et al., 2017, "Audio Set: an ontology and human-labeled dataset for audio events",
https://github.com/audioset/ontology), Google, CC BY 4.0 and CC BY-SA 4.0. Chant, which the ontology
puts under singing and under vocal music, counts as singing here.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

ROOT = "Music genre"
"""What all genres lie under. It is a class of the ontology, but of no network."""


@cache
def _rows() -> list[dict[str, str]]:
    file = resources.files("genrenet.models.checkpoints") / "audioset.csv"
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def audioset_classes() -> tuple[str, ...]:
    """Return the names of the 527 classes, in order of the outputs."""
    return tuple(row["name"] for row in _rows())


def audioset_genres() -> dict[str, list[str]]:
    """Return the genres of music among the classes, and the genres that each lies under.

    Returns
    -------
    dict of str to list of str
        In order of the outputs. Genres at the top lie under none; one may lie under two.

    Examples
    --------
    >>> audioset_genres()["Heavy metal"], audioset_genres()["Jazz"]
    (['Rock music'], [])
    """
    found = {row["name"]: row["parents"].split(";") for row in _rows() if row["parents"]}
    return {
        name: [parent for parent in parents if parent != ROOT] for name, parents in found.items()
    }
