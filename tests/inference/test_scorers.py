"""Model files that plugins open."""

from pathlib import Path

import pytest

from genrenet.inference.result import SongResult
from genrenet.inference.scorers import ScorerFormat, SongScorer, scorer_format
from genrenet.plugins.manager import contributions


class Constant(SongScorer):
    """Always the same genre."""

    def __init__(self):
        self.labels = ["rock"]

    def score_songs(self, paths, checkpoint="", device=None):
        for path in paths:
            yield SongResult(path, checkpoint, genre="rock", confidence=1.0)


@pytest.mark.parametrize("path", ["model", "model.ckpt", "model.unknown", ".ckpt", "", "a.skops/b"])
def test_files_that_no_plugin_reads(path):
    assert scorer_format(path) is None


def test_formats_are_found_by_their_suffix():
    formats = contributions("register_scorers")
    assert formats
    for suffix, added in formats.items():
        assert suffix.startswith(".")
        assert added.item.name == suffix
        assert added.item.summary
        assert scorer_format(f"folder.x/model{suffix}") is added.item
        assert scorer_format(Path(f"model{suffix}")) is added.item


def test_a_scorer_must_score():
    with pytest.raises(TypeError, match="score_songs"):
        SongScorer()
    scorer = ScorerFormat(".constant", "one genre", lambda path: Constant()).open("x.constant")
    results = scorer.score_songs(iter(["a", "b"]), "x")
    assert [(result.path, result.checkpoint, result.genre) for result in results] == [
        ("a", "x", "rock"),
        ("b", "x", "rock"),
    ]
