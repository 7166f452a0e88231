"""``genrenet distil``: a small fast network that answers as larger ones do; no labels needed."""

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

The student learns the first teacher's labels and scores, and to tell the embeddings and scores of
all. Genres that the collection knows count for nothing. What the teachers say is kept in the cache:
an interrupted run does not ask them again. A part of the songs (by artist, where artists are known)
is learnt from by no one; how far student and teacher agree is measured on it.

exit code: 0 done, 1 some songs could not be read, 2 the request cannot be carried out
"""  # noqa: E501


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet distil",
        "Train a small network to name genres as larger ones do, on any songs; no labels needed.",
        EXAMPLES,
    )
    parser.passes_on = GROUPS
    add = parser.add_argument
    add("--teacher", metavar="NAMES", help="models to learn from: names or .ckpt files")
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
        raise OptionError("nobody to learn from", remedy="name a teacher: --teacher genres")
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
            find_checkpoint(name)  # a wrong name is better known before anything is decoded
        resolved += [f"--data.teachers={names}"]
    resolved += [f"--student={options.out}"] if options.out else []
    from genrenet.cli.distilling import DistilCLI
    from genrenet.cli.lightning import run_trainer

    return 1 if run_trainer(["fit", *resolved], "distil", DistilCLI) else 0
