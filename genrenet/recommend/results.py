"""Summarise figures of individual users: means with intervals, ratios, comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrenet.evaluation.significance import holm, paired_bootstrap
from genrenet.recommend.evaluation import KS, Evaluation, Judged
from genrenet.recommend.history import History
from genrenet.recommend.metrics import bootstrap_means, interval, jackknife_interval
from genrenet.version import __version__

BASELINE = "popularity"
LARGEST = KS[-1]
MAIN = f"recall@{LARGEST}"
"""The figure for ranking models, and comparing them with each other and with popularity."""

MEANINGS = {
    "precision": "hits among the first k, over k",
    "recall": "hits among the first k, over all held-out items of the user (not over the smaller "
    "of these and k)",
    "ndcg": "discounted gain of the hits over that of the best order, in which min(k, held-out "
    "items) hits are on top",
    "coverage": "share of all items that anybody was recommended",
    "novelty": "mean of -log2(share of users who have the item) over what was recommended, in bits",
}


def summarise(
    name: str, history: History, found: Evaluation, share: float, seeds: int, seed: int = 0
) -> dict[str, Any]:
    """Return all results of an evaluation, as plain values for JSON.

    Parameters
    ----------
    name : str
        Name of the history.
    history : History
    found : Evaluation
    share : float
        Share that was held out.
    seeds : int
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``history``, ``users``, ``items``, ``entries``, ``holdout``, ``seeds``, ``judges``,
        ``undivided``, ``held``, ``reachable``, ``meanings``, ``created``, ``genrenet``, ``models``
        (best first, those that failed last) and ``comparisons`` (one for each pair).
    """
    good = [model for model in found.models if not model.error]
    draws = {model.name: _draws(model, seed) for model in good}
    baseline = draws.get(BASELINE, {}).get(MAIN)
    rows = [_row(model, draws[model.name], baseline, good) for model in good]
    rows.sort(key=lambda row: -row["figures"][MAIN]["mean"])
    failed = [{"name": model.name, "error": model.error} for model in found.models if model.error]
    return {
        "history": name,
        "users": len(history.users),
        "items": len(history.items),
        "entries": int(history.plays.nnz),
        "holdout": share,
        "seeds": list(range(seeds)),
        "judges": found.judges,
        "undivided": found.undivided,
        "held": found.held,
        "reachable": found.reachable,
        "meanings": MEANINGS,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "genrenet": __version__,
        "models": [*rows, *failed],
        "comparisons": _comparisons(good, rows, seed),
    }


def _draws(model: Judged, seed: int) -> dict[str, NDArray[np.float64]]:
    names = list(model.figures)
    table = np.stack([model.figures[name] for name in names], axis=1)
    return dict(zip(names, bootstrap_means(table, seed).T, strict=True))


def _row(
    model: Judged,
    draws: Mapping[str, NDArray[np.float64]],
    baseline: NDArray[np.float64] | None,
    good: Sequence[Judged],
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, values in model.figures.items():
        some = np.isfinite(values).any()
        figures[name] = {
            "mean": float(np.nanmean(values)) if some else None,
            "ci95": interval(draws[name]) if some else None,
        }
    for name, (share, without) in model.coverage.items():
        figures[name] = {"mean": share, "ci95": jackknife_interval(share, without)}
    ratio = None
    if baseline is not None and (baseline > 0).all():
        popular = next(each for each in good if each.name == BASELINE)
        # Both use the same resampled users, as the bootstrap's seed is the same.
        ratio = {
            "mean": figures[MAIN]["mean"] / float(popular.figures[MAIN].mean()),
            "ci95": interval(draws[MAIN] / baseline),
        }
    return {
        "name": model.name,
        "error": "",
        "figures": figures,
        "ratio": ratio,
        "by_seed": model.by_seed,
        "fit_seconds": model.fit_seconds,
        "score_seconds": model.score_seconds,
        "settings": model.settings,
    }


def _comparisons(
    good: Sequence[Judged], rows: Sequence[Mapping[str, Any]], seed: int
) -> list[dict[str, Any]]:
    """Return each pair of models on the same users, the better one first."""
    by_name = {model.name: model for model in good}
    pairs = []
    for first, second in combinations([row["name"] for row in rows], 2):
        one, other = (by_name[name].figures[MAIN] for name in (first, second))
        paired = paired_bootstrap(one, other, seed=seed)
        ends = [paired["lower"], paired["upper"]]
        pairs.append(
            {
                "first": first,
                "second": second,
                "difference": paired["difference"],
                "ci95": ends,
                "p": paired["p"],
            }
        )
    for pair, p in zip(pairs, holm([pair["p"] for pair in pairs]), strict=True):
        pair["p_holm"] = p
    return pairs
