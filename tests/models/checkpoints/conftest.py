"""A small model that is published at an address, and a cache of the test's own."""

import pytest

from genrenet.models.checkpoints import (
    register,
    registry,
)
from tests.helpers.publishing import CONTENT, model_of, small_model


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENRENET_CACHE", str(folder))
    return folder


@pytest.fixture
def published_file(tmp_path):
    """What is published at the address of the model ``tiny``."""
    file = tmp_path / "published.bin"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def conversions(published_file):
    """Register ``tiny``; the files converted are listed."""
    converted = []

    def convert(path):
        converted.append(path)
        return small_model(path)

    register(model_of(CONTENT, published_file.as_uri(), convert=convert))
    return converted
