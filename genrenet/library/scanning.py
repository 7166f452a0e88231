"""Scans: a table with the genre of every song of a library, which follows the files.

A scan scores what is new or has changed, drops what is gone, and leaves the rest as it is. Each
song's row goes into a journal as soon as there is one, so that a killed scan goes on where it was;
at the end the journals and the former table become the new one, in one step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from genrenet.data.heard import COVERAGE, Heard
from genrenet.inference.result import SongResult, named
from genrenet.inference.scorers import SongScorer
from genrenet.library.changes import UNKNOWN, Counts, Following, ScanError, seen, tags_of
from genrenet.library.journal import Journal
from genrenet.library.processes import Team
from genrenet.library.table import SCORE, About, Row, check_table, read_about, table_lock
from genrenet.models.checkpoints import find_checkpoint
from genrenet.utils.cache import sha256_of
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileStamp, content_sample
from genrenet.utils.hardware import best_device

if TYPE_CHECKING:
    from genrenet.inference.taxonomy import Taxonomy
    from genrenet.models.model import GenreModel

SHOWN = 20
"""Errors that are told one by one."""

Progress = Callable[[int, int], None]
T = TypeVar("T")


def identity_of(checkpoint: str | os.PathLike[str]) -> str:
    """Return what names a model for good: its name and the first digits of its file's SHA-256.

    Examples
    --------
    >>> identity_of("emotify-cnn").split("@")[0]
    'emotify-cnn'
    """
    name = os.fspath(checkpoint)
    file = Path(name) if name.endswith(".skops") else find_checkpoint(name)
    return f"{Path(name).name}@{sha256_of(file)[:12]}"


def model_of(table: str | os.PathLike[str]) -> str | None:
    """Return the name of the model that a table was made with, where the same is still there.

    Raises
    ------
    TableError
        There is a table, and it is damaged.
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


def scorer_of(model: GenreModel | SongScorer, device: str | None = None) -> str:
    """Return what scores depend on beside the model: device, precision and the version of torch.

    Scores of two such differ by some hundredths at most (see
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
    """Refuse processes that would score the songs of one table differently."""
    found = team.gather(how)
    if len({*found}) > 1:
        said = "; ".join(f"{words} ({found.count(words)})" for words in sorted({*found}))
        raise ScanError(
            "the processes of this scan would not score alike",
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
    """Bring the table of a library up to date.

    Parameters
    ----------
    libraries : iterable of path
        Folders. Rows of songs elsewhere stay in the table.
    out : path
        The table, ``.parquet`` or ``.sqlite``; made if there is none.
    model : GenreModel or SongScorer or UnopenedModel
        As `genrenet.inference.classify.open_method` gives it, or not opened yet.
    checkpoint : str
        Its identity; see `identity_of`.
    trim, frames, device, workers
        See `genrenet.inference.classify.score_songs`.
    restart : bool
        Score every song again.
    retry : bool
        Score songs again that had an error.
    team : Team, optional
        The processes that share the work; all of them call this function.
    progress : callable, optional
        Called with the number of songs this process has done and those it has to do.
    taxonomy : Taxonomy, optional
        See `genrenet.inference.classify.score_songs`.

    Returns
    -------
    Counts
        The same in all processes.

    Raises
    ------
    ScanError
        No audio in a library, another scan at work on the same table, or a table made by another
        model or with other settings.
    TableError
        The table is damaged, or cannot be written.
    KeyboardInterrupt
        The scan was interrupted. A single process has written the table with what is done; the
        same call goes on from there, as it does after any other end.
    """
    team = team or Team()
    out = Path(out).resolve()
    settings: dict[str, Any] = {"trim": trim, "frames": frames, "coverage": COVERAGE}
    labels = list(model.labels)
    if taxonomy is not None:
        settings["taxonomy"], labels = taxonomy.name, taxonomy.labels(labels)
    about = About(labels, checkpoint, settings)

    def score(paths: Iterable[str]) -> Iterator[SongResult]:
        from genrenet.inference.classify import score_songs

        assert not isinstance(model, UnopenedModel)
        return score_songs(
            paths,
            model,
            checkpoint=checkpoint,
            trim=trim,
            frames=frames,
            device=device,
            workers=workers,
            ordered=False,
            taxonomy=taxonomy,
        )

    def ready() -> str:
        """Open the model where it is not, and say what its scores depend on."""
        nonlocal model
        if isinstance(model, UnopenedModel):
            model = model.open()
        score(())  # refuses numbers out of range before any of them is written
        scored_by = scorer_of(model, device)
        _check_alike(team, f"{checkpoint}, {scored_by}")
        return scored_by

    scored_by = "" if isinstance(model, UnopenedModel) else ready()
    with ExitStack() as stack:

        def look() -> Following:
            check_table(out, about.labels)
            if not out.parent.is_dir():
                raise ScanError(
                    f"no folder '{printable(out.parent)}' to write into", remedy="make it first"
                )
            stack.enter_context(table_lock(out))
            return Following(libraries, out, about, restart=restart, retry=retry)

        library = _first(team, look)
        if library.todo and not scored_by:
            scored_by = ready()
        mine = library.todo[team.rank :: team.size]
        journal = Journal(out, team.rank, about)
        scorer = _Scorer(journal, progress, len(mine), scored_by)

        try:
            if library.todo:
                scorer.run(mine, score)
                scorer.run(scorer.again, score, last=True)
        except KeyboardInterrupt:
            # In the place of a whole table, half of a new one would be the worse of the two.
            if team.size == 1 and library.fits and not library.restarted:
                library.finish(out, about)
            raise
        finally:
            journal.close()
        parts = team.gather(scorer.counts)
        return _first(team, lambda: library.finish(out, about, parts))


def _first(team: Team, work: Callable[[], T]) -> T:
    """Return what the first process finds for all, or the error that all of them raise."""
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


class _Scorer:
    """Scores this process's share, and keeps every row."""

    def __init__(
        self, journal: Journal, progress: Progress | None, total: int, scored_by: str
    ) -> None:
        self.journal, self.progress, self.total = journal, progress, total
        self.counts, self.done, self.scored_by = Counts(), 0, scored_by
        self.again: list[tuple[str, bool]] = []

    def run(
        self,
        todo: Iterable[tuple[str, bool]],
        score: Callable[[Iterable[str]], Iterator[SongResult]],
        *,
        last: bool = False,
    ) -> None:
        """Score songs; those that change meanwhile come into ``again``, unless it is the last."""
        under_way: dict[str, tuple[FileStamp, Future[tuple[str | None, Row]], bool]] = {}
        # Beside the decoding: a few far places of a file cost a slow drive as many seeks.
        pool = ThreadPoolExecutor(2, "samples")

        def paths() -> Iterator[str]:
            for path, known in todo:
                found = seen(path)
                if found is None:
                    self._gone(path)
                elif found == UNKNOWN:
                    self._step()  # what the table has of it stays
                else:
                    under_way[path] = found, pool.submit(_sample_and_tags, path), known
                    yield path

        try:
            for result in score(paths()):
                path = result.path
                was, looked, known = under_way.pop(path)
                sample, tags = looked.result()
                was, now = was._replace(sample=sample), seen(path)
                if now is None:
                    self._gone(path)
                elif was.is_still(now, path):
                    self._keep(result, was, tags, known)
                elif not last:
                    self.again.append((path, known))
                else:
                    # Of a file that is still being written only what it was is kept: the next scan
                    # will see that it has changed.
                    self._keep(result, was._replace(sample=None), tags, known)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _keep(self, result: SongResult, was: FileStamp, tags: Row, known: bool) -> None:
        self.journal.add({**_row(result), **tags, **was._asdict(), "scored_by": self.scored_by})
        self.counts.changed += known
        self.counts.new += not known
        if result.error is not None:
            self.counts.failed += 1
            if self.counts.failed <= SHOWN:
                self.counts.errors.append(result.error)
        self._step()

    def _gone(self, path: str) -> None:
        self.journal.add({"path": printable(path), "size": -1, "mtime": -1, "gone": True})
        self._step()

    def _step(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _sample_and_tags(path: str) -> tuple[str | None, Row]:
    try:
        return content_sample(path), tags_of(path)
    except OSError:
        return None, tags_of(path)


def _row(result: SongResult) -> Row:
    """Return what the table says of a song."""
    scored = result.genre is not None
    return {
        "path": printable(result.path),
        "genre": result.genre,
        "confidence": result.confidence if scored else None,
        "genres": named(result.genres) if scored else None,
        "subgenres": named(result.subgenres) if scored else None,
        "unsure": int(result.unsure) if scored else None,
        "frames": result.frames,
        "duration": result.duration,
        "checkpoint": result.checkpoint,
        "error": result.error,
        "notes": "; ".join(result.notes) or None,
        **{SCORE + label: value for label, value in result.scores.items()},
    }
