#!/usr/bin/env python3
"""Benchmarks of the package: speed ratios to references measured in the same run.

    python scripts/benchmark.py classify --data ../shared/data/emotify --json classify.json

The exit status tells whether all targets were met. `benchmarking` describes the method.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

BENCHMARKS = {
    "decode": "any file to mono samples",
    "frontend": "the log-mel of a frame",
    "network": "the CNN and the CRNN on a frame",
    "classify": "from files to genres",
    "models": "classification with each model, start-up included",
    "musicnn": "from a file to MusiCNN's tags",
    "features": "34 short-term features and MFCC",
    "neighbours": "KL distances of all pairs of songs",
    "kl-filter": "near songs by the KL distance in a large library, filtered and refined",
    "near-songs": "near songs of a large library",
    "train": "training data from the prepared store, and the time to the first batch",
    "memory": "peak memory against the number and the length of songs",
    "startup": "commands that have little to do, against the import of torch",
    "serve": "many requests to the server at once",
    "page": "the page of a library of 100,000 songs",
    "map": "the map of a library of 100,000 songs",
}

SYNTHETIC = ("frontend", "network", "neighbours", "page", "map", "near-songs")
"""Those that make what they measure on themselves."""


def main() -> int:
    """Run one benchmark, or all of them one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name, summary in BENCHMARKS.items():
        module = import_module(f"benchmark_{name.replace('-', '_')}")
        one = commands.add_parser(name, help=summary, description=module.__doc__)
        module.options(one)
        one.set_defaults(run=module.run)
    every = commands.add_parser("all", help="all of them as they are by default")
    every.add_argument("--data", type=Path, metavar="FOLDER", help="folder of music")
    every.add_argument("--json", type=Path, metavar="FOLDER", help="write the results, a file each")
    every.set_defaults(run=None)
    options: argparse.Namespace = parser.parse_args()
    if options.run is not None:
        return int(options.run(options))
    statuses, data, results = [], options.data, options.json
    for name in BENCHMARKS:
        print(f"== {name}", flush=True)
        arguments = [name]
        if data and name not in SYNTHETIC:
            arguments += ["--data", os.fspath(data)]
        if results:
            results.mkdir(parents=True, exist_ok=True)
            arguments += ["--json", os.fspath(results / f"{name}.json")]
        options = parser.parse_args(arguments)
        statuses.append(int(options.run(options)))
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
