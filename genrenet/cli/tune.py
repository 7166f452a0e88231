"""``genrenet tune``: search for a model's hyperparameters, and test them on other songs."""

from __future__ import annotations

from collections.abc import Sequence

from genrenet.cli.parsing import CommandParser, add_collection_options, count
from genrenet.cli.telling import fact, next_step, plural, say
from genrenet.utils.errors import GenrenetError, printable

EXAMPLES = """examples:
  genrenet tune ~/Music --model svm --out runs/svm
  genrenet tune ~/Music --model svm@musicnn-msd --space ranges.yaml --trials 50 --outer 5
  genrenet tune ~/Music --config mine.yaml --space ranges.yaml --max-steps 300
  genrenet evaluate ~/Music --models config:runs/svm/best.yaml,knn

ranges.yaml has a line for each hyperparameter of a baseline, or option of 'genrenet fit':
  C: {low: 0.1, high: 100, log: true}
  data.batch_size: [16, 32]

The search uses only the training set of an outer fold; the accuracy is measured on the test set of
that fold. The same command resumes an interrupted search.

exit code: 0 success, 2 the command could not be carried out
"""


class TuneError(GenrenetError):
    """An invalid request to tune."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser("genrenet tune", "Search for the hyperparameters of a model.", EXAMPLES)
    parser.add_argument("data", metavar="DATA", help="collection of songs, or table of features")
    parser.add_argument(
        "--model", metavar="NAME", help="a model, as in --models of 'genrenet evaluate'"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="a network's configuration, instead of --model"
    )
    parser.add_argument(
        "--space",
        metavar="FILE",
        help="YAML file with the search space (default: the baseline's own)",
    )
    parser.add_argument(
        "--trials", type=count, default=30, metavar="N", help="number of trials (default: 30)"
    )
    parser.add_argument(
        "--inner", type=count, default=3, metavar="N", help="number of inner folds (default: 3)"
    )
    parser.add_argument("--protocol", default="artist-5fold", help="default: artist-5fold")
    parser.add_argument(
        "--outer",
        type=count,
        default=1,
        metavar="N",
        help="number of outer folds, each with its own search (default: 1)",
    )
    parser.add_argument(
        "--jobs", type=count, default=1, metavar="N", help="outer folds in parallel (default: 1)"
    )
    parser.add_argument("--segments", default="auto", metavar="auto|off|COLUMN")
    add_collection_options(parser)
    parser.add_argument(
        "--out", default="runs/tune", metavar="DIR", help="folder of the run (default: runs/tune)"
    )
    parser.add_argument("--max-steps", type=count, metavar="N", help="training steps of networks")
    parser.add_argument(
        "--fit-option",
        action="append",
        default=[],
        metavar="--GROUP.OPTION=X",
        help="option of 'genrenet fit' for networks; can be repeated",
    )
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet tune``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    if (options.model is None) == (options.config is None):
        raise TuneError("no model to tune", wanted="one of --model NAME and --config FILE")
    if options.inner < 2:
        raise TuneError("--inner", found="1", wanted="at least 2 inner folds")
    from genrenet.evaluation.search_space import read_space
    from genrenet.evaluation.tuned_run import tune
    from genrenet.utils.hardware import stoppable
    from genrenet.utils.progress import working

    steps = [] if options.max_steps is None else [f"--trainer.max_steps={options.max_steps}"]
    with stoppable(), working("searching"):
        found = tune(
            options.data,
            options.model or f"config:{options.config}",
            space=read_space(options.space) if options.space else None,
            trials=options.trials,
            inner=options.inner,
            protocol=options.protocol,
            outer=options.outer,
            out=options.out,
            segments=options.segments,
            labels=options.labels,
            fit_options=[*steps, *options.fit_option],
            jobs=options.jobs,
            tell=say,
        )
    (row,) = found.results["models"]
    low, high = row["ci95"]
    shown = ", ".join(f"{name} {value}" for name, value in found.best.items())
    folds = plural(options.outer, "outer fold")
    say(
        f"best settings: {shown}",
        f"accuracy {row['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f}, n = {row['n']}; "
        f"{options.protocol}, {folds}), on songs that the search has not used",
        f"report: {printable(found.page)}",
    )
    fact(best=found.best, file=printable(found.file), report=printable(found.page))
    fact(results=found.results)
    next_step("evaluate", options.data, "--models", f"config:{printable(found.file)}")
    return 0
