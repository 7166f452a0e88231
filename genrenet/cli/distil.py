"""``genrenet distil``: train a small, fast network by distillation, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genrenet.cli.configured import settable
from genrenet.cli.parsing import CommandParser
from genrenet.cli.training import GROUPS, OptionError, configured_arguments, prepare_arguments
from genrenet.utils.errors import printable

EXAMPLES = """All other options are those of 'genrenet fit': the collection, the student's network and front end,
epochs, devices, and the checkpoint to resume from.

examples:
  genrenet distil --teacher genres --data.source ~/Music
  genrenet distil --teacher genres,audioset-genres --data.source ~/Music --out student.ckpt
  genrenet distil --teacher best.ckpt --data.source ~/Music --config crnn --trainer.max_epochs 30
  genrenet distil --ckpt_path runs/distil/version_0/checkpoints/last.ckpt
  genrenet classify song.mp3 --checkpoint student.ckpt

The student learns to reproduce the labels and scores of the first teacher, and to predict the
embeddings and scores of all teachers. The collection's own labels are not used. The teachers'
outputs are cached, so that an interrupted run does not compute them again. Some songs are held out
(by artist, where artists are known); the report says how often student and teacher agree on them.

exit code: 0 success, 1 some songs could not be read, 2 the command could not be carried out
"""  # noqa: E501


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet distil",
        "Train a small network by distillation from larger ones, on any songs, without labels.",
        EXAMPLES,
    )
    parser.passes_on = GROUPS
    add = parser.add_argument
    add("--teacher", metavar="NAMES", help="teachers, separated by commas: names or .ckpt files")
    add("--out", metavar="FILE", help="checkpoint to write (default: student.ckpt)")
    add("--runs", metavar="DIR", default="runs", help="folder of the runs (default: runs)")
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet distil``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options, rest = parser.parse_known_args(arguments)
    rest = configured_arguments("distil", rest, settable(parser))
    resumed = any(word.partition("=")[0] == "--ckpt_path" for word in rest)
    if not resumed and not options.teacher:
        raise OptionError("no teacher to learn from", remedy="name one: --teacher genres")
    if options.out and (
        Path(options.out).suffix != ".ckpt" or not Path(options.out).resolve().parent.is_dir()
    ):
        raise OptionError(
            f"--out '{printable(options.out)}'", wanted="a .ckpt file in a folder that exists"
        )
    configured = any(word.partition("=")[0] == "--config" for word in rest)
    given = rest if resumed or configured else ["--config", "distil", *rest]
    resolved = prepare_arguments("fit", [*given, "--out", options.runs])
    if options.teacher:
        names = [name.strip() for name in options.teacher.split(",") if name.strip()]
        from genrenet.models.checkpoints import find_checkpoint

        for name in names:
            find_checkpoint(name)  # fail for an unknown name before anything is decoded
        resolved += [f"--data.teachers={names}"]
    resolved += [f"--student={options.out}"] if options.out else []
    from genrenet.cli.distilling import DistilCLI
    from genrenet.cli.lightning import run_trainer

    return 1 if run_trainer(["fit", *resolved], "distil", DistilCLI) else 0
