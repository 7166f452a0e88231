"""Genres in other taxonomies: renamed, merged, and invalid tables."""

import csv
from importlib import resources

import pytest

import genrenet
from genrenet.inference.answers import AnswerRule
from genrenet.inference.result import SongResult
from genrenet.inference.taxonomy import BUILT_IN, TaxonomyError, taxonomy
from genrenet.models.checkpoints import read_checkpoint, shipped_checkpoints
from genrenet.models.checkpoints.audioset import audioset_genres


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("genre,name\nBass,low\nmiddle,loud > mid\ntreble,loud\n", "utf-8")
    return file


def test_scores_that_share_one_are_added_up(own):
    found = taxonomy(own).group({"bass": 0.5, "middle": 0.3, "treble": 0.2})
    assert found == {"low": 0.5, "mid": 0.3, "loud": 0.5}


def test_a_genre_comes_before_all_that_lies_under_it():
    found = taxonomy("discogs").group({"country": 0.7, "metal": 0.2, "rock": 0.1})
    assert list(found) == ["Folk, World, & Country", "Country", "Rock", "Heavy Metal"]
    assert AnswerRule(0.25, 0.4).answer(found).genre == "Folk, World, & Country"


def test_of_a_taggers_scores_the_highest_counts(own):
    found = taxonomy(own).group({"bass": 0.5, "middle": 0.8, "treble": 0.6, "other": 0.9})
    assert found == {"low": 0.5, "mid": 0.8, "loud": 0.8, "other": 0.9}


def test_results_and_their_timelines_are_renamed(own):
    scores = {"bass": 0.2, "middle": 0.7, "treble": 0.1}
    result = SongResult("a.mp3", "m", timeline=[{"genre": "bass", "scores": dict(scores)}])
    result.decide(scores, AnswerRule(0.25, 0.4))
    taxonomy(own).apply(result, AnswerRule(0.25, 0.4))
    assert (result.genre, result.genres, result.subgenres) == ("loud", {"loud": 0.8}, {"mid": 0.7})
    # A frame's genre is decided as the song's is: what lies under it counts for it.
    assert result.timeline == [{"genre": "loud", "scores": {"low": 0.2, "mid": 0.7, "loud": 0.8}}]


def test_no_sum_is_above_one(own):
    found = taxonomy(own).group({"middle": 0.333334, "treble": 0.666667, "bass": 0.0})
    assert found["loud"] == 1.0


def test_what_a_method_decides_against_its_scores_stays_decided(own):
    result = SongResult("a.mp3", "m.skops")
    result.decide({"bass": 0.6, "middle": 0.4}, AnswerRule(0.25, 0.4))
    result.genre, result.confidence = "middle", 0.4
    taxonomy(own).apply(result, AnswerRule(0.25, 0.4))
    assert (result.genre, result.confidence) == ("mid", 0.4)


def test_a_song_in_error_stays_as_it_is(own):
    result = SongResult("a.mp3", "m", error="cannot be read")
    assert taxonomy(own).apply(result, AnswerRule(0.25, 0.4)).as_dict()["genre"] is None


def test_songs_are_classified_under_other_names(checkpoint, music, own):
    song = music / "treble" / "treble-0.wav"
    (result,) = genrenet.classify(song, checkpoint=checkpoint, taxonomy=own, timeline=True)
    assert result["genre"] == "loud"
    assert {frame["genre"] for frame in result["timeline"]} == {"loud"}
    assert set(result["scores"]) == {"low", "mid", "loud"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_tables_know_the_labels_of_our_own_models(name):
    file = resources.files("genrenet.inference") / "taxonomies.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    known = {row["genre"] for row in rows}
    assert len(known) == len(rows)
    shipped = read_checkpoint(shipped_checkpoints()["genres"])["genrenet"]["labels"]
    assert set(shipped) <= known
    assert known - set(shipped) <= set(audioset_genres())
    called = taxonomy(name)
    assert called.rename("Heavy metal").casefold() == "heavy metal"
    assert called.parents[called.rename("Heavy metal")].casefold() == "rock"
    # What others lie under is never under another itself.
    assert not set(called.parents.values()) & set(called.parents)


def test_what_is_no_taxonomy_is_refused(tmp_path):
    with pytest.raises(TaxonomyError, match="wanted ours, discogs"):
        taxonomy(tmp_path / "none.csv")
    for text in ("", "genre;name\na;b\n", "genre\na,b\n"):
        file = tmp_path / "bad.csv"
        file.write_text(text)
        with pytest.raises(TaxonomyError, match="columns genre and name"):
            taxonomy(file)
    for text in ("Rock,rock > rock\n", "a,x > y\nb,y > z\n"):
        file.write_text(f"genre,name\n{text}")
        with pytest.raises(TaxonomyError, match="and others under it"):
            taxonomy(file)
