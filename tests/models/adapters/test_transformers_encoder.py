"""Encoders of transformers: outputs, licences, the hub's cache, and their own code."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch

from genrenet.models.adapters import AdapterError, card_of, content_id
from genrenet.models.checkpoints import load_model
from genrenet.models.checkpoints.licences import commercial, require_commercial
from tests.helpers.backbones import encoder_folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A cache of the hub, and no hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("GENRENET_OFFLINE", "1")
    return tmp_path / "hub"


def cached(hub, name, folder, revision="a" * 40):
    """Put a folder into the hub's cache, as a download leaves it."""
    place = hub / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(revision)
    shutil.copytree(folder, place / "snapshots" / revision)


@pytest.mark.parametrize(
    ("kind", "normalise", "more"),
    [
        ("Wav2Vec2", True, {}),
        ("Hubert", False, {}),
        ("WavLM", True, {"num_buckets": 8}),
    ],
)
def test_layers_are_those_of_transformers(tmp_path, noise, kind, normalise, more):
    encoder, features = encoder_folder(tmp_path / "m", kind, normalise=normalise, **more)
    model = load_model(f"hf:{tmp_path}/m")
    assert model.labels == []
    assert (model.frames.sample_rate, model.frames.seconds) == (16_000, 5.0)
    given = features(list(noise.numpy()), sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        wanted = encoder(given.input_values, output_hidden_states=True).hidden_states
        layers = model.network.layers(model.frontend(noise))
    assert [*layers] == ["layer0", "layer1", "layer2", "embedding"]
    for found, hidden in zip(layers.values(), wanted, strict=False):
        np.testing.assert_allclose(found, hidden.mean(dim=1), atol=1e-5)
    mean = torch.stack([hidden.mean(dim=1) for hidden in wanted]).mean(dim=0)
    np.testing.assert_allclose(layers["embedding"], mean, atol=1e-5)


def test_a_classifier_has_its_labels(tmp_path, noise):
    labels = {0: "blues", 1: "folk", 2: "rock"}
    head, features = encoder_folder(
        tmp_path / "m", head="ForSequenceClassification", id2label=labels
    )
    model = load_model(f"hf:{tmp_path}/m")
    assert model.labels == ["blues", "folk", "rock"]
    given = features(list(noise.numpy()), sampling_rate=16_000, return_tensors="pt")
    model.frames = type(model.frames)(2.032, 0.0, 16_000)
    with torch.no_grad():
        wanted = head(given.input_values).logits.softmax(dim=1)
        np.testing.assert_allclose(model.scores(noise), wanted, atol=1e-5)


def test_the_licence_is_the_model_cards(tmp_path):
    encoder_folder(tmp_path / "m", licence="cc-by-nc-4.0")
    reference = f"hf:{tmp_path}/m"
    assert card_of(reference).licence == "cc-by-nc-4.0"
    assert commercial("cc-by-nc-4.0") == "no"
    with pytest.raises(Exception, match="is not for commercial use: no: found licence cc-by-nc"):
        require_commercial(reference)
    before = content_id(reference)
    (tmp_path / "m" / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    require_commercial(reference)
    (tmp_path / "m" / "README.md").write_text("no header")
    with pytest.raises(Exception, match="not settled: found licence unknown"):
        require_commercial(reference)
    assert content_id(reference) == before  # a card is no weights


def test_names_come_from_the_hubs_cache(tmp_path, hub):
    encoder_folder(tmp_path / "m")
    cached(hub, "me/tiny", tmp_path / "m")
    assert load_model("hf:me/tiny").network.settings["backbone"] == "hf:me/tiny"
    assert content_id("hf:me/tiny") == content_id(f"hf:{tmp_path}/m")
    assert content_id(f"hf:me/tiny@{'a' * 40}") == content_id("hf:me/tiny")
    assert card_of("hf:me/tiny").address == "https://huggingface.co/me/tiny"
    with pytest.raises(AdapterError, match="'hf:me/other' cannot be downloaded: found --offline"):
        load_model("hf:me/other")
    with pytest.raises(AdapterError, match="'hf:me/other' cannot be downloaded"):
        card_of("hf:me/other")


def test_a_hub_that_cannot_be_reached(hub, monkeypatch):
    def unreachable(**asked):
        raise OSError("no route to host\nand more")

    monkeypatch.delenv("GENRENET_OFFLINE")
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(
        AdapterError, match="cannot be downloaded: found no route to host, wanted"
    ) as e:
        load_model("hf:me/other")
    assert "hf download ORG/NAME" in str(e.value)


def test_folders_that_hold_no_encoder(tmp_path):
    with pytest.raises(AdapterError, match="no model 'hf:/nowhere/at/all': wanted a folder that"):
        load_model("hf:/nowhere/at/all")
    folder = tmp_path / "m"
    folder.mkdir()
    with pytest.raises(AdapterError, match="is not a model of transformers: found no files"):
        load_model(f"hf:{folder}")
    encoder_folder(folder)
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(AdapterError, match="cannot be opened: found"):
        load_model(f"hf:{folder}")
    (folder / "preprocessor_config.json").write_text('{"feature_size": 80}')
    with pytest.raises(AdapterError, match="takes spectrograms"):
        load_model(f"hf:{folder}")
    (folder / "config.json").write_text("{")
    with pytest.raises(AdapterError, match=r"config\.json' cannot be read"):
        load_model(f"hf:{folder}")


def test_without_transformers_the_extra_is_named(tmp_path, monkeypatch):
    encoder_folder(tmp_path / "m")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        AdapterError, match=r"needs the package transformers.*'genrenet\[research\]'"
    ):
        load_model(f"hf:{tmp_path}/m")


CODE = """
from pathlib import Path
from transformers import Wav2Vec2Config, Wav2Vec2Model

Path({marker!r}).touch()


class OwnConfig(Wav2Vec2Config):
    model_type = "own_encoder"


class OwnEncoder(Wav2Vec2Model):
    config_class = OwnConfig

    def forward(self, samples, **options):
        found = super().forward(samples, **options)
        found["hidden_states"] = tuple(one + 1 for one in found.hidden_states)
        return found
"""


def test_code_of_its_own_runs_only_where_it_is_trusted(tmp_path, noise, monkeypatch):
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder, marker = tmp_path / "m", tmp_path / "it-ran"
    encoder_folder(folder)
    plain = load_model(f"hf:{folder}")
    code = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnEncoder"}
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own_encoder", "auto_map": code}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling_own.py").write_text(CODE.format(marker=str(marker)))
    before = content_id(f"hf:{folder}")
    with pytest.raises(AdapterError, match=r"Python code.*modeling_own\.OwnEncoder.*"):
        load_model(f"hf:{folder}")
    monkeypatch.setenv("GENRENET_TRUST", "hf:someone/else")
    with pytest.raises(
        AdapterError, match=f"--trust-remote-code, or set GENRENET_TRUST=hf:{folder}"
    ):
        load_model(f"hf:{folder}", trust=["someone"])
    assert not marker.exists()
    model = load_model(f"hf:{folder}", trust=[f"hf:{folder}"])
    assert marker.exists()
    with torch.no_grad():
        np.testing.assert_allclose(model.embed(noise), plain.embed(noise) + 1, atol=1e-5)
    (folder / "modeling_own.py").write_text("# other code")
    assert content_id(f"hf:{folder}") != before
