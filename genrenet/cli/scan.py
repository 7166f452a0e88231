"""``genrenet scan``: a table with the genre of every song of a library, kept up to date."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from genrenet.cli.parsing import CommandParser, add_engine_options, chosen_taxonomy, count
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    from genrenet.inference.scorers import SongScorer
    from genrenet.library.changes import Counts
    from genrenet.library.processes import Team
    from genrenet.library.scanning import Scan, UnopenedModel
    from genrenet.models.model import GenreModel

EXAMPLES = """examples:
  genrenet scan ~/Music --out genres.parquet
  genrenet scan ~/Music /mnt/more --out genres.sqlite --frames 3
  genrenet scan ~/Music --out genres.parquet --watch --nice 19 --pause battery,load
  genrenet scan /data/music --out genres.parquet --processes 4
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \\
    -m genrenet scan /shared/music --out /shared/genres.parquet
  srun --nodes 2 --ntasks-per-node 8 genrenet scan /shared/music --out /shared/genres.parquet

The same command again scores only what is new or has changed, drops what is gone, and goes on
after any interruption: what is done is kept in 'OUT.parts' until the table is written.

With --watch it goes on for good: songs that come, change, move or go are in the table some seconds
later, until Ctrl-C or SIGTERM ends it. Folders on network drives are looked through every minute.

exit code: 0 every song has a genre (with --watch: ended by Ctrl-C or SIGTERM), 1 some could not be
read (see the column 'error'), 2 the request cannot be carried out, 130 interrupted
"""


def _parser() -> CommandParser:
    parser = CommandParser(
        "genrenet scan", "Keep a table of the genres of a whole library.", EXAMPLES
    )
    parser.add_argument("libraries", nargs="+", metavar="LIBRARY", help="folders of music")
    parser.add_argument("--out", required=True, metavar="FILE", help=".parquet or .sqlite")
    parser.add_argument(
        "--checkpoint",
        help="as for 'genrenet classify' (default: the"
        " one that an existing table was made with, or genres)",
    )
    add_engine_options(parser)
    parser.add_argument("--processes", type=count, default=1, help="on each machine (default: 1)")
    parser.add_argument("--nodes", type=count, default=1, help="machines (default: 1)")
    parser.add_argument("--retry", action="store_true", help="also songs that had an error")
    parser.add_argument("--restart", action="store_true", help="score every song again")
    add = parser.add_argument
    add("--watch", action="store_true", help="go on for good: follow the folders as they change")
    add(
        "--poll",
        type=_poll_seconds,
        metavar="SECONDS",
        help="with --watch: look through the folders so often, instead of asking the system what "
        "changes (default: only those on network drives, every 60)",
    )
    add(
        "--pause",
        type=_pauses,
        default=(),
        metavar="WHEN",
        help="with --watch: score nothing on battery, while other programs are busy, or both: "
        "battery, load or battery,load",
    )
    add(
        "--nice",
        type=_niceness,
        metavar="N",
        help="let other programs go first, from 0 to 19; from 10 on at the disk too",
    )
    return parser


def _poll_seconds(text: str) -> float:
    number = float(text)
    if not 1 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, wanted 1 or more")
    return number


def _niceness(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 19:
        raise argparse.ArgumentTypeError(f"found {text}, wanted 0 to 19")
    return number


def _pauses(text: str) -> tuple[str, ...]:
    from genrenet.utils.politeness import PAUSES

    found = tuple(word.strip() for word in text.split(","))
    if odd := [word for word in found if word not in PAUSES]:
        raise argparse.ArgumentTypeError(f"found '{odd[0]}', wanted {' or '.join(PAUSES)}")
    return found


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet scan``; see `genrenet.cli.main`."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.pause or options.poll) and not options.watch:
        parser.error("--pause and --poll go with --watch")
    if options.nice is not None:
        from genrenet.utils.politeness import be_nice

        be_nice(options.nice)
    from genrenet.library.processes import own_device
    from genrenet.library.scanning import Scan, identity_of, model_of
    from genrenet.models.checkpoints import default_checkpoint
    from genrenet.models.checkpoints.licences import require_commercial
    from genrenet.utils.hardware import keep_freed_memory, leave_siblings, stoppable
    from genrenet.utils.progress import progress_bar

    keep_freed_memory()
    team, workers = _team(options)
    if options.watch and team.size > 1:
        parser.error("--watch is for one process: its --workers are the cores it may use")
    name = options.checkpoint
    if not name:
        former = None if options.restart else model_of(options.out)
        # The first process chooses: other machines may have other published models.
        name = team.share(former or (default_checkpoint() if team.rank == 0 else ""))
    if options.commercial:
        require_commercial(name)
    device = own_device(team, options.device)
    how = Scan(
        options.libraries,
        options.out,
        _model(name, device, options),
        identity_of(name),
        trim=options.trim,
        frames=options.frames,
        device=device,
        workers=workers,
        team=team,
        taxonomy=chosen_taxonomy(options),
        watching=options.watch,
    )
    if options.watch:
        with stoppable():
            return _watch(how, options)
    done = (0, 0)

    with stoppable(), progress_bar("scanning") as show:

        def follow(*far: int) -> None:
            nonlocal done
            done = (far[0], far[1])
            if team.rank == 0:
                show(*done)

        try:
            counts = how.run(restart=options.restart, retry=options.retry, progress=follow)
        except KeyboardInterrupt:
            team.end()
            if team.rank == 0:
                print(
                    f"genrenet scan: {done[0]} of {done[1]} songs are done; the same command goes "
                    "on from there",
                    file=sys.stderr,
                )
            raise
    leave_siblings()
    # The first process answers for all; Lightning takes another's exit code for a crash.
    return _tell(counts, options.out) if team.rank == 0 else 0


def _model(
    name: str, device: str | None, options: argparse.Namespace
) -> GenreModel | SongScorer | UnopenedModel:
    """Return a network that is opened when there is work for it, or a baseline."""
    from genrenet.inference.scorers import scorer_format
    from genrenet.library.scanning import UnopenedModel
    from genrenet.models.checkpoints import find_checkpoint
    from genrenet.models.checkpoints.header import read_header

    def opened() -> GenreModel | SongScorer:
        from genrenet.inference.classify import open_method

        return open_method(name, device, options.precision, compiled=options.compile)

    # A restart forgets what was done: what cannot be opened is to be known before.
    if options.restart or scorer_format(name):
        return opened()
    return UnopenedModel(read_header(find_checkpoint(name))["genrenet"]["labels"], opened)


def _team(options: argparse.Namespace) -> tuple[Team, int | None]:
    """Return the processes of this scan, and how many cores each may use."""
    from genrenet.library.processes import LightningTeam, Team, launched
    from genrenet.utils.hardware import cores

    found = launched()
    processes, nodes = found or (options.processes, options.nodes)
    if processes * nodes == 1:
        return Team(), options.workers
    # `torchrun` tells `cores` of the siblings; the others do not.
    share = cores() if found else max(1, cores() // processes)
    return LightningTeam(processes, nodes), options.workers or share


def _watch(how: Scan, options: argparse.Namespace) -> int:
    """Follow the libraries until somebody ends it."""
    from genrenet.library.watching import Watcher
    from genrenet.utils.politeness import Pauses
    from genrenet.utils.progress import progress_bar

    first = True

    def tell(counts: Counts) -> None:
        nonlocal first
        if first:
            _tell(counts, options.out)
            print("watching for changes (Ctrl-C ends it)", flush=True)
        else:
            _tell_update(counts)
        first = bool(first and counts.left)

    def say(line: str) -> None:
        print(f"genrenet scan: {line}", file=sys.stderr, flush=True)

    pauses = Pauses(options.pause)
    with (
        suppress(KeyboardInterrupt),
        Watcher(how, tell, say, poll=options.poll, pauses=pauses) as watcher,
    ):
        with progress_bar("scanning") as show:
            watcher.begin(restart=options.restart, retry=options.retry, progress=show)
        watcher.follow()
    return 0


def _tell_update(counts: Counts) -> None:
    for error in counts.errors:
        print(f"genrenet scan: {error}", file=sys.stderr)
    numbers = {name: getattr(counts, name) for name in ("new", "changed", "moved", "gone")}
    said = ", ".join(f"{number} {name}" for name, number in numbers.items() if number)
    clock = time.strftime("%H:%M:%S ") if sys.stdout.isatty() else ""  # logs have their own
    print(f"{clock}{said}", flush=True)


def _tell(counts: Counts, out: str) -> int:
    for error in counts.errors:
        print(f"genrenet scan: {error}", file=sys.stderr)
    if counts.failed > len(counts.errors):
        print(
            f"and {counts.failed - len(counts.errors)} more: see the column 'error'",
            file=sys.stderr,
        )
    for folder in counts.unreadable:
        print(f"genrenet scan: cannot look into '{printable(folder)}'", file=sys.stderr)
    moved = f"{counts.moved} moved, " if counts.moved else ""
    print(
        f"{counts.songs} songs in {printable(out)}: {counts.new} new, {counts.changed} changed, "
        f"{moved}{counts.gone} gone, {counts.same} as they were; {counts.failed} could not be read"
    )
    if len(counts.scored_by) > 1 and counts.new + counts.changed:
        said = ", ".join(f"{by or 'unknown'}: {n}" for by, n in sorted(counts.scored_by.items()))
        print(
            f"not all were scored alike, so scores may differ by some hundredths (column "
            f"'scored_by'; {said}); --restart scores all again"
        )
    if former := counts.in_error - counts.failed:
        print(f"{former} more could not be read before: --retry tries them again")
    return 1 if counts.in_error or counts.unreadable else 0
