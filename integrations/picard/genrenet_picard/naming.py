"""What both versions of the plugin do with Picard's files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Semaphore
from typing import Any

from .client import Settings, genres_of

TITLE = "Genres by genrenet"
OPTIONS = (
    ("url", "Server", Settings().url),
    ("token", "Token", Settings().token),
    ("count", "Most genres of a file", str(Settings().count)),
    ("min_confidence", "Least confidence (0 to 1)", str(Settings().min_confidence)),
    ("replace", "Replace genres that files have", Settings().replace),
    ("title_case", "Names in Title Case", Settings().title_case),
)
"""Name, label and default of each option."""

_NO_GENRE = {"", "unknown", "other", "misc", "miscellaneous", "none", "undefined", "n/a"}
_at_once = Semaphore(2)  # the server works on several songs at once; more would only wait there


def settings_from(read: Callable[[str], Any]) -> Settings:
    """Return the settings; numbers that are none, or out of range, are the default's."""
    usual = Settings()

    def number(name: str, kind: Callable[[str], Any], low: float, high: float) -> Any:
        try:
            found = kind(str(read(name)))
        except ValueError:
            return getattr(usual, name)
        return found if low <= found <= high else getattr(usual, name)

    return Settings(
        url=str(read("url")).strip() or usual.url,
        token=str(read("token")).strip(),
        count=number("count", int, 1, 20),
        min_confidence=number("min_confidence", float, 0, 1),
        replace=bool(read("replace")),
        title_case=bool(read("title_case")),
    )


def is_named(genres: Sequence[str]) -> bool:
    """Return whether a file has a genre that is more than a place-holder."""
    return any(genre.strip().casefold() not in _NO_GENRE for genre in genres)


def name_files(
    files: Iterable[Any],
    settings: Settings,
    run_task: Callable[..., Any],
    warn: Callable[[str], Any],
) -> int:
    """Ask for the genres of files, each in a thread of Picard's, and put them into their tags.

    Parameters
    ----------
    files : iterable
        Picard's.
    settings : Settings
    run_task : callable
        Picard's own: a function for the thread, and one that gets its ``result`` or ``error``.
    warn : callable
        Takes a text.

    Returns
    -------
    int
        Number of files that are asked about.
    """
    count = 0
    for file in files:
        if settings.replace or not is_named(file.metadata.getall("genre")):
            file.set_pending()
            run_task(partial(_ask, file.filename, settings), partial(_done, file, warn))
            count += 1
    return count


def _ask(path: str, settings: Settings) -> list[str]:
    with _at_once:
        return genres_of(path, settings)


def _done(
    file: Any, warn: Callable[[str], Any], result: Any = None, error: Exception | None = None
) -> None:
    file.clear_pending()
    if error is not None:
        warn(str(error))
    elif result:
        file.metadata["genre"] = result
        file.update()
