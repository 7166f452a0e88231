"""A corpus on disk: names, tags, and files that are written atomically."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import filelock
import numpy as np
import soundfile
from mutagen import MutagenError, flac

from genrenet.data.synthesis.playing import synthesise_song
from genrenet.data.synthesis.styles import GENRES, LEAST, SynthesisError, check
from genrenet.utils.atomic import replacing
from genrenet.utils.cache import cache_root
from genrenet.utils.errors import printable

Progress = Callable[[int, int], None] | None
_VERSION = 2  # increment when a song would sound different: caches are then rebuilt
_MARKER = ".corpus.json"
_DURATIONS = 1001  # used in a random seed in the position of a genre's index


def _names(artist: int, song: int, seed: int) -> tuple[str, str]:
    """Return an artist's name and a song's title; an odd factor gives 2**24 artists different
    names.
    """
    syllables = "badefogijakolemunoparisatuvowiza"
    number = ((artist + 1) * 10_368_889 + seed * 7919) % 2**24
    name = "".join(syllables[2 * int(d, 16) :][:2] for d in f"{number:06x}")
    hue = ("Silver", "Quiet", "Golden", "Northern", "Paper")[(number + song) % 5]
    thing = ("River", "Street", "Morning", "Engine", "Letter")[(number // 5 + song * 2) % 5]
    return f"{name[:6]} {name[6:]}".title(), f"{hue} {thing} No. {song + 1}"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Make a folder and write a file of it with `replacing`; errors name the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            yield part
    except (OSError, soundfile.SoundFileError, MutagenError) as error:
        what, remedy = (
            f"cannot write {printable(path)}",
            "choose a place with free space that can be written",
        )
        raise SynthesisError(what, found=str(error), remedy=remedy) from error


def synthesise_corpus(
    folder: str | os.PathLike[str],
    *,
    genres: Sequence[str] = GENRES,
    artists: int = 6,
    songs: int = 3,
    seconds: float = 32.0,
    sample_rate: int = 22_050,
    seed: int = 0,
    progress: Progress = None,
) -> Path:
    """Write a corpus of tagged 16-bit FLAC files, ``<genre>/<artist> - <title>.flac``.

    Called again after an interruption, it continues where it stopped: a file gets its name only
    when it is complete, and is then kept.

    Parameters
    ----------
    folder : path
        Target folder; made if missing. It must be empty (except hidden files) or hold this very
        corpus.
    genres : sequence of str
        Some of `GENRES`. A song does not depend on which other songs are made.
    artists, songs : int >= 1 [scalar]
        Artists per genre, none of whom works in two, and songs per artist.
    seconds : float >= 0.1 [scalar]
        Mean duration; songs differ from it by up to 5 %.
    sample_rate, seed
        As in `synthesise_song`.
    progress : callable, optional
        Called as ``progress(done, total)`` after every song.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SynthesisError
        If a setting is out of range, or the folder holds something else or cannot be written.
    """
    numbers = {"artists": artists, "songs": songs, "seconds": float(seconds)}
    numbers |= {"sample_rate": sample_rate, "seed": seed}
    check(genres or [""], **numbers)
    chosen = [genre for genre in GENRES if genre in genres]
    settings, folder = json.dumps({"version": _VERSION, "genres": chosen, **numbers}), Path(folder)
    with _whole(folder / _MARKER) as part:
        found = ", ".join(printable(name) for name in os.listdir(folder) if name[0] != ".")
        if _MARKER in os.listdir(folder):
            found = (folder / _MARKER).read_text("utf-8", "replace")
        if not found:
            part.write_text(settings, "utf-8")
        elif found != settings:
            what, wanted = f"cannot put a corpus in {printable(folder)}", f"nothing or {settings}"
            remedy = "name another folder or delete this one"
            raise SynthesisError(what, found=found[:200], wanted=wanted, remedy=remedy)
    # An artist's number names its genre as well, so no two genres share an artist.
    numbered = [GENRES.index(genre) + len(GENRES) * a for genre in chosen for a in range(artists)]
    plan = [(artist, song) for artist in numbered for song in range(songs)]
    for done, (artist, song) in enumerate(plan, start=1):
        genre, (name, title) = GENRES[artist % len(GENRES)], _names(artist, song, seed)
        path = folder / genre / f"{name} - {title}.flac"
        if not path.exists():
            stretch = np.random.default_rng([seed, _DURATIONS, artist, song]).uniform(0.95, 1.05)
            length = max(seconds * stretch, LEAST["seconds"])
            sound = synthesise_song(genre, artist, song, length, sample_rate, seed)
            with _whole(path) as part:
                soundfile.write(part, sound, sample_rate, "PCM_16", format="FLAC")
                tags = flac.FLAC(part)
                tags.update({"artist": name, "album": f"This Is {name}", "title": title})
                tags.save()
        if progress is not None:
            progress(done, len(plan))
    return folder


def default_corpus(
    artists: int = 6, songs: int = 3, seconds: float = 32.0, progress: Progress = None
) -> Path:
    """Return the corpus in the user's cache, making missing parts of it.

    The cache is the platform's own for "genrenet", or the folder that the environment variable
    ``GENRENET_CACHE`` names. A lock lets several processes ask at once: one makes, the others wait.

    Parameters
    ----------
    artists, songs, seconds, progress
        As in `synthesise_corpus`; every size has a folder of its own.

    Returns
    -------
    Path
        The corpus's folder: one folder of songs per genre.

    Raises
    ------
    SynthesisError
        If a size is out of range or the cache cannot be written.
    """
    name = f"synthetic-v{_VERSION}-{artists}x{songs}x{float(seconds)}s"
    folder = cache_root() / name
    with _whole(folder):  # for its errors: acquiring writes the lock's file
        lock = filelock.FileLock(folder.with_name(f"{name}.lock")).acquire()
    with lock:
        return synthesise_corpus(
            folder, artists=artists, songs=songs, seconds=seconds, progress=progress
        )
