"""Score the songs of a scan: every row is appended to the journal at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from genrenet.inference.result import SongResult, named
from genrenet.library.changes import UNKNOWN, Counts, seen, tags_of
from genrenet.library.journal import Journal
from genrenet.library.table import SCORE, Row
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileStamp, content_sample

SHOWN = 20
"""Maximum number of errors that are reported individually."""

Progress = Callable[[int, int], None]
Enough = Callable[[], bool]


class Scorer:
    """Scores this process's share, and appends every row to the journal.

    Parameters
    ----------
    journal : Journal
    progress : callable, optional
        Called with (songs done, ``total``).
    total : int
    scored_by : str
        See `genrenet.library.scanning.scorer_of`.
    enough : callable, optional
        Called before each song; when it returns True, the others are left for later.

    Attributes
    ----------
    counts : Counts
    again : list of (str, bool)
        Songs that changed while they were scored.
    """

    def __init__(
        self,
        journal: Journal,
        progress: Progress | None,
        total: int,
        scored_by: str,
        enough: Enough | None = None,
    ) -> None:
        self.journal, self.progress, self.total = journal, progress, total
        self.counts, self.done, self.scored_by = Counts(), 0, scored_by
        self.again: list[tuple[str, bool]] = []
        self.enough = enough or (lambda: False)

    def keep_known(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Append rows that need no scoring; see `Following.known_rows`."""
        for kind, row in rows:
            self.journal.add(row)
            self.counts.moved += kind == "moved"
            self.counts.gone += kind == "gone"

    def run(
        self,
        todo: Iterable[tuple[str, bool]],
        score: Callable[[Iterable[str]], Iterator[SongResult]],
        *,
        last: bool = False,
    ) -> None:
        """Score songs; those that change meanwhile are added to ``again`` before the last pass."""
        under_way: dict[str, tuple[FileStamp, Future[tuple[str | None, Row]], bool]] = {}
        # In parallel to decoding: a few distant reads of a file cost a slow drive as many seeks.
        pool = ThreadPoolExecutor(2, "samples")

        def paths() -> Iterator[str]:
            for path, known in todo:
                if self.counts.left or self.enough():
                    self.counts.left.append(path)
                    continue
                found = seen(path)
                if found is None:
                    self._gone(path)
                elif found == UNKNOWN:
                    self._step()  # its row in the table is kept
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
                    # Of a file that is still being written only the earlier state is recorded: the
                    # next scan will find it changed.
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
    """Return the table's row of a song."""
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
