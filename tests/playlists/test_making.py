"""Whole playlists: orders, embeddings, a first song, and invalid requests."""

from pathlib import Path

import numpy as np
import pytest

from genrenet.library.similarity import SongSpace
from genrenet.library.song_vectors import SongVectors
from genrenet.playlists import ListedSong, PlaylistError, playlist
from genrenet.playlists.smooth import path_length
from tests.helpers.song_orders import repeats


def rows(made):
    return [song.row for song in made.songs]


@pytest.fixture(scope="module")
def vectors(shelf):
    rng = np.random.default_rng(0)
    found = rng.standard_normal((len(shelf), 4)).astype(np.float32)
    return SongVectors(list(shelf.paths), found, "net", "embedding")


def test_by_confidence(shelf):
    made = playlist(shelf, ["jazz"], count=5)
    assert [song.path[-12:] for song in made.songs] == [f"jazz-0{at}.flac" for at in range(5)]
    assert [song.confidence for song in made.songs] == pytest.approx([0.99, 0.98, 0.97, 0.96, 0.95])
    assert (made.title, made.order, made.checkpoint) == ("jazz", "confidence", "model")
    first = made.songs[0]
    assert (first.artist, first.title, first.name) == ("Artist 0", "jazz 0", "Artist 0 - jazz 0")
    assert first.duration == shelf.duration[first.row]
    assert made.seconds == pytest.approx(sum(shelf.duration[rows(made)]))
    assert first.scores == pytest.approx({"blues": 0.005, "jazz": 0.99, "rock": 0.005})


def test_a_shuffle_takes_other_songs_with_another_seed(shelf):
    made = [
        playlist(shelf, ["jazz"], length=3000, order="shuffle", seed=seed) for seed in (1, 1, 2)
    ]
    assert rows(made[0]) == rows(made[1])
    assert {*rows(made[0])} != {*rows(made[2])}
    for one in made:
        assert one.seconds == pytest.approx(3000, abs=3)
        assert min(song.confidence for song in one.songs) >= 0.5
    best = playlist(shelf, ["jazz"], count=10, order="shuffle", choice="best")
    assert {*rows(best)} == {*rows(playlist(shelf, ["jazz"], count=10))}
    everything = playlist(shelf, ["jazz", "blues"], order="shuffle")
    assert repeats([song.artist for song in everything.songs]) == 0


def test_a_smooth_order_is_short_in_its_space(shelf, vectors):
    scores = SongSpace(shelf.scores, "scores").vectors
    embedded = SongSpace(vectors.vectors, "embeddings").vectors
    plain = rows(playlist(shelf, ["jazz", "blues"], count=40))
    by_scores = rows(playlist(shelf, ["jazz", "blues"], count=40, order="smooth"))
    by_vectors = playlist(shelf, ["jazz", "blues"], count=40, order="smooth", vectors=vectors)
    assert {*plain} == {*by_scores} == {*rows(by_vectors)}
    assert path_length(scores[by_scores]) < 0.1 * path_length(scores[plain])
    assert path_length(embedded[rows(by_vectors)]) < 0.5 * path_length(embedded[plain])


def test_a_smooth_order_begins_where_it_is_told(shelf, vectors):
    for start in ("jazz-33.flac", "blues-20.flac"):
        made = playlist(
            shelf,
            ["jazz"],
            min_confidence=0.8,
            count=9,
            order="smooth",
            vectors=vectors,
            start=start,
        )
        assert made.songs[0].path.endswith(start)
        assert len(made.songs) == len({*rows(made)}) == 9


def test_songs_without_an_embedding_come_last(shelf, vectors):
    half = SongVectors(vectors.paths[::2], vectors.vectors[::2], "net", "embedding")
    made = playlist(shelf, ["jazz"], count=10, order="smooth", vectors=half, start="jazz-01")
    without = [song.path not in half.paths for song in made.songs]
    # The start keeps its place, also without an embedding.
    assert without == [True] + [False] * 5 + [True] * 4
    assert made.notes == ["5 songs have no embedding and come last"]
    none = SongVectors(["/elsewhere.mp3"], vectors.vectors[:1], "net", "embedding")
    with pytest.raises(
        PlaylistError, match=r"has none of the songs: found such as '/else.*jazz-00"
    ):
        playlist(shelf, ["jazz"], order="smooth", vectors=none)


def test_exclusions(shelf):
    listed = [ListedSong(path) for path in shelf.paths if Path(path).name.startswith("jazz-0")]
    made = playlist(shelf, ["jazz"], exclude=["*-1?.flac", "artist:artist 0"], listed=listed)
    assert len(made.songs) == 16
    numbers = [int(Path(song.path).stem.removeprefix("jazz-")) for song in made.songs]
    assert all(number >= 20 and number % 5 for number in numbers)
    assert made.notes == ["24 songs passed over: excluded"]


def test_any_genre_and_genres_by_score(shelf):
    made = playlist(shelf, count=6)
    assert [song.genre for song in made.songs].count("jazz") == 3
    assert made.title == "all genres"
    second = playlist(shelf, ["rock"], by_score=True, min_confidence=0.15)
    assert {song.wanted for song in second.songs} == {"rock"}
    assert {song.genre for song in second.songs} == {"jazz", "blues"}
    assert all(song.fit == pytest.approx(song.scores["rock"]) for song in second.songs)
    # A song that fits two genres is taken for one of them.
    both = playlist(shelf, ["rock", "jazz"], by_score=True, min_confidence=0.1)
    assert len(both.songs) == len({*rows(both)})


def test_where_no_song_fits_the_reason_is_told(shelf):
    with pytest.raises(PlaylistError, match=r"no songs of 'jazz' at --min-confidence 0\.995: the "
                       r"surest of 40 has 0\.99; lower"):  # fmt: skip
        playlist(shelf, ["jazz"], min_confidence=0.995)
    with pytest.raises(PlaylistError, match="none was decided to be rock"):
        playlist(shelf, ["rock"])
    with pytest.raises(PlaylistError, match="40 songs passed over: excluded"):
        playlist(shelf, ["jazz"], exclude=["*"])
    made = playlist(shelf, ["jazz", "rock"], count=4)
    assert len(made.songs) == 4
    assert made.notes[0] == "no songs of 'rock': none was decided to be rock"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"genres": ["rock"]}, "name other genres"),
        (
            {"genres": ["jazz"], "min_confidence": 1.0},
            "lower --min-confidence or name other genres",
        ),
        ({"genres": ["rock"], "exclude": iter(["*"])}, "exclude less or name other genres"),
        ({"genres": [], "min_confidence": 1.0}, "lower --min-confidence or scan more songs"),
    ],
)
def test_a_remedy_is_named_only_if_it_changes_something(shelf, asked, said):
    with pytest.raises(PlaylistError, match="no song fits") as raised:
        playlist(shelf, **asked)
    assert str(raised.value).rpartition("; ")[2] == said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"min_confidence": 70}, "found 70, wanted a number from 0 to 1"),
        ({"min_confidence": float("nan")}, "from 0 to 1"),
        ({"length": 5, "count": 5}, "wanted one of them"),
        ({"length": 0}, "above 0"),
        ({"count": -1}, "above 0"),
        ({"order": "best"}, "wanted confidence or shuffle or smooth"),
        ({"order": "shuffle", "seed": -1}, "--seed"),
        ({"start": "jazz-01"}, "--start cannot be used with the order 'confidence'"),
        ({"genres": ["zydeco"]}, "has no genre 'zydeco'"),
        ({"order": "smooth", "start": "nothing"}, "no song 'nothing'"),
    ],
)
def test_requests_that_make_no_sense(shelf, asked, said):
    with pytest.raises(PlaylistError, match=said):
        playlist(shelf, **{"genres": ["jazz"], **asked})
