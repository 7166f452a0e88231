"""The registry: its initial content, and valid additions."""

import re

import pytest

from genrenet.models.checkpoints import (
    RegistryError,
    SourceFile,
    published,
    published_models,
    register,
    registry,
)
from tests.helpers.publishing import model_of, small_model

NAMES = ["msd-cnn", "msd-crnn", "gtzan10-crnn", "musicnn-msd", "musicnn-mtt"]


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))


def test_the_published_models_are_there():
    models = published_models()
    assert list(models)[: len(NAMES)] == NAMES
    for name in NAMES:
        model = models[name]
        assert len(set(model.labels)) == (10 if name.startswith("gtzan") else 50)
        assert model.licence in ("MIT", "ISC")
        assert model.citation
        assert model.address.startswith("https://")
        assert model.size > 1_000_000
    assert models["musicnn-msd"].sha256 == models["musicnn-mtt"].sha256
    assert models["musicnn-msd"].labels == models["msd-cnn"].labels
    assert models["msd-crnn"].labels[:3] == ("rock", "pop", "alternative")
    assert models["musicnn-mtt"].labels[:2] == ("guitar", "classical")
    assert models["gtzan10-crnn"].labels[4] == "hiphop"


def test_anybody_can_register_a_model():
    register(model_of(b"1", "file:///x"))
    assert published("tiny").title == "a tiny model"
    # A listing is a copy: changing it changes nothing.
    published_models().clear()
    assert "tiny" in published_models()


def test_a_name_is_given_once():
    register(model_of(b"1", "file:///x", title="the first"))
    with pytest.raises(RegistryError, match="'tiny' is registered already: found the first"):
        register(model_of(b"2", "file:///y"))
    assert published("tiny").title == "the first"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../x"}, "'../x'"),
        ({"name": "Big"}, "lower-case"),
        ({"name": ""}, "name"),
        ({"sha256": "F" * 64}, "SHA-256"),
        ({"sha256": "abc"}, "SHA-256"),
        ({"size": None}, "size None"),
        ({"filename": "../tiny.bin"}, "without a folder"),
        (
            {"alternatives": (SourceFile("x", "no", 1, "file:///x", small_model),)},
            "SHA-256 'no'",
        ),
    ],
)
def test_entries_that_cannot_work_are_refused(changes, words):
    with pytest.raises(RegistryError, match=re.escape(words)):
        register(model_of(b"1", "file:///x", **changes))
    assert "tiny" not in published_models()


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(RegistryError, match=r"'nope'.*msd-cnn, msd-crnn.*musicnn-mtt"):
        published("nope")


def test_a_file_is_known_by_its_checksum():
    model = published("msd-crnn")
    assert model.file(model.sha256).filename == model.filename
    (theano,) = model.alternatives
    assert model.file(theano.sha256) is theano
    assert model.file("0" * 64) is None
    assert model.file(None) is None
