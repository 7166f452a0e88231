"""Genre, grouping and style in one audio file's own tags, read and written with mutagen.

Where each kind of file has them is in `genrenet.library.tag_values`.

A file keeps its version of ID3: 2.3 stays 2.3, 2.4 stays 2.4. Version 2.2, which mutagen cannot
write, and files without tags get 2.3, which every player reads. Several values are a list: in ID3
with null characters between them, in others as the key or box repeats. In version 2.3, which knows
of no lists, several genres of ours are one text with slashes (see `Held.stored`); what is there is
read and put back as it is. An ID3v1 tag is never added; in one that is there, nothing but the byte
of the genre changes.

A tagger that is stopped while it moves a song's audio within the file leaves a damaged song. So a
copy is changed, beside the file, and put in its place in one step, once it is shown that it holds
the same audio (see `genrenet.library.same_audio`). Links to the file go on pointing at it; further
hard links keep the former content.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from genrenet.data.catalog.base import clean
from genrenet.library.other_tags import other_genres
from genrenet.library.same_audio import AudioChangedError, check_same_audio, flush
from genrenet.library.tag_values import (
    FIELDS,
    GENRE,
    Values,
    format_of,
    has_field,
    load,
    put,
    values_of,
)
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileState


class GenreTagError(GenrenetError):
    """A file whose genre cannot be read or written."""


@dataclass(frozen=True)
class Held:
    """What is in a file's tags.

    Attributes
    ----------
    values : dict of str to list of str or None
        By field, as they are stored (so ID3's "(17)" is not made "Rock"), None if there are none.
        Fields that this kind of tag does not have are not here.
    others : list of str
        Genres in those of its tags that are not written to.
    slashed : bool
        Whether several values are to be one text, with slashes.
    """

    values: dict[str, list[str] | None]
    others: list[str]
    slashed: bool

    def stored(self, values: Sequence[str]) -> list[str]:
        """Return values in the form in which the file holds them."""
        return ["/".join(values)] if self.slashed and values else list(values)


def read_fields(path: str, fields: Iterable[str] = FIELDS) -> Held:
    """Return what is in a file's tags.

    Parameters
    ----------
    path : str
        An audio file.
    fields : iterable of str
        Of `genrenet.library.tag_values.FIELDS`.

    Raises
    ------
    GenreTagError
        The file cannot be read, is damaged, or is of a kind whose genre cannot be written.
    """
    with _naming(path, "read"):
        form = format_of(path)
        tags = load(form, path).tags
        found = {field: values_of(form, tags, field) for field in fields if has_field(form, field)}
        slashed = form.key == "TCON" and (tags is None or tags.version < (2, 4))
        return Held(found, other_genres(path, form.others), slashed)


def read_genre(path: str) -> list[str] | None:
    """Return the genres in a file's tags, as they are stored; None if there are none.

    Raises
    ------
    GenreTagError
        See `read_fields`.
    """
    return read_fields(path, (GENRE,)).values[GENRE]


def has_genre(path: str) -> bool:
    """Return whether a file names a genre in any of its tags, those included that are not written
    to.

    Raises
    ------
    GenreTagError
        See `read_fields`.
    """
    held = read_fields(path, (GENRE,))
    return any(value.strip() for value in [*(held.values[GENRE] or ()), *held.others])


def write_genre(path: str, genres: Sequence[str] | None) -> None:
    """Replace the genres in a file's tags; see `write_fields`."""
    write_fields(path, {GENRE: genres})


def write_fields(path: str, values: Values) -> None:
    """Replace fields in a file's tags; audio and all other tags stay.

    Parameters
    ----------
    path : str
        An audio file.
    values : mapping of str to sequence of str, or None
        By field of `genrenet.library.tag_values.FIELDS`, as they are to be stored; None takes the
        field out.

    Raises
    ------
    GenreTagError
        The file cannot be written, or its audio would not stay the same; it is as it was.
    """
    real = os.path.realpath(path)
    with _naming(path, "write"):
        if not os.access(real, os.W_OK):
            # Replacing a file asks nobody but its folder; who protects a file means it.
            raise PermissionError("the file is write-protected")
        if not os.access(os.path.dirname(real), os.W_OK):
            raise PermissionError("its folder is write-protected")
        form, was = format_of(real), FileState.of(real)
        with replacing(real) as part:
            copy = str(part)
            shutil.copyfile(real, copy)
            put(form, copy, values)
            tags = load(form, copy).tags
            if any(
                values_of(form, tags, one) != (list(v) if v else None) for one, v in values.items()
            ):
                raise ValueError("tags of this kind cannot hold these genres")
            flush(copy)
            check_same_audio(real, copy, form.container)
            if FileState.of(real) != was:
                raise ValueError("another program has changed it in the meantime")
            _take_over(copy, real)


def _take_over(copy: str, real: str) -> None:
    """Give a file's owner, rights and attributes to its copy."""
    was = os.stat(real)
    with suppress(PermissionError):  # only root gives files away; the group may still be kept
        os.chown(copy, -1, was.st_gid)
        os.chown(copy, was.st_uid, -1)
    shutil.copystat(real, copy)
    os.utime(copy)  # the file has changed: backups and players go by its time


@contextmanager
def _naming(path: str, verb: str) -> Iterator[None]:
    """Turn whatever goes wrong with a file into an error that names it."""
    try:
        yield
    except AudioChangedError as error:
        raise GenreTagError(
            f"'{printable(path)}' is not changed",
            found=str(error),
            remedy="copy its audio into a new file (remux it), and scan that file",
        ) from error
    except Exception as error:  # mutagen lets IndexError, struct.error and others through
        raise GenreTagError(
            f"cannot {verb} the genre of '{printable(path)}'",
            found=clean(error) or type(error).__name__,
            remedy="the file is as it was" if verb == "write" else "it is left alone",
        ) from error
