"""The genre in one audio file's own tags, read and written with mutagen.

=====================================  =======================================================
kind                                   where the genre is
=====================================  =======================================================
mp3, mp2, wav, aiff, tta, dsf, dff     ID3, ``TCON``
aac (ADTS)                             ID3, ``TCON``, in files that have an ID3 tag
flac, ogg, oga, opus, spx              Vorbis comments, ``GENRE``
m4a, m4b, mp4                          MP4, ``\N{COPYRIGHT SIGN}gen``
ape, mpc, wv, ofr, tak                 APEv2, ``Genre`` (tta too, if that is what it carries)
wma                                    ASF, ``WM/Genre``
=====================================  =======================================================

A file keeps its version of ID3: 2.3 stays 2.3, 2.4 stays 2.4. Version 2.2, which mutagen cannot
write, and files without tags get 2.3, which every player reads. Several genres are separated by a
null character in both: players that know of several read them all, the others read the first. An
ID3v1 tag is never added; in one that is there, nothing but the byte of the genre changes.

A tagger that is stopped while it moves a song's audio within the file leaves a damaged song. So a
copy is changed, beside the file, and put in its place in one step, once it is shown that it holds
the same audio (see `genrenet.library.same_audio`). Links to the file go on pointing at it; further
hard links keep the former content.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import mutagen
from mutagen.apev2 import APETextValue, APEv2, APEv2File
from mutagen.id3 import ID3, TCON, Encoding, ID3FileType
from mutagen.trueaudio import TrueAudio

from genrenet.data.catalog.base import clean
from genrenet.library.other_tags import id3_genres, other_genres
from genrenet.library.same_audio import AudioChangedError, check_same_audio, flush
from genrenet.library.tag_formats import TagFormat, tag_formats
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.file_stamp import FileState

_NUMBERS = {name.casefold(): number for number, name in enumerate(TCON.GENRES)}
_NO_NUMBER = 255


class GenreTagError(GenrenetError):
    """A file whose genre cannot be read or written."""


def read_genre(path: str) -> list[str] | None:
    """Return genres in a file's tags.

    Parameters
    ----------
    path : str
        An audio file.

    Returns
    -------
    list of str or None
        The values as they are stored (so ID3's "(17)" is not made "Rock"), None if there are none.

    Raises
    ------
    GenreTagError
        The file cannot be read, is damaged, or is of a kind whose genre cannot be written.
    """
    with _naming(path, "read"):
        return _genre(_format(path), path)


def has_genre(path: str) -> bool:
    """Return whether a file names a genre in any of its tags, those included that are not written
    to.

    Raises
    ------
    GenreTagError
        See `read_genre`.
    """
    with _naming(path, "read"):
        form = _format(path)
        found = [*(_genre(form, path) or ()), *other_genres(path, form.others)]
        return any(value.strip() for value in found)


def write_genre(path: str, genres: Sequence[str] | None) -> None:
    """Replace the genres in a file's tags; audio and all other tags stay.

    Parameters
    ----------
    path : str
        An audio file.
    genres : sequence of str, or None
        The values; None takes the genre out.

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
        form, was = _format(real), FileState.of(real)
        with replacing(real) as part:
            copy = str(part)
            shutil.copyfile(real, copy)
            _put(form, copy, genres)
            if _genre(form, copy) != (list(genres) if genres else None):
                raise ValueError("tags of this kind cannot hold these genres")
            flush(copy)
            check_same_audio(real, copy, form.container)
            if FileState.of(real) != was:
                raise ValueError("another program has changed it meanwhile")
            _take_over(copy, real)


def _format(path: str) -> TagFormat:
    """Return the tag format of a file."""
    formats = tag_formats()
    # mutagen takes ADTS with an ID3 tag for MP3.
    only = [ID3FileType] if path.lower().endswith((".aac", ".adts")) else None
    file = mutagen.File(path, options=only or list(formats))
    if file is None and only:
        raise ValueError("AAC without a container and without an ID3 tag")
    if file is None:
        raise ValueError("a kind of file whose tags cannot be written")
    found = formats[type(file)]
    if found.file is TrueAudio and file.tags is None and APEv2File(path).tags is not None:
        return replace(found, file=APEv2File, key="Genre", others=id3_genres)
    return found


def _load(form: TagFormat, path: str) -> Any:
    """Return a file with its tags as they are, nothing translated to another version."""
    if form.key != "TCON":
        return form.file(path)
    file = form.file(path, translate=False, load_v1=False)
    if issubclass(form.file, ID3FileType) and "TCON" not in (file.tags or ()):
        # ID3v1 speaks where ID3v2 is silent.
        older: Any = form.file(path, v2_version=3)
        if file.tags is None:
            return older
        if "TCON" in older.tags:
            file.tags.add(older.tags["TCON"])
    return file


def _genre(form: TagFormat, path: str) -> list[str] | None:
    tags = _load(form, path).tags
    if tags is None:
        return None
    if isinstance(tags, ID3):
        return [str(text) for frame in tags.getall("TCON") for text in frame.text] or None
    found = tags.get(form.key) or []
    if isinstance(tags, APEv2) and not isinstance(found, (APETextValue, list)):
        raise ValueError("the genre is no text")
    return [str(value) for value in found] or None


def _put(form: TagFormat, path: str, genres: Sequence[str] | None) -> None:
    file = _load(form, path)
    fresh = file.tags is None
    if fresh:
        file.add_tags()
    options = {}
    if isinstance(file.tags, ID3):
        _put_id3(file.tags, genres)
        three = fresh or file.tags.version < (2, 4)
        options = {"v2_version": 3 if three else 4, "v23_sep": None}
    else:
        if form.key in file.tags:
            del file.tags[form.key]
        if genres:
            file.tags[form.key] = list(genres)
    # mutagen drops the comment of an ID3v1 tag, and one behind APEv2 altogether.
    v1 = _take_id3v1(path) if issubclass(form.file, (ID3FileType, APEv2File)) else b""
    file.save(**options)
    if v1:
        names = TCON(encoding=Encoding.UTF16, text=list(genres or ())).genres
        number = _NUMBERS.get(names[0].casefold(), _NO_NUMBER) if names else _NO_NUMBER
        with open(path, "ab") as held:
            held.write(v1[:-1] + bytes([number]))


def _put_id3(tags: ID3, genres: Sequence[str] | None) -> None:
    tags.delall("TCON")
    if tags.version[:2] == (2, 2):
        if tags.unknown_frames:
            raise ValueError("an ID3 tag of version 2.2 with frames that no later version has")
        tags.update_to_v23()
    if genres:
        # The two codings that both versions know.
        encoding = Encoding.LATIN1 if "".join(genres).isascii() else Encoding.UTF16
        tags.add(TCON(encoding=encoding, text=list(genres)))


def _take_id3v1(path: str) -> bytes:
    """Cut the ID3v1 tag, 128 bytes, off a file's end; b"" if there is none."""
    with open(path, "r+b") as held:
        size = held.seek(0, os.SEEK_END)
        held.seek(max(0, size - 131))
        before, tag = (end := held.read())[:-128], end[-128:]
        # APEv2 ends in a footer that begins with "APETAGEX".
        if len(tag) < 128 or not tag.startswith(b"TAG") or before.endswith(b"APE"):
            return b""
        held.truncate(size - 128)
    return tag


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
            f"'{printable(path)}' is left alone",
            found=str(error),
            remedy="copy its audio into a new file (remux it) and scan that",
        ) from error
    except Exception as error:  # mutagen lets IndexError, struct.error and others through
        raise GenreTagError(
            f"cannot {verb} the genre of '{printable(path)}'",
            found=clean(error) or type(error).__name__,
            remedy="the file is as it was" if verb == "write" else "it is left alone",
        ) from error
