"""``genrenet baseline``: train a classical method on a collection, for ``classify``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genrenet.cli.parsing import (
    CommandParser,
    add_collection_options,
    add_multi_label_option,
    add_trust_option,
    setting,
)
from genrenet.cli.telling import fact, next_step, plural, say
from genrenet.utils.errors import GenrenetError, printable

EXAMPLES = """examples:
  genrenet baseline svm ~/Music --out svm.skops
  genrenet baseline svm ~/Music --features musicnn-msd --set C=10 --set threshold=0.5 --out svm.skops
  genrenet classify song.mp3 --checkpoint svm.skops

The method is trained on all songs. To measure its accuracy, use 'genrenet evaluate'.

exit code: 0 success, 1 some songs could not be read, 2 the command could not be carried out
"""  # noqa: E501


class BaselineCommandError(GenrenetError):
    """An invalid request to fit a baseline."""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet baseline", "Train a classical method, and save it to a file.", EXAMPLES
    )
    parser.add_argument("name", metavar="NAME", help="a baseline: see 'genrenet plugins'")
    parser.add_argument("data", metavar="DATA", help="a collection of songs")
    parser.add_argument("--out", metavar="FILE", required=True, help="file to write: .skops")
    parser.add_argument("--features", metavar="NAMES", help="features instead of the default ones")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter"
    )
    parser.add_argument(
        "--settings", metavar="FILE", help="YAML file of hyperparameters, such as that of 'tune'"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    add_collection_options(parser)
    add_trust_option(parser)
    add_multi_label_option(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet baseline``; see `genrenet.cli.main`."""
    parser = make_parser(command)
    options = parser.parse_args(arguments)
    out = Path(options.out)
    if out.suffix != ".skops" or not out.resolve().parent.is_dir():
        raise BaselineCommandError(
            f"--out '{printable(out)}'", wanted="a .skops file in a folder that exists"
        )
    settings = dict(setting(text) for text in options.set)
    if options.settings:
        settings = {**_from_file(options), **settings}
    import numpy as np

    from genrenet.baselines import baseline, fit_baseline
    from genrenet.baselines.fitting import fit_multi_label
    from genrenet.baselines.song_features import current_features, song_features
    from genrenet.data.catalog import read_catalog
    from genrenet.data.catalog.several_genres import multi_hot
    from genrenet.data.splits import song_groups
    from genrenet.utils.progress import progress_bar

    method = baseline(options.name)
    method.make(options.seed, **settings)
    features = current_features(options.features or method.features)
    several = options.multi_label or None
    catalog = read_catalog(options.data, labels=options.labels, multi_label=several)
    table = catalog.table
    with progress_bar(f"features {features}") as show:
        found = song_features(list(table["path"]), features, progress=show)
    if found.kind != method.kind:
        raise BaselineCommandError(
            f"the baseline '{method.name}' does not accept the features '{features}'",
            found=found.kind,
            wanted=method.kind,
        )
    usable = found.usable
    learnt_from = table[usable]
    groups = None
    if catalog.artists_known or "song" in table:
        groups = song_groups(learnt_from)
    how: dict[str, Any] = {"groups": groups, "features": features, "settings": settings}
    rows, genres = found.rows[usable], list(learnt_from["genre"])
    if catalog.multi_label:
        labels = catalog.genres
        fitted = fit_multi_label(
            method,
            rows,
            multi_hot(learnt_from["genres"], labels),
            labels=labels,
            strata=genres,
            validation=np.zeros(len(rows), bool),
            seed=options.seed,
            **how,
        )
    else:
        fitted = fit_baseline(method, rows, genres, seed=options.seed, **how)
    fitted.about = {"dataset": catalog.name, "songs": int(usable.sum()), "seed": options.seed}
    say(*catalog.notes)
    for problem in [*catalog.problems, *found.errors.values()]:
        say(f"left out: {problem}")
    chosen = ", ".join(f"{key} {value}" for key, value in fitted.settings.items()) or "none"
    written = printable(fitted.save(out))
    say(f"{method.name} on {features}, settings: {chosen}")
    say(f"trained on {plural(int(usable.sum()), 'song')}: {written}")
    fact(method=method.name, features=features, settings=fitted.settings, **fitted.about)
    fact(left_out=len(catalog.problems) + len(found.errors), out=written)
    next_step("classify", printable(learnt_from["path"].iloc[0]), "--checkpoint", written)
    return 1 if catalog.problems or found.errors else 0


def _from_file(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a file; its features set the option, unless that is given."""
    from genrenet.baselines.settings import read_settings

    found = read_settings(options.settings)
    name, _, features = found[0].partition("@") if found else ("", "", "")
    if found is None or name != options.name:
        raise BaselineCommandError(
            f"'{printable(options.settings)}' does not hold settings of '{options.name}'",
            found=f"those of '{name}'" if found else "no YAML with 'baseline: NAME'",
            wanted=f"baseline: {options.name}, and settings: {{NAME: VALUE}}",
        )
    options.features = options.features or features
    return found[1]
