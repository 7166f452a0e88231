"""``genrenet adapt``: retrain the last layer of a model with its user's corrections."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from genrenet.cli.configured import unless_configured
from genrenet.cli.parsing import CommandParser, count
from genrenet.cli.tables import print_table
from genrenet.cli.telling import as_json, fact, next_step, plural, say
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    from genrenet.library.adapting import Adapted

EXAMPLES = """examples:
  genrenet adapt genres.parquet --out mine.ckpt
  genrenet adapt genres.parquet --labels ~/Sorted --out mine.ckpt
  genrenet classify song.mp3 --checkpoint mine.ckpt
  genrenet scan ~/Music --out genres.parquet --checkpoint mine.ckpt --restart

Only the head (last layer) of the network is retrained. The training set consists of the songs
that were corrected with 'genrenet correct', and of other songs of the library whose predictions
should stay the same. Genres that are new to the model get outputs of their own. Embeddings are
computed once and cached. The figures are measured by cross-validation, on songs that were left out
of the training.

exit code: 0 success, 2 the command could not be carried out
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet adapt", "Retrain the last layer of a model with corrections.", EXAMPLES
    )
    add = parser.add_argument
    add("table", metavar="TABLE", help="table of 'genrenet scan', with corrections")
    add("--out", required=True, metavar="FILE.ckpt", help="checkpoint to write")
    add("--checkpoint", help="model to start from (default: that of the table)")
    add("--labels", metavar="DATA", help="also train on this collection, whose genres are right")
    add(
        "--others",
        type=count,
        metavar="N",
        help="songs whose predictions should stay (default: 300)",
    )
    add(
        "--pull",
        type=_positive,
        metavar="X",
        help="regularisation towards the former head (default: 0.1)",
    )
    add("--device", help="such as cpu, cuda or cuda:1 (default: the fastest available)")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet adapt``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    if not options.out.endswith(".ckpt"):
        parser.error(f"--out '{options.out}': wanted a name that ends with .ckpt")
    from genrenet.library.adapting import OTHERS, PULL, adapt
    from genrenet.library.scanning import model_of
    from genrenet.models.checkpoints import default_checkpoint
    from genrenet.utils.progress import progress_bar

    name = options.checkpoint or model_of(options.table) or default_checkpoint()
    with progress_bar("embedding") as show:
        made = adapt(
            options.table,
            options.out,
            name,
            labels=options.labels,
            others=options.others or OTHERS,
            pull=options.pull or PULL,
            device=options.device,
            progress=show,
        )
    _tell(made, str(name), options)
    return 0


def _tell(made: Adapted, former: str, options: argparse.Namespace) -> None:
    """Print the training songs, and the comparison with the former model."""
    counts = plural(made.corrected, "correction"), plural(made.labelled, "label")
    songs = f"{', '.join(counts)} and {plural(made.kept, 'other song')}"
    say(f"{printable(former)}: trained on {songs}")
    if made.new_genres:
        say(f"new genres: {', '.join(made.new_genres)}")
    if made.held_out:
        rows = [
            (f"right on {name}", _figure(before), _figure(made.after[name]))
            for name, before in made.before.items()
        ]
        if made.agreement is not None:
            rows.append(("same genre on other songs", "", _figure(made.agreement)))
        if not as_json():
            print_table(("share (with 95 % interval)", "before", "after"), rows)
        say(made.held_out)
    else:
        say("all corrections are of one artist: the accuracy cannot be measured")
    say(f"written to {printable(made.file)}")
    fact(former=printable(former), **{**asdict(made), "file": printable(made.file)})
    table = unless_configured("table", options.table)
    if not table and not unless_configured("checkpoint", made.file):
        next_step("scan", "--restart", why="classifies the library again")
    elif not table:
        next_step("config", "set", "checkpoint", os.path.abspath(made.file), why="for all commands")
    else:
        next_step("checkpoints", "info", str(made.file), why="describes the model")


def _figure(share: Mapping[str, Any]) -> str:
    low, high = share["ci95"]
    return f"{share['share']:.2f} ({share['count']} of {share['n']}, {low:.2f} to {high:.2f})"
