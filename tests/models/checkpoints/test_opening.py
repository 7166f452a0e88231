"""Checkpoints on a backbone: written without it, completed when opened, or rejected."""

import functools
import shutil

import pytest
import torch

from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints import (
    CheckpointError,
    CheckpointMismatchError,
    export_checkpoint,
    load_model,
    open_checkpoint,
    read_checkpoint,
    registry,
    remove_checkpoint,
    write_checkpoint,
)
from genrenet.training.module import GenreClassifier
from tests.helpers.publishing import CONTENT, sha256, small_cnn

pytestmark = pytest.mark.usefixtures("cache")


WAVE = torch.linspace(-1, 1, 18_000).sin()[None]


def test_where_it_comes_from_survives_opening_and_writing(conversions, published_file, tmp_path):
    model = load_model("tiny")
    wanted = {
        "name": "tiny",
        "title": "a tiny model",
        "sha256": sha256(CONTENT),
        "licence": "CC0",
        "citation": "Nobody (2020), Nothing",
        "address": published_file.as_uri(),
    }
    assert model.provenance == {"source": wanted}
    model.provenance["note"] = "tuned"
    model.frames = FrameSettings(1.5, 3.0, 12_000)
    again = open_checkpoint(write_checkpoint(model, tmp_path / "again.ckpt"))
    assert again.provenance == {"source": wanted, "note": "tuned"}
    assert again.frames == model.frames
    assert "backbone" not in again.description()


def test_unwritable_targets_are_named(conversions, tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot write '.*no/x\.ckpt'"):
        export_checkpoint("tiny", tmp_path / "no" / "x.ckpt")


@pytest.fixture
def tuned(conversions, tmp_path):
    """A model of three genres on ``tiny``: another head, and one convolution trained on."""
    model = GenreClassifier(["a", "b", "c"], network=functools.partial(small_cnn))
    trunk = load_model("tiny").state_dict()
    trunk = {key: value for key, value in trunk.items() if not key.startswith("network.head.")}
    model.load_state_dict(trunk, strict=False)
    with torch.no_grad():
        model.network.convolutions[1][0].weight[0, 0, 0, 0] += 1e-3
    model.frames = FrameSettings(1.5, 0.0, 12_000)
    model.provenance = {"backbone": {"name": "tiny", "sha256": sha256(CONTENT)}}
    return write_checkpoint(model.eval(), tmp_path / "tuned.ckpt")


def test_without_its_backbone_it_is_small_and_scores_the_same(tuned, tmp_path, cache):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    kept = set(read_checkpoint(part)["state_dict"])
    assert kept == {"network.head.weight", "network.head.bias", "network.convolutions.1.0.weight"}
    wanted = load_model(tuned).scores(WAVE)
    # The backbone is imported again where it is not there any more.
    shutil.rmtree(cache)
    assert torch.equal(load_model(part).scores(WAVE), wanted)
    assert load_model(part).provenance["backbone"]["name"] == "tiny"
    # Exported once more, it is whole, whatever it was before.
    whole = export_checkpoint(part, tmp_path / "whole.ckpt")
    remove_checkpoint("tiny")
    registry._MODELS.pop("tiny")
    assert torch.equal(load_model(whole).scores(WAVE), wanted)


def test_a_whole_checkpoint_needs_no_backbone(tuned, conversions, cache, published_file):
    shutil.rmtree(cache)
    published_file.unlink()
    assert load_model(tuned).labels == ["a", "b", "c"]
    assert len(conversions) == 1


def test_equal_heads_stay_with_the_file(conversions, tmp_path):
    model = load_model("tiny")
    model.provenance = {"backbone": {"name": "tiny", "sha256": sha256(CONTENT)}}
    file = write_checkpoint(model, tmp_path / "same.ckpt")
    part = export_checkpoint(file, tmp_path / "part.ckpt", without_backbone=True)
    kept = read_checkpoint(part)["state_dict"]
    assert set(kept) == {"network.head.weight", "network.head.bias"}
    _edit(part, lambda entries: entries["state_dict"].popitem())
    with pytest.raises(CheckpointMismatchError, match=r"network\.head"):
        load_model(part)


def _edit(path, change):
    entries = torch.load(path, weights_only=True)
    change(entries)
    torch.save(entries, path)


def test_a_backbone_that_cannot_be_had_is_named(tuned, tmp_path, cache, published_file):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    shutil.rmtree(cache)
    published_file.unlink()
    with pytest.raises(CheckpointError, match="on top of the published model 'tiny'") as caught:
        load_model(part)
    assert "part.ckpt" in str(caught.value)
    assert "genrenet checkpoints import tiny --from FILE" in str(caught.value)
    registry._MODELS.pop("tiny")
    with pytest.raises(CheckpointError, match=r"part\.ckpt' cannot be completed.*found tiny"):
        load_model(part)


def test_a_whole_one_whose_backbone_cannot_be_had_is_not_said_to_be_partial(
    tuned, tmp_path, cache, published_file
):
    shutil.rmtree(cache)
    published_file.unlink()
    words = r"cannot be exported without its backbone: it was trained on top of .* 'tiny', which"
    with pytest.raises(CheckpointError, match=words):
        export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)


@pytest.mark.parametrize("name", ["backbone.ckpt", "../secret.ckpt", 3, ["tiny"]])
def test_a_backbone_that_is_a_file_cannot_be_left_out(tuned, tmp_path, name):
    _edit(tuned, lambda entries: entries["genrenet"]["backbone"].update(name=name))
    with pytest.raises(CheckpointError, match="backbone is a file, not a published model"):
        export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    assert not (tmp_path / "part.ckpt").exists()
    assert export_checkpoint(tuned, tmp_path / "whole.ckpt").is_file()


def test_another_file_of_the_backbone_is_refused(tuned, tmp_path):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    _edit(part, lambda entries: entries["genrenet"]["backbone"].update(sha256="f" * 64))
    with pytest.raises(CheckpointMismatchError, match="another file of 'tiny'") as caught:
        load_model(part)
    assert sha256(CONTENT) in str(caught.value)
    assert "f" * 64 in str(caught.value)


@pytest.mark.parametrize("reference", [None, "tiny", {"name": "tiny"}, {"sha256": "x"}])
def test_a_damaged_reference_is_refused(tuned, tmp_path, reference):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    _edit(part, lambda entries: entries["genrenet"].update(backbone=reference))
    with pytest.raises(CheckpointError, match="does not say which backbone"):
        load_model(part)


def test_a_backbone_of_another_network_is_refused(tuned, tmp_path):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    settings = {"n_stft_frames": 71, "channels": [8, 32], "pools": [[8, 7], [12, 10]]}
    _edit(part, lambda entries: entries["genrenet"]["network"].update(settings=settings))
    with pytest.raises(CheckpointMismatchError, match="size mismatch"):
        load_model(part)


def test_only_what_names_a_backbone_can_leave_it_out(conversions, tmp_path):
    with pytest.raises(CheckpointError, match=r"without its backbone.*without an entry 'backbone'"):
        export_checkpoint("tiny", tmp_path / "x.ckpt", without_backbone=True)
    assert not (tmp_path / "x.ckpt").exists()
