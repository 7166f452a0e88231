"""Read and write genre, grouping and style in each kind of tag.

==========  ==============================  =====================  ========================
tags        kinds of file                   genre                  grouping
==========  ==============================  =====================  ========================
ID3         mp3, mp2, wav, aiff, tta, dsf,  ``TCON``               ``GRP1``
            dff, and aac that has it
Vorbis      flac, ogg, oga, opus, spx       ``GENRE``              ``GROUPING``
MP4         m4a, m4b, mp4                   ``\N{COPYRIGHT SIGN}gen``  ``\N{COPYRIGHT SIGN}grp``
APEv2       ape, mpc, wv, ofr, tak, and     ``Genre``              ``Grouping``
            tta that has it
ASF         wma                             ``WM/Genre``           see `genrenet_plugins.tags`
==========  ==============================  =====================  ========================

``TIT1``, in which older programs store the grouping, is the work's title for programs that use
``GRP1`` (iTunes since 12.5.4, TagLib): it is not changed. Style is ``TXXX:STYLE``, ``STYLE``,
``----:com.apple.iTunes:STYLE``, ``Style`` and ``WM/Style``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mutagen
from mutagen.apev2 import APETextValue, APEv2, APEv2File
from mutagen.id3 import GRP1, ID3, TCON, TXXX, Encoding, ID3FileType
from mutagen.mp4 import MP4FreeForm
from mutagen.trueaudio import TrueAudio

from genrenet.library.other_tags import id3_genres
from genrenet.library.tag_formats import APE, TagFormat, tag_formats

GENRE = "genre"
FIELDS = (GENRE, "grouping", "style")
Values = Mapping[str, Sequence[str] | None]

_NUMBERS = {name.casefold(): number for number, name in enumerate(TCON.GENRES)}
_NO_NUMBER = 255
_FRAMES = {"TCON": TCON, "GRP1": GRP1}


def format_of(path: str) -> TagFormat:
    """Return the tag format of a file."""
    formats = tag_formats()
    # mutagen reads ADTS with an ID3 tag as MP3.
    only = [ID3FileType] if path.lower().endswith((".aac", ".adts")) else None
    file = mutagen.File(path, options=only or list(formats))
    if file is None and only:
        raise ValueError("AAC without a container and without an ID3 tag")
    if file is None:
        raise ValueError("a kind of file whose tags cannot be written")
    found = formats[type(file)]
    if found.file is TrueAudio and file.tags is None and APEv2File(path).tags is not None:
        key, grouping, style = APE
        found = replace(found, file=APEv2File, others=id3_genres)
        return replace(found, key=key, grouping=grouping, style=style)
    return found


def load(form: TagFormat, path: str) -> Any:
    """Return a file with its tags as they are, without conversion to another version."""
    if form.key != "TCON":
        return form.file(path)
    file = form.file(path, translate=False, load_v1=False)
    if issubclass(form.file, ID3FileType) and "TCON" not in (file.tags or ()):
        # ID3v1 is used if ID3v2 has no value.
        older: Any = form.file(path, v2_version=3)
        if file.tags is None:
            return older
        if "TCON" in older.tags:
            file.tags.add(older.tags["TCON"])
    return file


def has_field(form: TagFormat, field: str) -> bool:
    """Return whether a kind of tag has a field."""
    return field == GENRE or bool(getattr(form, field))


def _key(form: TagFormat, tags: Any, field: str) -> str:
    """Return the key of a field: an existing key that differs only in case, if there is one."""
    key = str(form.key if field == GENRE else getattr(form, field))
    if ":" not in key:
        return key
    return next((one for one in tags or () if one.casefold() == key.casefold()), key)


def values_of(form: TagFormat, tags: Any, field: str) -> list[str] | None:
    """Return the values of a field as they are stored, None if there are none."""
    if tags is None:
        return None
    key = _key(form, tags, field)
    if isinstance(tags, ID3):
        return [str(text) for frame in tags.getall(key) for text in frame.text] or None
    found = tags.get(key) or []
    if isinstance(tags, APEv2) and not isinstance(found, (APETextValue, list)):
        raise ValueError(f"the {field} is not text")
    return [_text(value) for value in found] or None


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, bytes) else str(value)


def put(form: TagFormat, path: str, values: Values) -> None:
    """Replace fields in a file, in place."""
    file = load(form, path)
    fresh = file.tags is None
    if fresh:
        file.add_tags()
    options = {}
    if isinstance(file.tags, ID3):
        _put_id3(form, file.tags, values)
        three = fresh or file.tags.version < (2, 4)
        options = {"v2_version": 3 if three else 4, "v23_sep": None}
    else:
        for field, texts in values.items():
            key = _key(form, file.tags, field)
            if key in file.tags:
                del file.tags[key]
            if texts:
                freeform = key.startswith("----:")
                file.tags[key] = [MP4FreeForm(t.encode()) if freeform else t for t in texts]
    # mutagen drops the comment of an ID3v1 tag, and a tag after APEv2 completely.
    v1 = _take_id3v1(path) if issubclass(form.file, (ID3FileType, APEv2File)) else b""
    file.save(**options)
    if v1:
        number = _number(values[GENRE] or ()) if GENRE in values else v1[-1]
        with open(path, "ab") as held:
            held.write(v1[:-1] + bytes([number]))


def _number(genres: Sequence[str]) -> int:
    """Return ID3v1's number of the first genre, which may be the first of several in a text."""
    for name in TCON(encoding=Encoding.UTF16, text=list(genres)).genres[:1]:
        for part in (name, name.partition("/")[0]):
            if part.casefold() in _NUMBERS:
                return _NUMBERS[part.casefold()]
    return _NO_NUMBER


def _put_id3(form: TagFormat, tags: ID3, values: Values) -> None:
    if tags.version[:2] == (2, 2):
        if tags.unknown_frames:
            raise ValueError("an ID3 tag of version 2.2 with frames that no later version has")
        tags.update_to_v23()
    for field, texts in values.items():
        key = _key(form, tags, field)
        tags.delall(key)
        if texts:
            # The two encodings of both versions.
            encoding = Encoding.LATIN1 if "".join(texts).isascii() else Encoding.UTF16
            if key.startswith("TXXX:"):
                tags.add(TXXX(encoding=encoding, desc=key.partition(":")[2], text=list(texts)))
            else:
                tags.add(_FRAMES[key](encoding=encoding, text=list(texts)))


def _take_id3v1(path: str) -> bytes:
    """Remove the ID3v1 tag, 128 bytes, from a file's end; return b"" if there is none."""
    with open(path, "r+b") as held:
        size = held.seek(0, os.SEEK_END)
        held.seek(max(0, size - 131))
        before, tag = (end := held.read())[:-128], end[-128:]
        # APEv2 ends in a footer that begins with "APETAGEX".
        if len(tag) < 128 or not tag.startswith(b"TAG") or before.endswith(b"APE"):
            return b""
        held.truncate(size - 128)
    return tag
