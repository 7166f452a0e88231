"""A synthetic corpus: creation, resuming, errors, and several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC

from genrenet.data.synthesis import (
    GENRES,
    SynthesisError,
    default_corpus,
    synthesise_corpus,
    synthesise_song,
)

SMALL = {"genres": GENRES[:3], "artists": 2, "songs": 2, "seconds": 0.5, "sample_rate": 8000}


def songs_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.flac"))


def test_a_corpus_is_tagged_flac_by_genre_and_artist(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = synthesise_corpus(
        tmp_path / "new" / "corpus",
        **SMALL,
        progress=lambda done, total: seen.append((done, total)),
    )
    songs = songs_in(folder)
    assert folder == tmp_path / "new" / "corpus"
    assert seen == [(i, 12) for i in range(1, 13)]
    assert len(songs) == 12
    assert sorted(path.name for path in folder.iterdir()) == sorted([*GENRES[:3], ".corpus.json"])

    genres_of: dict[str, set[str]] = {}
    lengths = set()
    for path in songs:
        tags = FLAC(path)
        (artist,), (title,), (album,) = tags["artist"], tags["title"], tags["album"]
        assert path.name == f"{artist} - {title}.flac"
        assert artist in album
        genres_of.setdefault(artist, set()).add(path.parent.name)
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")
        assert 0.475 <= info.duration <= 0.525
        lengths.add(info.frames)
    assert len(genres_of) == 6
    assert all(len(genres) == 1 for genres in genres_of.values())
    assert len(lengths) > 6


def test_a_corpus_holds_the_songs_of_synthesise_song(tmp_path: Path) -> None:
    folder = synthesise_corpus(tmp_path, genres=["waltz"], artists=1, songs=1, seconds=2.0)
    (path,) = songs_in(folder)
    stored, rate = soundfile.read(path, dtype="float32")
    expected = synthesise_song("waltz", GENRES.index("waltz"), 0, stored.size / rate)
    assert np.abs(stored - expected).max() <= 1.01 / 2**15


def test_artists_have_distinct_names(tmp_path: Path) -> None:
    folder = synthesise_corpus(
        tmp_path, genres=["folk"], artists=60, songs=1, seconds=0.1, sample_rate=8000
    )
    assert len({path.name.split(" - ")[0].casefold() for path in songs_in(folder)}) == 60


def test_a_removed_song_is_made_again_and_the_others_are_kept(tmp_path: Path) -> None:
    synthesise_corpus(tmp_path, **SMALL)
    removed, *others = songs_in(tmp_path)
    content = removed.read_bytes()
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in others]
    removed.unlink()
    synthesise_corpus(tmp_path, **SMALL)
    assert removed.read_bytes() == content
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in others] == before


def test_an_interrupted_corpus_is_finished_by_the_next_call(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise_corpus(tmp_path / "a", **SMALL, progress=stop)
    assert len(songs_in(tmp_path / "a")) == 5
    synthesise_corpus(tmp_path / "a", **SMALL)
    synthesise_corpus(tmp_path / "b", **SMALL)
    one, other = songs_in(tmp_path / "a"), songs_in(tmp_path / "b")
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not list((tmp_path / "a").rglob("*.part"))


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    synthesise_corpus(tmp_path, **SMALL)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SynthesisError, match='"seed": 0') as error:
        synthesise_corpus(tmp_path, **SMALL, seed=1)
    assert '"seed": 1' in error.value.wanted
    assert error.value.remedy
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SynthesisError, match=r"found thesis\.txt, wanted"):
        synthesise_corpus(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SynthesisError, match="cannot write"):
        synthesise_corpus(tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    "wrong",
    [{"genres": ["polka"]}, {"genres": []}, {"artists": 0}, {"songs": 0}, {"seconds": -1.0}],
)
def test_bad_settings_leave_no_folder(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(SynthesisError):
        synthesise_corpus(tmp_path / "new", **{**SMALL, **wrong})
    assert not (tmp_path / "new").exists()


CHILD = """
from genrenet.data.synthesis import default_corpus
print("ready", flush=True)
print(default_corpus(artists=1, songs=1, seconds=0.5), flush=True)
"""


def child(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "GENRENET_CACHE": str(cache)}
    command = [sys.executable, "-c", CHILD]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_every_size_has_its_folder_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    one = default_corpus(artists=1, songs=1, seconds=0.2)
    two = default_corpus(artists=1, songs=2, seconds=0.2)
    assert one.parent == two.parent == tmp_path
    assert (len(songs_in(one)), len(songs_in(two))) == (8, 16)
    assert default_corpus(artists=1, songs=1, seconds=0.2) == one


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "file"))
    with pytest.raises(SynthesisError, match="cannot write"):
        default_corpus(artists=1, songs=1, seconds=0.2)


def test_two_processes_can_ask_at_once(tmp_path: Path) -> None:
    children = [child(tmp_path), child(tmp_path)]
    answers = {process.communicate(timeout=120)[0].split("ready\n")[1] for process in children}
    assert [process.returncode for process in children] == [0, 0]
    (folder,) = answers
    songs = songs_in(Path(folder.strip()))
    assert len(songs) == len(GENRES)
    assert all(soundfile.read(path)[0].size > 10_000 for path in songs)
    assert not list(tmp_path.rglob("*.part"))


def test_a_process_waits_while_another_makes_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    folder = default_corpus(artists=1, songs=1, seconds=0.5)
    missing = songs_in(folder)[0]
    missing.unlink()
    with filelock.FileLock(f"{folder}.lock"):
        process = child(tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        assert not missing.exists()
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert missing.exists()
