"""The trainer of students: compute the teachers' outputs, train, and write the report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytorch_lightning.cli import LightningArgumentParser

from genrenet.cli.lightning import GenreCLI
from genrenet.cli.telling import fact, next_step, say
from genrenet.cli.training_report import tell_songs
from genrenet.evaluation.agreement import agreement
from genrenet.features.teaching import lessons_of
from genrenet.models.checkpoints import export_checkpoint
from genrenet.training.distillation import DistilledClassifier, TaughtData
from genrenet.utils.errors import printable

HEARD = 300
"""Maximum number of held-out songs in the report; the teacher scores them again, to time it."""


def _lessons(data: TaughtData) -> Any:
    """Return the teachers' outputs for the songs; they are computed once."""
    if not data.lessons:
        paths = [str(path) for path in data.catalog.table["path"]]
        data.learn_from(*lessons_of(data.teachers, paths))
    return data.lessons


class DistilCLI(GenreCLI):
    """Lightning's command line for `DistilledClassifier` on `TaughtData`."""

    parts = DistilledClassifier, TaughtData

    def _outputs(self, data: Any) -> list[str]:
        return list(_lessons(data)[0].labels)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the option for the student's file, and link the labels to the first teacher's."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--student", default="student.ckpt", help="file to write")
        for name in ("activation", "aggregation"):
            parser.link_arguments(
                "data",
                f"model.{name}",
                compute_fn=lambda data, name=name: getattr(_lessons(data)[0], name),
                apply_on="instantiate",
            )
        parser.link_arguments(
            "data",
            "model.told",
            compute_fn=lambda data: [lesson.said.shape[1] for lesson in _lessons(data)],
            apply_on="instantiate",
        )

    def conclude(self) -> None:
        """Write the student, and report how often it agrees with its first teacher."""
        data: TaughtData = self.datamodule
        last = [
            getattr(each, "last_model_path", "") or getattr(each, "best_model_path", "")
            for each in self.trainer.checkpoint_callbacks
        ]
        kept = [*self.best_checkpoints(), *filter(None, last)]
        if not kept:
            say("no checkpoint was saved, so there is no student")
            return
        student = export_checkpoint(kept[0], Path(self.config.fit.student))
        say(f"student: {printable(student)}, trained with {', '.join(data.teachers)}")
        held_out = [str(path) for path in data.part("test")["path"] if path not in data.skipped]
        step = max(1, len(held_out) // HEARD)
        tell_songs(data)
        found = agreement(str(student), data.teachers[0], held_out[::step][:HEARD])
        say(*str(found).splitlines())
        fact(student=printable(student), teachers=data.teachers, agreement=asdict(found))
        song = held_out[0] if held_out else "song.mp3"
        next_step("classify", song, "--checkpoint", str(student))
