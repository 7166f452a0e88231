"""Recognising audio files by name, single files and in folders."""

from __future__ import annotations

import os
from pathlib import Path

from genrenet import audio
from genrenet.audio.names import find_songs
from tests.helpers.audio_files import KINDS, encode, signal


def test_is_audio_path() -> None:
    for name in ("a.wav", "b/C.MP3", "d.e.FlAc", Path("x.opus"), "caf\udce9.m4a"):
        assert audio.is_audio_path(name), name
    for name in ("a.txt", "mp3", ".mp3", "x.mp3.part", "music/._song.mp3", "a.mid", ""):
        assert not audio.is_audio_path(name), name
    assert {Path(name).suffix for name in KINDS} <= audio.SUFFIXES
    assert all(s == s.lower() and s[0] == "." for s in audio.SUFFIXES)


def test_typescript_is_not_a_transport_stream(tmp_path: Path) -> None:
    (tmp_path / "program.ts").write_text("export const answer: number = 42;\n" * 40)
    (tmp_path / "empty.ts").touch()
    (tmp_path / "G.ts").write_text("Good morning\n")
    assert list(find_songs([tmp_path])) == [str(tmp_path / "G.ts")]  # too short to tell
    encode(tmp_path / "film.ts", signal(1.0, 44_100), 44_100, "aac", container="mpegts")
    assert audio.is_audio_path(tmp_path / "film.ts")
    assert not audio.is_audio_path(tmp_path / "program.ts")
    assert audio.is_audio_path("no-such.ts")


def test_folders_give_audio_files_in_order_and_loops_end(tmp_path: Path) -> None:
    music, other = tmp_path / "music", tmp_path / "other"
    (music / "b").mkdir(parents=True)
    other.mkdir()
    (music / "b" / "loop").symlink_to(music)
    (music / "c").symlink_to(other)
    for name in ("b/2.mp3", "a.ogg", "cover.jpg", ".hidden.mp3", "b/1.MP3", "c/3.flac"):
        (music / name).touch()
    found = [os.path.relpath(path, music) for path in find_songs([music])]
    assert found == ["a.ogg", "b/1.MP3", "b/2.mp3", "c/3.flac"]


def test_paths_that_are_no_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    given = [tmp_path / "notes.txt", "gone.xyz", str(tmp_path / "notes.txt")]
    assert list(find_songs(given)) == [str(given[0]), "gone.xyz", str(given[0])]
    assert list(find_songs([tmp_path])) == []


def test_folders_that_cannot_be_looked_into_are_told(tmp_path: Path) -> None:
    """One is gone between the listing of its parent and its own."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "a.mp3").touch()
    told: list[str] = []
    found = find_songs([tmp_path], unreadable=told)
    assert next(found) == str(tmp_path / "a.mp3")
    (tmp_path / "gone").rmdir()
    assert list(found) == []
    assert told == [str(tmp_path / "gone")]
