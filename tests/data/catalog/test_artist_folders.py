"""Folders of artists where folders of genres are expected."""

import pytest

from genrenet.data.catalog.artist_folders import ArtistFoldersError, check_folders
from genrenet.data.catalog.base import Reading, Song


def reading(songs):
    """Songs of (path below the root, folder, artist)."""
    found = [Song(f"/music/{path}", genre, artist=artist) for path, genre, artist in songs]
    return Reading("folders", "/music", found)


def folders(artists):
    """Three songs in each folder, with the artist that its tags name."""
    return reading([(f"{name}/{n}.mp3", name, artists[name]) for name in artists for n in range(3)])


def test_folders_called_like_their_artists_are_refused():
    found = folders({"Ada": "ada", "Bea Bo": "bea-bo", "Mixed": "Cleo"})
    with pytest.raises(ArtistFoldersError) as caught:
        check_folders(found, {"Jazz": 2, "Rock": 4})
    assert "'/music' are artists, not genres" in str(caught.value)
    assert "2 of 3 folders ('Ada', 'Bea Bo')" in caught.value.found
    assert "genres in the tags: Rock 4, Jazz 2" in caught.value.found
    assert "--labels tags" in caught.value.remedy
    with pytest.raises(ArtistFoldersError, match="genres in the tags: none"):
        check_folders(found, {})


@pytest.mark.parametrize(
    "artists",
    [
        {"Ada": "Ada", "rock": "Bea"},  # one alone, though half of the folders
        {"Ada": "Ada", "Bea": "Bea", "rock": "X", "pop": "Y", "jazz": "Z"},  # less than half
        {"rock": "", "pop": ""},
    ],
)
def test_other_folders_pass(artists):
    found = folders(artists)
    check_folders(found, {})
    assert found.problems == []


def test_most_songs_of_a_folder_decide():
    songs = [(f"{name}/{n}.mp3", name, name if n else "guest") for name in "ab" for n in range(3)]
    with pytest.raises(ArtistFoldersError):
        check_folders(reading(songs), {})


def albums(names, title="0{} - Title.mp3"):
    """Songs without tags in Artist/Album/NN - Title."""
    return reading(
        [(f"{name}/Album/{title.format(n)}", name, "") for name in names for n in range(1, 4)]
    )


def test_untagged_songs_laid_out_as_albums_are_reported():
    found = albums(["Ada", "Bea", "Cleo"])
    check_folders(found, {})
    (problem,) = found.problems
    assert (problem.kind, problem.path) == ("artist-folders", "/music")


@pytest.mark.parametrize(
    "found",
    [
        albums(["Ada", "Bea"]),  # too few to tell
        albums(["Ada", "Bea", "Hip-Hop"]),  # a genre's name
        albums(["Ada", "Bea", "Cleo"], "Title {}.mp3"),  # no numbers of tracks
    ],
)
def test_layouts_that_may_well_be_genres_are_not(found):
    check_folders(found, {})
    assert found.problems == []
