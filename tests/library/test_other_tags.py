"""Genres in tags that are not written to: a file that has one keeps it."""

import struct
from pathlib import Path

import mutagen
import pytest
import soundfile as sf
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TCON, TIT2

from genrenet.library.genre_tags import has_genre, read_genre, write_genre
from genrenet.library.table import About, write_rows
from genrenet.library.tag_plans import Wish
from genrenet.library.tagging import tag_songs
from tests.helpers.audio_files import signal
from tests.helpers.riff_files import chunk, riff
from tests.helpers.scanned_songs import row
from tests.helpers.tagged_files import make


def info(genre: bytes, key: bytes = b"IGNR") -> bytes:
    return chunk(b"LIST", b"INFO" + chunk(b"INAM", b"title\0") + chunk(key, genre))


def ape(path: Path) -> Path:
    make(path.parent, path.name)
    tags = APEv2()
    tags["Genre"] = "Jazz"
    tags.save(path)
    return path


def id3(path: Path, **options: int) -> Path:
    if path.suffix == ".flac":
        sf.write(path, signal(1.0, 44_100), 44_100)
    else:
        make(path.parent, path.name)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="title"))
    tags.add(TCON(encoding=3, text="(8)"))
    tags.save(path, **options)
    if options:  # only what is at the end
        tags = ID3(path)
        tags.delete(path, delete_v1=False)
    return path


def atom(path: Path) -> Path:
    make(path.parent, path.name)
    file = mutagen.File(path)
    file["----:com.apple.iTunes:Genre"] = [b"Jazz"]
    file.save()
    return path


ELSEWHERE = {
    "before.wav": lambda path: riff(path, before=info(b"Jazz\0")),
    "behind.wav": lambda path: riff(path, behind=info(b"Jazz")),
    "cp1252.wav": lambda path: riff(path, before=info(b"Fr\xfcher\0")),
    "lame.mp3": ape,
    "old.mp2": ape,
    "adts.aac": ape,
    "id3.flac": id3,
    "v1.flac": lambda path: id3(path, v1=2),
    "pack.wv": lambda path: id3(path, v1=2),
    "late.m4a": atom,
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_genre_in_another_tag_is_kept(tmp_path, name):
    path = ELSEWHERE[name](tmp_path / name)
    was = path.read_bytes()
    assert read_genre(str(path)) is None
    assert has_genre(str(path))
    table = tmp_path / "library.parquet"
    write_rows(table, [row(path)], About(["rock"], "m"))
    (kept,) = tag_songs(table, Wish(), undo=tmp_path / "undo")
    assert kept.kind == "kept"
    assert path.read_bytes() == was
    (done,) = tag_songs(table, Wish(keep_existing=False), undo=tmp_path / "undo")
    assert (done.kind, read_genre(str(path))) == ("tagged", ["rock"])
    assert was[-100:-1] in path.read_bytes()


@pytest.mark.parametrize(
    "name",
    ["plain.wav", "blank.wav", "title.wav", "broken.wav", "lame.mp3", "free.flac", "late.m4a"],
)
def test_files_without_a_genre_have_none(tmp_path, name):
    lists = {"blank.wav": info(b" \0"), "title.wav": info(b"Jazz\0", b"ICMT")}
    if name == "broken.wav":
        path = riff(tmp_path / name, behind=b"LIST" + struct.pack("<I", 3) + b"INF")
    elif name.endswith("wav"):
        path = riff(tmp_path / name, before=lists.get(name, b""))
    else:
        path = make(tmp_path, name)
    assert not has_genre(str(path))
    if name == "broken.wav":
        return
    write_genre(str(path), ["Rock"])
    assert has_genre(str(path))
    write_genre(str(path), None)
    assert not has_genre(str(path))
