"""Check a protocol's folds for leakage: artists, audio, or feature rows in several parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from genrenet.data.splits import Leakage, Split, leakages
from genrenet.evaluation.datasets import Dataset
from genrenet.evaluation.stored_json import read_json, write_json

VERSION = 2
"""Part of the cache key: incremented when the check finds more."""
LISTED = 50  # maximum number of names of each kind in a report


def leaks(dataset: Dataset, folds: Mapping[str, Sequence[Split]], folder: Path) -> dict[str, str]:
    """Check every fold for leakage, once for the same songs and splits.

    Parameters
    ----------
    dataset : Dataset
    folds : mapping of str to sequence of Split
        All folds of all seeds, by the protocol's name. Every song is decoded once for all of them.
    folder : Path
        Folder of the cached results.

    Returns
    -------
    dict of str to str
        For each protocol a line with the result and the number of folds checked, followed by
        details.
    """
    splits = [split for group in folds.values() for split in group]
    state = hashlib.sha256(f"{VERSION} {list(folds)} {dataset.digest}".encode())
    for split in splits:
        state.update(split.parts.sort_index().to_csv().encode("utf-8", "surrogateescape"))
    key, file = state.hexdigest(), folder / "leaks.json"
    known = read_json(file)
    if known is not None and known.get("key") == key:
        return {name: str(known["text"][name]) for name in folds}
    found = iter(leakages(dataset.table, splits, audio=dataset.features is None))
    rows = _same_rows(dataset)
    text = {}
    for name, group in folds.items():
        looked_at = [next(found) for _ in group]
        text[name] = _summary(name, looked_at, [_on_several(rows, split) for split in group])
    write_json(file, {"key": key, "text": text})
    return text


def _summary(name: str, found: Sequence[Leakage], rows: Sequence[list[str]]) -> str:
    """Return one result for all folds, and each finding with the number of folds it occurs in."""
    bad = sum(bool(item) or bool(twins) for item, twins in zip(found, rows, strict=True))
    folds = "1 split" if len(found) == 1 else f"all {len(found)} folds"
    verdict = f"leaks in {bad} of {len(found)}" if bad else "no leak was found"
    lines = [f"{name}: {verdict} ({found[0].n_songs} songs, {folds} checked)"]
    kinds: dict[str, Iterable[Sequence[str]]] = {
        "artists in more than one part": (list(item.artists) for item in found),
        "songs with segments in more than one part": (list(item.segments) for item in found),
        "same audio in more than one part": (
            [" = ".join(group) for group in item.songs] for item in found
        ),
        "identical features in more than one part": rows,
    }
    for what, groups in kinds.items():
        counts = Counter(entry for group in groups for entry in group)
        if counts:
            lines.append(f"  {what}: {len(counts)}")
            lines += [f"    {entry}: folds: {n}" for entry, n in counts.most_common(LISTED)]
            if len(counts) > LISTED:
                lines.append(f"    and {len(counts) - LISTED} more")
    unreadable = {track: why for item in found for track, why in item.unreadable.items()}
    return "\n".join([*lines, *replace(found[0], unreadable=unreadable).limits()])


def _same_rows(dataset: Dataset) -> list[list[str]]:
    """Return songs with identical features: most likely one recording."""
    if dataset.features is None:
        return []
    rows = pd.DataFrame(dataset.features)
    tracks = dataset.table["track_id"].to_numpy()
    groups = rows.groupby(list(rows.columns), sort=False).indices.values()
    return [list(tracks[group]) for group in groups if len(group) > 1]


def _on_several(groups: Sequence[Sequence[str]], split: Split) -> list[str]:
    """Return the groups that are in more than one part of a split, as text."""
    parts = split.parts.to_dict()
    crossing = (g for g in groups if len({parts[track] for track in g if track in parts}) > 1)
    return [" = ".join(group) for group in crossing]
