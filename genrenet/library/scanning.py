"""Scans: keep a table with the genre of every song of a library up to date.

A scan scores new and changed files, drops deleted ones, and leaves the rest unchanged. Each song's
row is appended to a journal at once, so that an interrupted scan can be resumed; at the end the
journals and the former table are merged to the new one, in one step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from genrenet.data.heard import COVERAGE, Heard
from genrenet.inference.result import SongResult
from genrenet.inference.scorers import SongScorer, scorer_format
from genrenet.library.changes import Counts, Following, ScanError
from genrenet.library.journal import Journal
from genrenet.library.merging import write_table
from genrenet.library.processes import Team
from genrenet.library.scoring import Enough, Progress, Scorer
from genrenet.library.table import About, check_table, count_rows, read_about, table_lock
from genrenet.models.adapters.registry import content_id, is_reference, stored_name
from genrenet.models.checkpoints import find_checkpoint
from genrenet.utils.cache import sha256_of
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.hardware import best_device

if TYPE_CHECKING:
    from genrenet.inference.taxonomy import Taxonomy
    from genrenet.models.model import GenreModel

T = TypeVar("T")


def identity_of(checkpoint: str | os.PathLike[str]) -> str:
    """Return a permanent name of a model: its name and the first digits of its file's SHA-256.

    Examples
    --------
    >>> identity_of("emotify-cnn").split("@")[0]
    'emotify-cnn'
    """
    name = os.fspath(checkpoint)
    if is_reference(name):
        return f"{stored_name(name)}@{content_id(name)[:12]}"
    file = Path(name) if name.endswith(".skops") else find_checkpoint(name)
    return f"{Path(name).name}@{sha256_of(file)[:12]}"


def model_of(table: str | os.PathLike[str]) -> str | None:
    """Return the name of the model of a table, if the same model is still available.

    Raises
    ------
    TableError
        The table is damaged.
    """
    if not Path(table).exists():
        return None
    wanted = read_about(table).checkpoint
    name = wanted.rpartition("@")[0]
    with suppress(GenrenetError):
        return name if identity_of(name) == wanted else None
    return None


@dataclass(frozen=True)
class UnopenedModel:
    """A model that is opened when there are songs to score.

    Attributes
    ----------
    labels : sequence of str
        Its genres.
    open : callable
        Opens it, as `genrenet.inference.classify.open_method` does.
    """

    labels: Sequence[str]
    open: Callable[[], GenreModel | SongScorer]


def unopened(
    checkpoint: str, open: Callable[[], GenreModel | SongScorer]
) -> GenreModel | SongScorer | UnopenedModel:
    """Return a network that ``open`` opens on demand, or a baseline, opened."""
    from genrenet.models.checkpoints.header import read_header

    if scorer_format(checkpoint) or is_reference(checkpoint):
        return open()
    return UnopenedModel(read_header(find_checkpoint(checkpoint))["genrenet"]["labels"], open)


def scorer_of(model: GenreModel | SongScorer, device: str | None = None) -> str:
    """Return the other inputs of scores: device, precision and the version of torch.

    Scores of two of these differ by some hundredths at most (see
    `genrenet.models.optimised.optimised`).
    """
    import torch

    from genrenet.models.folding import HalfPrecision

    minor = ".".join(torch.__version__.split(".")[:2])  # later patches compute the same
    if isinstance(model, SongScorer):
        kind = torch.device(device or best_device()).type
        return f"{kind}, torch {minor}"
    precisions = {torch.float32: "32", torch.bfloat16: "bf16", torch.float16: "16"}
    network = model.network
    dtype = network.dtype if isinstance(network, HalfPrecision) else torch.float32
    return f"{model.device.type}, {precisions[dtype]}, torch {minor}"


def _check_alike(team: Team, how: str) -> None:
    """Raise an error if processes would score the songs of one table differently."""
    found = team.gather(how)
    if len({*found}) > 1:
        said = "; ".join(f"{words} ({found.count(words)})" for words in sorted({*found}))
        raise ScanError(
            "the processes of this scan would give different scores",
            found=said,
            remedy="name --checkpoint, --device and --precision, and install the same torch and "
            "the same files everywhere",
        )


def scan(
    libraries: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    model: GenreModel | SongScorer | UnopenedModel,
    checkpoint: str,
    *,
    trim: float | None = None,
    frames: Heard | None = None,
    device: str | None = None,
    workers: int | None = None,
    restart: bool = False,
    retry: bool = False,
    team: Team | None = None,
    progress: Progress | None = None,
    taxonomy: Taxonomy | None = None,
) -> Counts:
    """Update the table of a library.

    Parameters
    ----------
    libraries : iterable of path
        Folders. Rows of songs outside of them stay in the table.
    out : path
        The table, ``.parquet`` or ``.sqlite``; created if there is none.
    model : GenreModel or SongScorer or UnopenedModel
        From `genrenet.inference.classify.open_method`, or not opened yet.
    checkpoint : str
        Its identity; see `identity_of`.
    trim, frames, device, workers
        See `genrenet.inference.classify.score_songs`.
    restart : bool
        Classify every song again.
    retry : bool
        Score songs with an error again.
    team : Team, optional
        The processes that share the work; all of them must call this function.
    progress : callable, optional
        Called with (songs done by this process, total number for this process).
    taxonomy : Taxonomy, optional
        See `genrenet.inference.classify.score_songs`.

    Returns
    -------
    Counts
        The same in all processes.

    Raises
    ------
    ScanError
        No audio in a library, another running scan of the same table, or a table of another model
        or with other settings.
    TableError
        The table is damaged, or cannot be written.
    KeyboardInterrupt
        The scan was interrupted. A single process has written the table with the finished songs;
        the same call continues, as after any other interruption.
    """
    how = Scan(
        libraries,
        out,
        model,
        checkpoint,
        trim=trim,
        frames=frames,
        device=device,
        workers=workers,
        team=team,
        taxonomy=taxonomy,
    )
    return how.run(restart=restart, retry=retry, progress=progress)


class Scan:
    """Scans of a library into a table; the model stays open between runs.

    Parameters
    ----------
    libraries, out, model, checkpoint, trim, frames, device, workers, team, taxonomy
        See `scan`.
    watching : bool
        Other commands wait for the runs; see `genrenet.library.locking.table_lock`.
    """

    def __init__(
        self,
        libraries: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        model: GenreModel | SongScorer | UnopenedModel,
        checkpoint: str,
        *,
        trim: float | None = None,
        frames: Heard | None = None,
        device: str | None = None,
        workers: int | None = None,
        team: Team | None = None,
        taxonomy: Taxonomy | None = None,
        watching: bool = False,
    ) -> None:
        self.libraries, self.out = [*libraries], Path(out).resolve()
        self.model, self.checkpoint, self.device = model, checkpoint, device
        self.trim, self.frames, self.workers = trim, frames, workers
        self.team, self.taxonomy, self.watching = team or Team(), taxonomy, watching
        self.scored_by = ""
        settings: dict[str, Any] = {"trim": trim, "frames": frames, "coverage": COVERAGE}
        labels = list(model.labels)
        if taxonomy is not None:
            settings["taxonomy"], labels = taxonomy.name, taxonomy.labels(labels)
        self.about = About(labels, checkpoint, settings)

    def score(self, paths: Iterable[str]) -> Iterator[SongResult]:
        """Score songs, in the order in which they are finished."""
        from genrenet.inference.classify import score_songs

        assert not isinstance(self.model, UnopenedModel)
        return score_songs(
            paths,
            self.model,
            checkpoint=self.checkpoint,
            trim=self.trim,
            frames=self.frames,
            device=self.device,
            workers=self.workers,
            ordered=False,
            taxonomy=self.taxonomy,
        )

    def ready(self) -> None:
        """Open the model if needed, and record the other inputs of its scores."""
        if self.scored_by:
            return
        if isinstance(self.model, UnopenedModel):
            self.model = self.model.open()
        self.score(())  # raises an error for numbers out of range before any is written
        scored_by = scorer_of(self.model, self.device)
        _check_alike(self.team, f"{self.checkpoint}, {scored_by}")
        self.scored_by = scored_by

    def run(
        self,
        *,
        restart: bool = False,
        retry: bool = False,
        progress: Progress | None = None,
        only: Collection[str] | None = None,
        write: bool = True,
        enough: Enough | None = None,
    ) -> Counts:
        """Update the table.

        Parameters
        ----------
        restart, retry, progress
            See `scan`.
        only : collection of str, optional
            See `Following`.
        write : bool
            Write the table; otherwise the results stay in the journals, where they are equally
            safe. They also stay there if songs are left and the table would replace another one.
        enough : callable, optional
            See `genrenet.library.scoring.Scorer`.

        Returns
        -------
        Counts
            ``songs``, ``in_error`` and ``scored_by`` only for a table that was written.

        Raises
        ------
        ScanError, TableError, KeyboardInterrupt
            See `scan`.
        """
        team, out, about = self.team, self.out, self.about
        if not isinstance(self.model, UnopenedModel):
            self.ready()
        with ExitStack() as stack:

            def look() -> Following:
                stack.enter_context(self._lock())
                return Following(
                    self.libraries, out, about, restart=restart, retry=retry, only=only
                )

            library = _first(team, look)
            if library.todo:
                self.ready()
            mine = library.todo[team.rank :: team.size]
            counts = Counts()
            if not library.partial or library.news:
                journal = Journal(out, team.rank, about)
                scorer = Scorer(journal, progress, len(mine), self.scored_by, enough)
                counts = scorer.counts
                try:
                    scorer.keep_known(library.known_rows(out))
                    if library.todo:
                        scorer.run(mine, self.score)
                    if library.partial:  # the caller's list of files shows that they have changed
                        counts.left += [path for path, _ in scorer.again]
                    elif scorer.again:
                        scorer.run(scorer.again, self.score, last=True)
                except KeyboardInterrupt:
                    # Half of a new table would be worse than the whole old one.
                    if team.size == 1 and library.fits and not library.restarted and write:
                        write_table(library, out, about)
                    raise
                finally:
                    journal.close()
            parts = team.gather(counts)
            # Half of a new table instead of the whole old one would lose the rest, and corrections.
            half = any(part.left for part in parts) and (library.restarted or not library.fits)
            if half:
                counts.songs = count_rows(out) if out.exists() else 0
            if half or not write:
                return counts
            return _first(team, lambda: write_table(library, out, about, parts))

    def look(self) -> list[str]:
        """Return all files that need work, in the whole libraries.

        Raises
        ------
        ScanError, TableError
            See `scan`.
        """
        with self._lock():
            return Following(self.libraries, self.out, self.about, matched=False).news

    def check(self) -> None:
        """Raise an error for a table that cannot be written.

        Raises
        ------
        ScanError, TableError
            See `scan`.
        """
        check_table(self.out, self.about.labels)
        if not self.out.parent.is_dir():
            raise ScanError(
                f"no folder '{printable(self.out.parent)}' to write into", remedy="create it first"
            )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.check()
        with table_lock(self.out, watching=self.watching):
            yield


def _first(team: Team, work: Callable[[], T]) -> T:
    """Return the result of the first process on all, or raise its error on all."""
    found: tuple[T | None, GenrenetError | None] = (None, None)
    if team.rank == 0:
        try:
            found = (work(), None)
        except GenrenetError as error:
            found = (None, error)
    value, fault = team.share(found)
    if fault is not None:
        raise fault
    return value  # type: ignore[return-value]
