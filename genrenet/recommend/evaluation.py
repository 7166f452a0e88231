"""Evaluate recommenders on the same users, the same held-out items and the same metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genrenet.recommend import metrics
from genrenet.recommend.base import Recommender
from genrenet.recommend.history import History
from genrenet.recommend.ranking import recommend
from genrenet.recommend.splitting import Split, hold_out
from genrenet.utils.errors import GenrenetError

KS = (10, 20)
JUDGES = 10_000
"""Maximum number of test users: more make an evaluation slow, and its intervals hardly narrower."""

Tell = Callable[[str], None]


@dataclass
class Judged:
    """The results of one recommender.

    Attributes
    ----------
    name : str
    figures : dict of str to ndarray of float64, shape (users,)
        For each test user, means over seeds; see `metrics.evaluate`.
    coverage : dict of str to (float, ndarray)
        ``coverage@k``: the share, and its value without each user; means over seeds.
    by_seed : list of float
        Mean recall at the largest k.
    fit_seconds, score_seconds : float
        Sums over seeds.
    settings : dict
    error : str
        Why it could not be evaluated; empty if it was.
    """

    name: str
    figures: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    coverage: dict[str, tuple[float, NDArray[np.float64]]] = field(default_factory=dict)
    by_seed: list[float] = field(default_factory=list)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass
class Evaluation:
    """The results of an evaluation.

    Attributes
    ----------
    models : list of Judged
    judges : int
        Number of test users, whose held-out items are predicted.
    undivided : int
        Number of users with one item, who are in training only.
    held : float
        Number of held-out items of the test users, per seed.
    reachable : float
        Share of these that occur in the training set: collaborative filtering alone cannot find the
        others.
    """

    models: list[Judged]
    judges: int
    undivided: int
    held: float
    reachable: float


def judge(
    history: History,
    models: Sequence[Recommender],
    content: NDArray[np.float32] | None = None,
    *,
    share: float = 0.2,
    seeds: int = 1,
    tell: Tell = lambda line: None,
) -> Evaluation:
    """Evaluate recommenders.

    Parameters
    ----------
    history : History
    models : sequence of Recommender
    content : ndarray of float32, shape (items, features), optional
        See `genrenet.recommend.content`.
    share : float in (0, 1)
        Share of each user's items that is held out.
    seeds : int > 0
        Number of repetitions; the first seed is 0.
    tell : callable
        Called with a line about each model.

    Raises
    ------
    RecommendError
        The history cannot be split.
    """
    splits = [hold_out(history.plays, share, seed) for seed in range(seeds)]
    divided = np.flatnonzero(np.diff(splits[0].held.indptr))
    chosen = divided
    if len(divided) > JUDGES:
        chosen = np.sort(np.random.default_rng(0).choice(divided, JUDGES, replace=False))
        tell(f"tested on {JUDGES} of {len(divided)} users, drawn at random; trained on all")
    found = []
    for model in models:
        try:
            judged = _judge(model, splits, chosen, content)
        except (GenrenetError, ValueError, np.linalg.LinAlgError, MemoryError) as error:
            judged = Judged(model.name, error=" ".join(str(error).split()) or repr(error))
        found.append(judged)
        tell(
            f"{model.name}: failed: {judged.error}"
            if judged.error
            else f"{model.name}: recall@{KS[-1]} {np.mean(judged.by_seed):.3f}, "
            f"fit {judged.fit_seconds:.1f} s, score {judged.score_seconds:.1f} s"
        )
    held = sum(split.held[chosen].nnz for split in splits)
    known = sum(_known(split, chosen) for split in splits)
    return Evaluation(found, len(chosen), splits[0].undivided, held / seeds, known / held)


def _known(split: Split, rows: NDArray[np.int64]) -> int:
    """Return held-out items of some users that occur in any user's training plays."""
    played = np.bincount(split.training.indices, minlength=split.training.shape[1]) > 0
    return int(played[split.held[rows].indices].sum())


def _judge(
    model: Recommender,
    splits: Sequence[Split],
    rows: NDArray[np.int64],
    content: NDArray[np.float32] | None,
) -> Judged:
    judged = Judged(model.name)
    figures: list[dict[str, NDArray[np.float64]]] = []
    shares: list[dict[str, tuple[float, NDArray[np.float64]]]] = []
    for seed, split in enumerate(splits):
        estimator = model.make(seed)
        begun = time.perf_counter()
        estimator.fit(split.training, content)
        fitted = time.perf_counter()
        items = _items(estimator, split.training, rows)
        judged.fit_seconds += fitted - begun
        judged.score_seconds += time.perf_counter() - fitted
        judged.settings = {
            key: value
            for key, value in estimator.get_params().items()
            if isinstance(value, (str, int, float, bool, type(None)))
        }
        figures.append(metrics.evaluate(items, split.held[rows], split.training, KS))
        total = split.training.shape[1]
        shares.append({f"coverage@{k}": metrics.coverage(items, total, k) for k in KS})
        judged.by_seed.append(float(figures[-1][f"recall@{KS[-1]}"].mean()))
    judged.figures = {name: _mean([each[name] for each in figures]) for name in figures[0]}
    judged.coverage = {
        name: (
            float(np.mean([each[name][0] for each in shares])),
            np.mean([each[name][1] for each in shares], axis=0),
        )
        for name in shares[0]
    }
    return judged


def _items(
    estimator: Any, training: sparse.csr_matrix, rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    blocks = recommend(estimator, training, KS[-1], rows=rows)
    return np.concatenate([block.items for block in blocks])


def _mean(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean over seeds, ignoring NaN."""
    table = np.stack(parts)
    there = np.isfinite(table)
    count = there.sum(axis=0)
    sums = np.where(there, table, 0).sum(axis=0)
    nothing = np.full(len(sums), np.nan)
    found: NDArray[np.float64] = np.divide(sums, count, out=nothing, where=count > 0)
    return found
