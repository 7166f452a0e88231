"""Checkpoints by name: shipped, imported, or a file."""

import pytest

from genrenet.models.checkpoints import (
    DEFAULT_CHECKPOINT,
    CheckpointError,
    RegistryError,
    find_checkpoint,
    import_checkpoint,
    load_model,
    shipped_checkpoints,
    write_checkpoint,
)
from tests.helpers.publishing import small_model

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder in the place of the installed one with shipped checkpoints."""
    import sys

    folder = tmp_path / "installed" / "genrenet_checkpoints"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "genrenet_checkpoints", raising=False)
    return folder


def test_shipped_ones_are_found_by_name(shipped, published_file):
    assert shipped_checkpoints() == {}
    file = write_checkpoint(small_model(published_file), shipped / "ours.ckpt")
    (shipped / "ours.md").write_text("# A card")
    assert shipped_checkpoints() == {"ours": file}
    assert find_checkpoint("ours") == file
    assert load_model("ours").labels == ["low", "high"]


def test_a_file_comes_before_a_name(conversions, shipped, published_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_checkpoint(small_model(published_file), shipped / "tiny.ckpt")
    assert find_checkpoint("tiny") == shipped / "tiny.ckpt"
    write_checkpoint(small_model(published_file), tmp_path / "tiny")
    assert find_checkpoint("tiny").resolve() == tmp_path / "tiny"
    assert conversions == []


def test_unknown_names_list_the_known_ones(conversions, shipped, published_file):
    write_checkpoint(small_model(published_file), shipped / "ours.ckpt")
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nope'.*ours, msd-cnn.*tiny"):
        load_model("nope")
    with pytest.raises(RegistryError, match="'nope'"):
        import_checkpoint("nope")


def test_a_default_that_is_not_installed_has_a_remedy(shipped, published_file):
    with pytest.raises(CheckpointError, match="reinstall genrenet, or pass --checkpoint FILE"):
        load_model(DEFAULT_CHECKPOINT)
    write_checkpoint(small_model(published_file), shipped / f"{DEFAULT_CHECKPOINT}.ckpt")
    assert load_model(DEFAULT_CHECKPOINT).labels == ["low", "high"]
