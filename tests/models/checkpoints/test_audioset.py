"""AudioSet's classes and genres in the package, compared with the ontology's files."""

import csv

import pytest

from genrenet.models.checkpoints.audioset import ROOT, audioset_classes, audioset_genres


def test_classes_are_audiosets(shared_data):
    with open(shared_data / "audioset" / "class_labels_indices.csv", encoding="utf-8") as file:
        wanted = [row["display_name"] for row in csv.DictReader(file)]
    assert list(audioset_classes()) == wanted
    genres = audioset_genres()
    assert list(genres) == wanted[216:266]
    assert genres["Heavy metal"] == ["Rock music"]
    assert genres["Beatboxing"] == ["Hip hop music", "Vocal music"]
    assert genres["Jazz"] == genres["Rock music"] == []
    above = {parent for parents in genres.values() for parent in parents}
    assert above <= set(genres)
    assert len(above) == 10
    assert not any(genres[name] for name in above)


def test_every_class_has_a_name_of_its_own():
    names = audioset_classes()
    assert len(names) == len(set(names)) == 527
    assert names[0] == "Speech"
    assert "Male speech, man speaking" in names  # a name with a comma is one name
    assert all(name == name.strip() for name in names)
    assert ROOT not in names


def test_genres_are_classes_in_order_of_the_outputs():
    names, genres = audioset_classes(), audioset_genres()
    places = [names.index(genre) for genre in genres]
    assert places == sorted(places)
    assert all(ROOT not in parents for parents in genres.values())
    assert all(set(parents) < set(genres) for parents in genres.values())


@pytest.mark.parametrize("name", ["Speech", "Guitar", "Silence"])
def test_sounds_that_are_no_genres_are_left_out(name):
    assert name in audioset_classes()
    assert name not in audioset_genres()


def test_a_caller_may_change_what_it_gets():
    audioset_genres()["Jazz"].append("Rock music")
    assert audioset_genres()["Jazz"] == []
