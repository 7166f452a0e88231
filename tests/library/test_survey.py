"""Surveys of music folders."""

import shutil

import pytest
import soundfile

from genrenet.library.genre_tags import write_genre
from genrenet.library.survey import SurveyError, survey
from tests.helpers.tones import RATE, tone


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Twelve songs of a second in two formats, with and without a genre."""
    folder = tmp_path_factory.mktemp("songs")
    for number in range(12):
        suffix = "flac" if number % 3 else "mp3"
        file = folder / f"{number:02}.{suffix}"
        soundfile.write(file, tone(200 + 40 * number, 1.0, seed=number), RATE)
        if number < 8:
            write_genre(str(file), ["Other" if number < 2 else "Jazz"])
    return folder


def test_what_is_there(songs):
    found = survey(songs)
    assert (found.songs, found.sampled, found.complete) == (12, 12, True)
    assert found.formats == {"flac": 8, "mp3": 4}
    assert (found.with_genre, found.placeholders, found.genres) == (6, 2, {"Jazz": 6})
    assert found.hours == pytest.approx(12 / 3600, rel=0.1)
    assert (found.layout, found.writable) == ("one folder", True)


@pytest.mark.parametrize(
    ("place", "layout"),
    [
        ("Jazz", "one folder a genre"),
        ("Miles/Kind", "folders"),
        ("Some Artist/Album", "Artist/Album"),
    ],
)
def test_layouts(place, layout, songs, tmp_path):
    from mutagen.flac import FLAC

    folder = tmp_path / place
    folder.mkdir(parents=True)
    for song in songs.glob("*.flac"):
        copy = FLAC(shutil.copy(song, folder))
        copy["artist"] = "some artist"
        copy.save()
    assert survey(tmp_path).layout == layout


def test_only_so_much_is_looked_at(songs):
    found = survey(songs, sample=5)
    assert (found.songs, found.sampled) == (12, 5)
    done = []
    found = survey(songs, seconds=1e-9, progress=lambda *far: done.append(far))
    assert (found.songs, found.sampled, found.complete) == (1, 1, False)
    assert done == [(1, 1)]


def test_damaged_files_and_closed_folders_are_no_hindrance(songs, tmp_path):
    shutil.copytree(songs, tmp_path / "m")
    (tmp_path / "m" / "bad.mp3").write_text("no music")
    (tmp_path / "m" / "00.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f")
    found = survey(tmp_path / "m")
    assert (found.songs, found.sampled) == (13, 13)


def test_what_cannot_be_looked_at(tmp_path):
    with pytest.raises(SurveyError, match="found nothing there, wanted a folder of music"):
        survey(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(SurveyError, match="found a file"):
        survey(tmp_path / "file")
    with pytest.raises(SurveyError, match="no music in"):
        survey(tmp_path)
