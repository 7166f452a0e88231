"""What a protocol's splits have on more than one side: artists, sounds, or rows of features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.kept import read_json, write_json
from genrenet.splits import Split, leakage


def leaks(dataset: Dataset, splits: Sequence[Split], folder: Path) -> str:
    """Look for leaks, once for the same songs and splits.

    Parameters
    ----------
    dataset : Dataset
    splits : sequence of Split
        The folds of one seed. Artists are looked for in all of them, sounds in the first.
    folder : Path
        Where the answer is kept.

    Returns
    -------
    str
        A line that says whether there is anything, and then what.
    """
    made_of = dataset.digest + "".join(split.parts.sort_index().to_csv() for split in splits)
    key = hashlib.sha256(made_of.encode("utf-8", "surrogateescape")).hexdigest()
    known = read_json(folder / "leaks.json")
    if known is not None and known.get("key") == key:
        return str(known["text"])
    heard = dataset.features is None
    found = [
        leakage(dataset.table, split, audio=heard and number == 0)
        for number, split in enumerate(splits)
    ]
    bad = [item for item in found if item]
    text = (bad or found)[0].report()
    if len(bad) > 1:
        text += f"\n  and {len(bad) - 1} more folds"
    if not heard and (twins := _same_rows(dataset, splits[0])):
        text = f"{twins}\n{text}"
    write_json(folder / "leaks.json", {"key": key, "text": text})
    return text


def _same_rows(dataset: Dataset, split: Split) -> str:
    """Songs with the very same features on more than one side: most likely one recording.

    Empty where there are none.
    """
    assert dataset.features is not None
    rows = pd.DataFrame(dataset.features)
    parts = split.parts.reindex(dataset.table["track_id"]).to_numpy()
    tracks = dataset.table["track_id"].to_numpy()
    groups = rows.groupby(list(rows.columns), sort=False).indices.values()
    twins = [group for group in groups if len({p for p in parts[group] if p == p}) > 1]
    lines = ["  " + " = ".join(f"{tracks[i]} ({parts[i]})" for i in group) for group in twins]
    if not lines:
        return ""
    head = f"{split.name}: leaks: the very same features on more than one side, {len(twins)} times"
    return "\n".join([head, *lines])
