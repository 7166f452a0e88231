"""Songs of two genres, in folders."""

import pytest

from tests.helpers.songs import two_genres


@pytest.fixture
def folder(tmp_path):
    return two_genres(tmp_path / "music")
