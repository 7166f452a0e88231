"""The built-in metrics of song predictions, besides the accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.evaluation.metrics import Metric


@hookimpl
def register_metrics(register: Callable[[Metric], None]) -> None:
    """Add the built-in metrics."""
    from genrenet.evaluation import metrics
    from genrenet.evaluation.metrics import Floats, Integers, Metric

    def macro_f1(target: Integers, scores: Floats) -> float:
        return metrics.macro_f1(metrics.confusion_matrix(target, scores))

    def top2(target: Integers, scores: Floats) -> float | None:
        return metrics.top_k_accuracy(target, scores, 2) if scores.shape[1] > 2 else None

    ece = "expected calibration error: by how much confidences miss the accuracy"
    register(Metric("macro_f1", "Macro F1", "mean F1 over the genres", macro_f1))
    register(Metric("top2", "Top 2", "true genre among the two highest scores", top2))
    register(Metric("calibration_error", "ECE", ece, metrics.calibration_error))
