"""Learning curves: the names of protocols with training sets of growing size, and their points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from genrenet.data.splits import SplitError, artist_groups, artist_key, song_names
from genrenet.evaluation.protocols.base import Protocol
from genrenet.evaluation.protocols.kinds import Fold

UNITS = ("songs", "artists", "artists-per-genre")
SIZES = ("10%", "20%", "40%", "70%")
POINT = ("accuracy", "ci95", "ci95_artists", "by_seed", "n", "error")


def with_curves(
    names: Iterable[str],
    unit: str | None = None,
    sizes: Sequence[str] = (),
    shots: Sequence[str] = (),
) -> list[str]:
    """Return names of protocols, each preceded by those with part of its training songs.

    Parameters
    ----------
    names : iterable of str
    unit : {"songs", "artists", "artists-per-genre"}, optional
        Unit of the training set's size.
    sizes : sequence of str
        Numbers, and shares such as ``50%``; by default `SIZES`.
    shots : sequence of str
        Numbers of songs of each genre.

    Raises
    ------
    SplitError
        An invalid unit or size, sizes without a unit, or a protocol with a size of its own.

    Examples
    --------
    >>> with_curves(["70-30"], "songs", ["50", "25%"], shots=["5"])
    ['70-30@5-shot', '70-30@50-songs', '70-30@25%-songs', '70-30']
    """
    if unit is not None and unit not in UNITS:
        raise SplitError("learning curve", found=repr(unit), wanted=" or ".join(UNITS))
    if sizes and unit is None:
        raise SplitError("sizes without a learning curve", wanted=f"a unit: {', '.join(UNITS)}")
    if unit == "artists-per-genre" and not sizes:
        raise SplitError("a curve by artists of each genre needs sizes", wanted="such as 1,2,4,8")
    what = [f"{size}-shot" for size in shots]
    if unit is not None:
        what += [f"{size}-{unit}" for size in sizes or SIZES]
    found: list[str] = []
    for name in names:
        if what and "@" in name:
            raise SplitError(
                "a curve of a protocol that has a size", found=name, wanted=name.partition("@")[0]
            )
        found += [*(f"{name}@{size}" for size in what), name]
    return found


def learnt_from(table: pd.DataFrame, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the size of a protocol's training sets: the mean numbers of ``songs`` and, if artists
    are known, ``artists``.
    """
    songs, artists = song_names(table), artist_groups(table["artist"], song_names(table))
    named = any(map(artist_key, table["artist"]))
    numbers = []
    for fold in folds:
        parts = fold.split.parts.reindex(table["track_id"]).to_numpy()
        rows = [row for row, part in enumerate(parts) if part in ("train", "validation")]
        numbers.append((len({songs[row] for row in rows}), len({artists[row] for row in rows})))
    mean = [sum(column) / len(numbers) for column in zip(*numbers, strict=True)]
    return {"songs": mean[0], "artists": mean[1] if named else None}


def curves(
    protocols: Sequence[Protocol],
    learnt: Mapping[str, Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the learning curves of a run.

    Parameters
    ----------
    protocols : sequence of Protocol
    learnt : mapping of str to mapping
        Result of `learnt_from` for each protocol; those that cannot be run are missing.
    rows : sequence of mapping
        The rows ``models`` of `genrenet.evaluation.results.summarise`.

    Returns
    -------
    list of dict
        For each protocol and unit: ``protocol`` (the full one), ``unit``, and ``points``, each with
        ``protocol``, ``size`` (as requested, "all" for the full set), ``songs`` and ``artists``
        (mean numbers in training), ``model`` and the entries in `POINT`. Smaller sizes come first.
    """
    kinds: dict[tuple[str, str], list[Protocol]] = {}
    for protocol in protocols:
        if protocol.subset is not None:
            kinds.setdefault((protocol.base, protocol.subset.curve), []).append(protocol)
    found = []
    for (base, unit), parts in kinds.items():
        whole = [protocol for protocol in protocols if protocol.name == base]
        points = []
        for protocol in (*parts, *whole):
            size = "all" if protocol.subset is None else protocol.subset.label
            numbers = learnt.get(protocol.name, {"songs": None, "artists": None})
            points += [
                {"protocol": protocol.name, "size": size, **numbers, "model": row["name"]}
                | {key: row[key] for key in POINT}
                for row in rows
                if row["protocol"] == protocol.name
            ]
        points.sort(key=lambda point: (point["songs"] is None, point["songs"], point["artists"]))
        found.append({"protocol": base, "unit": unit, "points": points})
    return found


def heading(curve: Mapping[str, Any]) -> str:
    """Return the title of a curve."""
    return f"Learning curve of {curve['protocol']}, by {curve['unit']}"


def axis(curve: Mapping[str, Any]) -> str:
    """Return the key of the horizontal axis of a curve's points."""
    return "artists" if re.match("artists", curve["unit"]) else "songs"


def curve_table(curve: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return a curve's headings and rows: a row per size, with each model's accuracy."""
    models = list(dict.fromkeys(point["model"] for point in curve["points"]))
    counted = [key for key in ("songs", "artists") if any(p[key] for p in curve["points"])]
    rows = []
    for name in dict.fromkeys(point["protocol"] for point in curve["points"]):
        of = {p["model"]: p for p in curve["points"] if p["protocol"] == name}
        first = next(iter(of.values()))
        size = first["size"] if first["size"] == "all" else f"{first['size']} {curve['unit']}"
        numbers = ["" if first[key] is None else f"{first[key]:.0f}" for key in counted]
        rows.append([size, *numbers, *(_figure(of[model]) for model in models)])
    return ["training set", *counted, *models], rows


def _figure(point: Mapping[str, Any]) -> str:
    if point["accuracy"] is None:
        return "failed"
    low, high = point["ci95_artists"] or point["ci95"]
    return f"{point['accuracy']:.3f} ({low:.2f} to {high:.2f})"
