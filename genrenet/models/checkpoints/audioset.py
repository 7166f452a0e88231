"""The classes of AudioSet, and the hierarchy of its music genres.

``audioset.csv`` has the 527 classes in the order of networks' outputs, and the parents of each in
the music genre part of the ontology. Source: AudioSet and its ontology (Gemmeke et al., 2017,
"Audio Set: an ontology and human-labeled dataset for audio events",
https://github.com/audioset/ontology), Google, CC BY 4.0 and CC BY-SA 4.0. Chant, which the ontology
lists under both singing and vocal music, counts as singing here.
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
    """Return the music genres among the classes, each with its parent genres.

    Returns
    -------
    dict of str to list of str
        In order of the outputs. Top-level genres have no parents; a genre may have two.

    Examples
    --------
    >>> audioset_genres()["Heavy metal"], audioset_genres()["Jazz"]
    (['Rock music'], [])
    """
    found = {row["name"]: row["parents"].split(";") for row in _rows() if row["parents"]}
    return {
        name: [parent for parent in parents if parent != ROOT] for name, parents in found.items()
    }
