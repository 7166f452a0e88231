"""Genre, grouping and style in one audio file's own tags, read and written with mutagen.

The location of the fields in each kind of file is in `genrenet.library.tag_values`.

A file keeps its version of ID3: 2.3 stays 2.3, 2.4 stays 2.4. Version 2.2, which mutagen cannot
write, and files without tags get 2.3, which every player reads. Several values are a list: in ID3
with null characters between them, in others as repeated keys or boxes. In version 2.3, which has no
lists, several genres written by this package are one text with slashes (see `Held.stored`);
existing values are read and restored unchanged. An ID3v1 tag is never added; in an existing one,
only the byte of the genre changes.

A tagger that is interrupted while it moves a song's audio within the file leaves a damaged song. So
a copy next to the file is changed, and replaces the file in one step, once its audio has been
verified to be the same (see `genrenet.library.same_audio`). Symbolic links to the file stay valid;
further hard links keep the former content.
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
    """The content of a file's tags.

    Attributes
    ----------
    values : dict of str to list of str or None
        By field, as they are stored (so ID3's "(17)" is not converted to "Rock"), None if there are
        none. Fields that this kind of tag does not have are missing.
    others : list of str
        Genres in those of its tags that are not written to.
    slashed : bool
        Whether several values are to be joined to one text, with slashes.
    """

    values: dict[str, list[str] | None]
    others: list[str]
    slashed: bool

    def stored(self, values: Sequence[str]) -> list[str]:
        """Return values in the form in which the file stores them."""
        return ["/".join(values)] if self.slashed and values else list(values)


def read_fields(path: str, fields: Iterable[str] = FIELDS) -> Held:
    """Return the content of a file's tags.

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
    """Return whether a file has a genre in any of its tags, including those that are not written
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
        By field of `genrenet.library.tag_values.FIELDS`, as they are to be stored; None removes the
        field.

    Raises
    ------
    GenreTagError
        The file cannot be written, or its audio would change; it is unchanged.
    """
    real = os.path.realpath(path)
    with _naming(path, "write"):
        if not os.access(real, os.W_OK):
            # Replacing a file only needs write access to its folder, so write protection is checked
            # here.
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
    """Copy a file's owner, permissions and attributes to its copy."""
    was = os.stat(real)
    with suppress(PermissionError):  # only root can change owners; the group may still be kept
        os.chown(copy, -1, was.st_gid)
        os.chown(copy, was.st_uid, -1)
    shutil.copystat(real, copy)
    os.utime(copy)  # the file has changed: backups and players compare the time


@contextmanager
def _naming(path: str, verb: str) -> Iterator[None]:
    """Convert any error of a file to one that names it."""
    try:
        yield
    except AudioChangedError as error:
        raise GenreTagError(
            f"'{printable(path)}' is not changed",
            found=str(error),
            remedy="copy its audio into a new file (remux it), and scan that file",
        ) from error
    except Exception as error:  # mutagen does not catch IndexError, struct.error and others
        raise GenreTagError(
            f"cannot {verb} the genre of '{printable(path)}'",
            found=clean(error) or type(error).__name__,
            remedy="the file is as it was" if verb == "write" else "it is left alone",
        ) from error
