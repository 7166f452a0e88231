"""Facts about checkpoints that are available, and about published models that are not."""

import dataclasses

import pytest

from genrenet.cli.checkpoint_facts import facts, published_facts, published_state, shipped_row
from genrenet.models.checkpoints import RegistryError, register, registry, write_checkpoint
from genrenet.models.checkpoints.header import HEAD
from tests.helpers.publishing import model_of, sha256, small_model

CONTENT = b"what the authors published" * 100


@pytest.fixture(autouse=True)
def published_file(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "published.bin"
    file.write_bytes(CONTENT)
    register(model_of(CONTENT, file.as_uri()))
    return file


@pytest.fixture
def ours(tmp_path, published_file):
    model = small_model(published_file)
    model.provenance = {"dataset": "some songs"}
    return write_checkpoint(model, tmp_path / "ours.ckpt")


def test_a_model_that_is_not_here_is_told_of_without_fetching(published_file):
    published_file.unlink()
    found = published_facts("tiny")
    assert (found["name"], found["state"]) == ("tiny", "not yet")
    assert (found["source"]["sha256"], found["source"]["bytes"]) == (sha256(CONTENT), len(CONTENT))
    with pytest.raises(RegistryError, match="unheard"):
        published_facts("unheard")


def test_a_model_without_a_checksum_cannot_be_fetched():
    model = registry.published("tiny")
    other = dataclasses.replace(model, name="other", sha256=None)
    register(other)
    assert published_state(model) == "not yet"
    assert published_state(other) == "not yet, needs --from FILE"


def test_a_checkpoint_of_its_own_needs_nothing(ours):
    row = shipped_row("ours", ours)
    assert (row["name"], row["state"], row["needs"]) == ("ours", "shipped", None)
    assert row["what"].endswith("trained on some songs")
    found = facts(ours, "file")
    assert (found["name"], found["state"], found["needs"]) == ("ours", "file", None)
    assert found["parameters"] == found["parameters_in_file"] > 0
    assert row["labels"] == len(found["labels"])


def test_the_card_is_that_of_shipped_checkpoints_alone(ours):
    assert facts(ours, "shipped")["card"] is None
    ours.with_suffix(".md").write_text("# Käse", "utf-8")
    assert facts(ours, "shipped")["card"] == "# Käse"
    assert facts(ours, "file")["card"] is None


@pytest.mark.parametrize(("name", "state"), [("tiny", "not yet"), ("x\x1by", "unknown")])
def test_a_head_alone_says_which_backbone_it_needs(tmp_path, ours, name, state):
    import torch

    entries = torch.load(ours, weights_only=True)
    entries["genrenet"]["backbone"] = {"name": name, "sha256": sha256(CONTENT)}
    heads = {key: value for key, value in entries["state_dict"].items() if key.startswith(HEAD)}
    assert heads
    torch.save({**entries, "state_dict": heads}, tmp_path / "part.ckpt")
    row = shipped_row("part", tmp_path / "part.ckpt")
    shown = name.replace("\x1b", r"\x1b")
    assert row["state"] == f"shipped, needs {shown} ({state})"
    assert row["needs"] == name
    torch.save(entries, tmp_path / "whole.ckpt")  # all weights are in the file
    assert shipped_row("whole", tmp_path / "whole.ckpt")["needs"] is None
