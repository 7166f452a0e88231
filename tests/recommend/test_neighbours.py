"""Neighbours of real songs are mostly of their genre; the figures match their definitions."""

import numpy as np
import pandas as pd
import pytest

from genrenet.features import cached_embeddings, song_matrix
from genrenet.library.similarity import SongSpace
from genrenet.models.checkpoints import import_checkpoint
from genrenet.recommend import RecommendError
from genrenet.recommend.content import SongContent
from genrenet.recommend.neighbours import judge_neighbours, neighbours_markdown, read_labels


def crowd(per=20):
    """Songs of two genres around two points, each artist's a little apart."""
    rng = np.random.default_rng(0)
    rows, labels = [], []
    for genre, centre in (("folk", [1, 0, 0]), ("rock", [0, 1, 0])):
        for song in range(per):
            artist = song // 2
            near = np.array(centre) + 0.2 * np.random.default_rng(artist).standard_normal(3)
            rows.append(near + 0.01 * rng.standard_normal(3))
            labels.append((f"/music/{genre}/{song}.mp3", genre, f"{genre} {artist}"))
    table = pd.DataFrame(labels, columns=["path", "genre", "artist"])
    vectors = np.array(rows, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return SongContent([path for path, _, _ in labels], vectors, "made up"), table


def test_songs_of_a_crowd_are_told_by_their_neighbours():
    songs, labels = crowd()
    figures = judge_neighbours(songs, labels)["figures"]
    assert figures["genre"]["value"] > 0.95
    assert figures["genre"]["chance"] == pytest.approx(19 / 39)
    assert figures["genre, other artists"]["chance"] == pytest.approx(18 / 38)
    assert figures["artist's median place"]["value"] == 1
    assert figures["artist in the ten nearest"]["value"] == 1
    assert figures["artist in the ten nearest"]["chance"] == pytest.approx(10 / 39)
    shuffled = songs._replace(rows=np.random.default_rng(0).permutation(songs.rows))
    figures = judge_neighbours(shuffled, labels)["figures"]
    for name in ("genre", "genre, other artists"):
        low, high = figures[name]["ci95"]
        assert low < figures[name]["chance"] < high


def test_artists_need_not_be_known():
    songs, labels = crowd()
    found = judge_neighbours(songs, labels.assign(artist=""))
    assert found["artists"] == 0
    assert set(found["figures"]) == {"genre", "genre, other artists"}
    assert "songs like this one: made up" in neighbours_markdown(found)


def test_neighbours_of_real_songs_are_of_their_genre(shared_data):
    weights = shared_data.parent / "weights"
    if not weights.is_dir():
        pytest.skip(f"no published weights in {weights}")
    labels = read_labels(shared_data / "emotify" / "tracks.csv")
    part = labels.groupby("genre").head(14)
    import_checkpoint("msd-cnn", weights / "music_tagger_cnn_weights_tensorflow.h5")
    paths = [str(shared_data / "emotify" / path) for path in part["path"]]
    # The middle of each song: one frame of it, as this is a test.
    rows, kept = song_matrix(cached_embeddings(paths, "msd-cnn", frames=1))
    space = SongSpace(rows, "embeddings")
    songs = SongContent([paths[row] for row in kept], space.vectors, "msd-cnn")
    found = judge_neighbours(songs, labels)
    assert found["songs"] == 56
    figures = found["figures"]
    assert figures["genre"]["value"] > 1.5 * figures["genre"]["chance"]
    assert figures["genre"]["ci95"][0] > figures["genre"]["chance"]
    place = figures["artist's median place"]
    assert place["value"] < 0.5 * place["chance"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("path,style\nx,y\n", "no column genre: found path, style"), ("", "cannot read"),
     ('path,genre\n"x', "cannot read")],
)  # fmt: skip
def test_labels_that_cannot_be_used(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(RecommendError, match=message):
        read_labels(tmp_path / "labels.csv")


def test_songs_that_are_not_in_the_labels():
    songs, labels = crowd()
    with pytest.raises(RecommendError, match="found 10 of 40 songs in the labels"):
        judge_neighbours(songs, labels.head(10))
