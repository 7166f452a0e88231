"""Messages at the end of the trainer's commands: songs, figures, files, next command."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Trainer

from genrenet.cli.telling import fact, next_step, say
from genrenet.evaluation.callbacks import PredictionWriter, TestReport
from genrenet.training.monitoring import HyperParameters
from genrenet.utils.errors import printable

_PARTS = {"train": "to train", "validation": "to validate", "test": "to test"}


def tell_songs(data: Any) -> None:
    """Print how many songs are in each part of the split."""
    counts = data.split.counts()
    told = ", ".join(f"{counts[part]:,} {words}" for part, words in _PARTS.items())
    say(f"songs: {told}; split: {data.split.name}")
    fact(songs=counts, split=data.split.name)


def tell_best(trainer: Trainer) -> None:
    """Print the validation metrics of the epoch with the lowest loss."""
    found = next((one.best for one in _of(trainer, HyperParameters) if one.best), None)
    if found is None:
        return
    names = {"song_accuracy": "song accuracy", "frame_accuracy": "frame accuracy"}
    names |= {"song_map": "mAP of songs", "song_roc_auc": "ROC-AUC of songs", "loss": "loss"}
    figures = [f"{words} {found[name]:.3f}" for name, words in names.items() if name in found]
    say(f"best on the validation songs: {', '.join(figures)}, in epoch {found['epoch']:.0f}")
    fact(best=found)


def tell_checkpoints(trainer: Trainer, best: list[str]) -> None:
    """Print the paths of the checkpoints, and the command to test the best one."""
    last = [str(getattr(one, "last_model_path", "")) for one in trainer.checkpoint_callbacks]
    kept = [*best, *filter(None, last)]
    for path in best:
        say(f"best checkpoint: {printable(path)}")
    fact(checkpoints=[*map(printable, best)])
    if kept:
        next_step("test", "--ckpt_path", kept[0], why="evaluates it")


def tell_measured(command: str, trainer: Trainer, data: Any) -> None:
    """Print the results of a validation, test or prediction."""
    checkpoint = printable(trainer.ckpt_path or "")
    fact(checkpoint=checkpoint)
    if command == "validate":
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        fact(figures=figures)
        next_step(
            "test", "--ckpt_path", checkpoint, why="evaluates it on the test set, with a report"
        )
    for report in _of(trainer, TestReport) if command == "test" else ():
        if report.page is not None:
            fact(report=printable(report.page), results=report.results)
        next_step("checkpoints", "export", checkpoint, "model.ckpt", why="writes a smaller file")
    for writer in _of(trainer, PredictionWriter) if command == "predict" else ():
        if writer.file is not None:
            fact(predictions=printable(writer.file), songs=writer.songs)
        out = ["--out", "genres.parquet", "--checkpoint", checkpoint]
        next_step("scan", str(data.source), *out, why="keeps a table up to date")


def _of(trainer: Trainer, kind: Any) -> list[Any]:
    return [one for one in trainer.callbacks if isinstance(one, kind)]  # type: ignore[attr-defined]
