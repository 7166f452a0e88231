"""The two sides of a scoring benchmark: the package, and librosa with eager PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

Precision = Literal["32", "auto"]
TRIM = 0.0
"""Seconds: most of the collections in benchmarks are excerpts."""

Run = Callable[..., dict[str, Any]]


def ours(name: str, precision: Precision, paths: Sequence[str], workers: int | None = None) -> Run:
    """`score_songs`, as called by the programs that score libraries."""
    from benchmark_references import model_named

    from genrenet.inference.classify import score_songs
    from genrenet.models.optimised import optimised
    from genrenet.utils.hardware import keep_freed_memory

    keep_freed_memory()
    model = optimised(model_named(name), precision)
    twice: list[int] = []
    exact = getattr(model.network, "exact", None)
    if exact is not None:  # for frames whose best genres are close in half precision
        exact.register_forward_hook(lambda _, given, __: twice.append(len(given[0])))

    def run(some: Sequence[str] = paths) -> dict[str, Any]:
        twice.clear()
        # All frames, as the reference: by default a part of them is enough.
        results = list(score_songs(some, model, trim=TRIM, frames="all", workers=workers))
        frames = sum(result.frames for result in results)
        return {"genres": [one.genre for one in results], "frames": frames, "twice": sum(twice)}

    return run


def theirs(name: str, paths: Sequence[str]) -> Run:
    """The common pipeline."""
    from benchmark_references import UsualPipeline, model_named

    pipeline = UsualPipeline(model_named(name), TRIM)

    def run(some: Sequence[str] = paths) -> dict[str, Any]:
        return {"genres": [pipeline.genre(path) for path in some]}

    return run
