"""Recommenders fitted on real listening histories."""

import warnings

import pytest

from genrenet.recommend import read_history, recommenders
from genrenet.recommend.splitting import hold_out
from tests.helpers.listeners import LISTENERS


@pytest.fixture(scope="module")
def split(shared_data):
    plays = read_history(shared_data / "lastfm" / "user_artistsload.dat").plays
    return hold_out(plays, 0.2, 0)


@pytest.fixture(scope="module")
def fitted(split):
    """All recommenders that learn from listeners, fitted on real listening."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {name: recommenders()[name].make(0).fit(split.training) for name in LISTENERS}
