"""Tag formats: every kind of file is recognised by its content, not its name."""

import shutil

import pytest

from genrenet.library.genre_tags import GenreTagError, read_genre
from genrenet.library.tag_formats import tag_formats
from genrenet.library.tag_values import format_of
from tests.helpers.tagged_files import make

NAMES = {
    "16.wav": "wav",
    "apple.aiff": "aiff",
    "free.flac": "flac",
    "xiph.ogg": "ogg",
    "xiph.opus": "opus",
    "lame.mp3": "mp3",
    "late.m4a": "m4a",
    "windows.wma": "wma",
    "pack.wv": "wv",
    "true.tta": "tta",
}


@pytest.mark.parametrize("file", NAMES)
def test_files_are_recognised_by_their_content(tmp_path, file):
    made = make(tmp_path, file)
    assert format_of(str(made)).name == NAMES[file]
    plain = shutil.copy(made, tmp_path / "plain")
    assert format_of(str(plain)).name == NAMES[file]


def test_no_two_formats_share_a_class_or_a_name():
    formats = tag_formats()
    assert len({each.name for each in formats.values()}) == len(formats) == 19
    assert all(each.file is file for file, each in formats.items())


def test_what_no_format_recognises_is_named(tmp_path):
    (tmp_path / "song.mp5").write_bytes(b"no such thing" * 50)
    with pytest.raises(GenreTagError, match=r"song\.mp5.*a kind of file whose tags cannot"):
        read_genre(str(tmp_path / "song.mp5"))
