"""What really ships: every checkpoint opens, is small, and says where it comes from."""

from pathlib import Path

import pytest
import torch

from genrenet.models.checkpoints import (
    DEFAULT_CHECKPOINT,
    CheckpointError,
    FetchError,
    import_checkpoint,
    load_model,
    read_checkpoint,
    shipped_checkpoints,
)
from genrenet.models.checkpoints.files import build_model
from genrenet.models.checkpoints.header import HEAD
from genrenet.models.checkpoints.opening import missing_weights

MAX_BYTES = 10_000_000
SHIPPED = sorted(shipped_checkpoints())


@pytest.fixture(scope="session")
def backbones(tmp_path_factory):
    """A cache for all tests of this file, so that a backbone is fetched once."""
    return tmp_path_factory.mktemp("backbones")


def _entries(name):
    return read_checkpoint(shipped_checkpoints()[name])


def test_the_default_and_the_head_on_musicnn_ship():
    assert DEFAULT_CHECKPOINT in shipped_checkpoints()
    assert "emotify-musicnn" in shipped_checkpoints()


def test_the_default_is_complete():
    entries = _entries(DEFAULT_CHECKPOINT)
    assert missing_weights(entries, build_model(entries, DEFAULT_CHECKPOINT)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_small_and_has_a_card(name):
    path = Path(shipped_checkpoints()[name])
    assert path.stat().st_size < MAX_BYTES
    assert path.with_suffix(".md").read_text("utf-8").startswith("#")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_says_where_it_comes_from(name):
    entries = _entries(name)
    model = build_model(entries, name)
    assert model.labels
    assert len(set(model.labels)) == len(model.labels)
    assert model.provenance["dataset"]
    assert 0 < model.provenance["metrics"]["song_accuracy"] <= 1
    # Neither folders nor optimisers of whoever trained it.
    assert set(entries) <= {"genrenet", "state_dict", "pytorch-lightning_version"}
    assert "/" not in str(model.provenance.get("dataset"))


@pytest.mark.parametrize("name", SHIPPED)
def test_it_opens_and_scores(name, backbones, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(backbones))
    entries = _entries(name)
    if missing_weights(entries, build_model(entries, name)):
        backbone = entries["genrenet"]["backbone"]["name"]
        try:
            import_checkpoint(backbone)
        except FetchError:
            words = f"trained on top of the published model '{backbone}'.*--from FILE"
            with pytest.raises(CheckpointError, match=words):
                load_model(name)
            return
    model = load_model(name)
    noise = 0.1 * torch.randn(2, model.frames.n_samples, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        scores = model.scores(noise)
    assert scores.shape == (2, len(model.labels))
    assert scores.sum(dim=1).tolist() == pytest.approx([1, 1], abs=1e-4)


def test_the_head_on_musicnn_holds_nothing_of_others():
    entries = _entries("emotify-musicnn")
    state = entries["state_dict"]
    assert sorted(state) == [f"{HEAD}bias", f"{HEAD}weight"]
    # A slice saves all that it is a slice of.
    assert all(
        tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        for tensor in state.values()
    )
    assert entries["genrenet"]["backbone"]["name"] == "musicnn-msd"


def test_the_head_on_musicnn_takes_quiet_and_short_songs():
    model = build_model(_entries("emotify-musicnn"), "emotify-musicnn")
    assert model.frontend.settings["level"] == "bound"
    assert model.frames.fill == "repeat"
