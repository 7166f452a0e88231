"""``genrenet scan``: a table with the genre of every song of a library, kept up to date."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from genrenet.cli.configured import unless_configured
from genrenet.cli.parsing import CommandParser, add_engine_options, chosen_taxonomy, count
from genrenet.cli.telling import fact, next_step, plural, say, shares, warn
from genrenet.cli.watching import add_watch_options, watch
from genrenet.utils.errors import printable

if TYPE_CHECKING:
    from genrenet.inference.scorers import SongScorer
    from genrenet.library.changes import Counts
    from genrenet.library.processes import Team
    from genrenet.library.scanning import UnopenedModel
    from genrenet.models.model import GenreModel

EXAMPLES = """examples:
  genrenet scan ~/Music --out genres.parquet
  genrenet scan ~/Music /mnt/more --out genres.sqlite --frames 3
  genrenet scan ~/Music --out genres.parquet --watch --nice 19 --pause battery,load
  genrenet scan /data/music --out genres.parquet --processes 4
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \\
    -m genrenet scan /shared/music --out /shared/genres.parquet
  srun --nodes 2 --ntasks-per-node 8 genrenet scan /shared/music --out /shared/genres.parquet

The same command again classifies only new and changed songs, removes deleted ones, and resumes
after an interruption: finished songs are saved in 'OUT.parts' until the table is written.

With --watch it keeps running: songs that are added, changed, moved or deleted are updated in the
table a few seconds later, until Ctrl-C or SIGTERM stops it. Folders on network drives are checked
every minute.

exit code: 0 every song has a genre (with --watch: stopped by Ctrl-C or SIGTERM), 1 some could not
be read (see the column 'error'), 2 the command could not be carried out, 130 interrupted
"""


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet scan", "Classify a whole library, and keep a table of its genres.", EXAMPLES
    )
    parser.add_argument("libraries", nargs="+", metavar="LIBRARY", help="music folders")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="table to write: .parquet or .sqlite"
    )
    parser.add_argument(
        "--checkpoint",
        help="as for 'genrenet classify' (default: that of an existing table, or that of 'genrenet "
        "classify')",
    )
    add_engine_options(parser)
    parser.add_argument(
        "--processes", type=count, default=1, help="processes on each machine (default: 1)"
    )
    parser.add_argument("--nodes", type=count, default=1, help="number of machines (default: 1)")
    parser.add_argument("--retry", action="store_true", help="also try songs that had an error")
    parser.add_argument("--restart", action="store_true", help="classify every song again")
    add_watch_options(parser)
    return parser


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet scan``; see `genrenet.cli.main`."""
    parser = make_parser(command)
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
        parser.error("--watch works with one process only; --workers sets its number of cores")
    name = options.checkpoint
    if not name:
        former = None if options.restart else model_of(options.out)
        # The first process chooses: other machines may have imported other published models.
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
            return watch(how, options, lambda counts: _tell(counts, options.out))
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
                warn(f"{done[0]} of {done[1]} songs are done; the same command resumes the scan")
            raise
    leave_siblings()
    # The exit code is the first process's; Lightning treats another's as a crash.
    return _tell(counts, options.out) if team.rank == 0 else 0


def _model(
    name: str, device: str | None, options: argparse.Namespace
) -> GenreModel | SongScorer | UnopenedModel:
    """Return a network that is opened on demand, or a baseline."""
    from genrenet.library.scanning import unopened
    from genrenet.utils.progress import working

    def opened() -> GenreModel | SongScorer:
        with working(f"loading {name}"):
            from genrenet.inference.classify import open_method

            return open_method(name, device, options.precision, compiled=options.compile)

    # A restart discards earlier results, so check first that the model can be opened.
    return opened() if options.restart else unopened(name, opened)


def _team(options: argparse.Namespace) -> tuple[Team, int | None]:
    """Return the processes of this scan, and how many cores each may use."""
    from genrenet.library.processes import LightningTeam, Team, launched
    from genrenet.utils.hardware import cores

    found = launched()
    processes, nodes = found or (options.processes, options.nodes)
    if processes * nodes == 1:
        return Team(), options.workers
    # `torchrun` passes the number of siblings to `cores`; the others do not.
    share = cores() if found else max(1, cores() // processes)
    return LightningTeam(processes, nodes), options.workers or share


def _tell(counts: Counts, out: str) -> int:
    warn(*counts.errors)
    if counts.failed > len(counts.errors):
        warn(f"and {counts.failed - len(counts.errors)} more: see the column 'error'")
    warn(*(f"cannot read the folder '{printable(folder)}'" for folder in counts.unreadable))
    moved = f"{counts.moved:,} moved, " if counts.moved else ""
    say(
        f"{plural(counts.songs, 'song')} in {printable(out)}: {counts.new:,} new, "
        f"{counts.changed:,} changed, {moved}{counts.gone:,} deleted, {counts.same:,} unchanged; "
        f"{counts.failed:,} could not be read",
        f"genres: {shares(counts.genres) or 'none'}; {counts.unsure:,} unsure",
    )
    if len(counts.scored_by) > 1 and counts.new + counts.changed:
        said = ", ".join(f"{by or 'unknown'}: {n}" for by, n in sorted(counts.scored_by.items()))
        say(
            f"songs were scored in different ways, so scores may differ by some hundredths (column "
            f"'scored_by'; {said}); --restart scores all songs again"
        )
    if former := counts.in_error - counts.failed:
        say(f"{former} more could not be read in earlier scans: --retry tries them again")
    fact(table=printable(os.path.abspath(out)), **asdict(counts))
    if counts.genres:
        next_step("tag", *unless_configured("table", out), why="shows which tags would be written")
    return 1 if counts.in_error or counts.unreadable else 0
