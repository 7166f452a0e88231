"""The table of published models: its labels, files and converters fit together."""

import re

import pytest

from genrenet.models.checkpoints.audioset import audioset_classes, audioset_genres
from genrenet.models.checkpoints.built_in import GTZAN_GENRES, MSD_TAGS, MTT_TAGS, PUBLISHED

BY_NAME = {model.name: model for model in PUBLISHED}


@pytest.mark.parametrize(("tags", "count"), [(MSD_TAGS, 50), (MTT_TAGS, 50), (GTZAN_GENRES, 10)])
def test_labels_are_whole_and_given_once(tags, count):
    assert len(tags) == len(set(tags)) == count
    assert all(tag and tag == tag.strip() for tag in tags)


def test_names_are_given_once():
    assert len(BY_NAME) == len(PUBLISHED)


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_every_model_says_what_it_is_and_where_it_is_from(model):
    assert model.title
    assert re.search(r"\(\d{4}\)", model.citation)
    for file in model.files:
        assert file.address.startswith("https://")
        named = model.package or file.address.endswith("/" + file.filename)
        assert named, "an address is the file's own, or the package's page"


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_converters_know_the_labels_of_their_model(model):
    for file in model.files:
        settings = file.convert.keywords
        assert settings.get("labels", model.labels) == model.labels
        assert callable(file.convert.func.load())


def test_only_files_whose_checksum_is_known_have_a_size():
    known = {model.name for model in PUBLISHED if model.sha256}
    assert known >= {"msd-cnn", "msd-crnn", "musicnn-msd", "efficientat-mn04", "audioset-genres"}
    assert all((model.size is None) == (model.name not in known) for model in PUBLISHED)


def test_efficientats_names_are_ten_times_their_width():
    family = {name: model for name, model in BY_NAME.items() if name.startswith("efficientat-")}
    assert len(family) == 8
    for name, model in family.items():
        assert model.labels == audioset_classes()
        assert model.convert.keywords["width"] == int(name[-2:]) / 10
        assert model.filename.startswith(f"mn{name[-2:]}_")


def test_the_genres_are_made_from_the_file_of_the_classes():
    genres, classes = BY_NAME["audioset-genres"], BY_NAME["efficientat-mn04"]
    assert genres.labels == tuple(audioset_genres())
    assert (genres.sha256, genres.size) == (classes.sha256, classes.size)
    assert genres.convert.keywords["genres"]
    assert not classes.convert.keywords["genres"]
