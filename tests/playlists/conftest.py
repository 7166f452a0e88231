"""Songs for playlists."""

import pytest

from genrenet.library.songs import LibrarySongs, scanned_songs
from tests.helpers.music_shelves import make_shelf


@pytest.fixture(scope="session")
def shelf_table(tmp_path_factory):
    """A table of 40 songs each of jazz and blues by five artists; the surest first by name."""
    return make_shelf(tmp_path_factory.mktemp("playlists") / "shelf")


@pytest.fixture(scope="session")
def shelf(shelf_table) -> LibrarySongs:
    return scanned_songs(shelf_table)
