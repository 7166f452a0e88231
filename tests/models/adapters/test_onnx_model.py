"""ONNX files: descriptions, front ends, and fixed batch sizes."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from genrenet.models.adapters import AdapterError, card_of, content_id
from genrenet.models.checkpoints import load_model
from genrenet.models.frontend import LogMel
from genrenet.models.networks import NetworkError
from tests.helpers.backbones import LABELS, MEAN, STD, essentia_json, mel_onnx, wave_onnx

EMBEDDINGS = {"sample_rate": 16000, "frontend": "musicnn", "outputs": {"embeddings": "embeddings"}}
SCORES = {**EMBEDDINGS, "outputs": {"scores": "activations"}, "labels": list(LABELS)}


def logmel(noise):
    """MusiCNN's front end, from its description: (batch, time, 96)."""
    power = LogMel(16_000, compression="log10-10000", level="keep", backend="fft").mel_power(noise)
    return np.log10(1 + 10_000 * power.transpose(1, 2).double().numpy())


def expected(weights, patches):
    hidden = np.maximum(patches @ weights["below"], 0)
    embeddings = hidden.mean(axis=tuple(range(1, hidden.ndim - 1)))
    return embeddings, embeddings @ weights["above"]


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_essentias_export_of_discogs_effnet(tmp_path, noise, batch):
    weights = mel_onnx(tmp_path / "effnet.onnx", (batch, 128, 96))
    essentia_json(tmp_path / "effnet.json")
    model = load_model(f"onnx:{tmp_path}/effnet.onnx")
    assert model.labels == list(LABELS)
    assert (model.frames.sample_rate, model.frames.n_samples) == (16_000, 127 * 256)
    assert model.network.batch_frames == (4 if batch == 4 else None)
    embeddings, logits = expected(weights, logmel(noise))
    np.testing.assert_allclose(model.embed(noise), embeddings, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.scores(noise), 1 / (1 + np.exp(-logits)), atol=1e-4)
    layers = model.network.layers(model.frontend(noise[:2]))
    assert {name: tuple(one.shape) for name, one in layers.items()} == {
        "embeddings": (2, 12),
        "embedding": (2, 12),
        "logits": (2, 3),
    }
    card = card_of(f"onnx:{tmp_path}/effnet.onnx")
    assert (card.title, card.licence) == ("tiny", "CC BY-NC-SA 4.0")


def test_essentias_export_of_maest_has_another_scale(tmp_path, noise):
    weights = mel_onnx(tmp_path / "maest.onnx", (1, 1, 20, 96))
    essentia_json(tmp_path / "maest.json", "TensorflowPredictMAEST")
    model = load_model(f"onnx:{tmp_path}/maest.onnx")
    assert model.frames.n_samples == 19 * 256
    frames = noise[:, : 19 * 256]
    wanted, _ = expected(weights, (logmel(frames) - MEAN) / STD)
    np.testing.assert_allclose(model.embed(frames), wanted, rtol=1e-3, atol=1e-4)


def test_samples_and_labels_in_a_file(tmp_path, noise):
    wave_onnx(tmp_path / "wave.onnx")
    about = {"sample_rate": 8000, "seconds": 0.2, "outputs": {"embeddings": ["features"]}}
    (tmp_path / "wave.yaml").write_text(yaml.safe_dump({**about, "licence": "MIT"}))
    model = load_model(f"onnx:{tmp_path}/wave.onnx")
    assert model.labels == []
    assert (model.frames.sample_rate, model.frames.seconds) == (8000, 0.2)
    frames = noise[:, :1600]
    wanted = frames.abs().reshape(5, 2, 8, 100).mean(dim=(1, 3))
    assert torch.allclose(model.embed(frames), wanted, atol=1e-6)
    assert card_of(f"onnx:{tmp_path}/wave.onnx").licence == "MIT"

    mel_onnx(tmp_path / "tags.onnx", last="Softmax")
    (tmp_path / "names.txt").write_text("\n".join(LABELS))
    told = {**SCORES, "labels": "names.txt", "activation": "softmax"}
    (tmp_path / "tags.yaml").write_text(yaml.safe_dump(told))
    tagger = load_model(f"onnx:{tmp_path}/tags.onnx")
    assert tagger.labels == list(LABELS)
    scores = tagger.scores(noise)
    assert torch.allclose(scores.sum(dim=1), torch.ones(5))
    assert tagger.network.embedding_size == 3  # its scores, where it names no embeddings


def test_a_front_end_of_a_plugin_by_its_name(tmp_path, noise):
    mel_onnx(tmp_path / "mel.onnx", ("batch", "time", 96))
    told = {**EMBEDDINGS, "frontend": {"name": "LogMel", "sample_rate": 16000, "hop_length": 128}}
    (tmp_path / "mel.yaml").write_text(yaml.safe_dump({**told, "patch": 51}))
    model = load_model(f"onnx:{tmp_path}/mel.onnx")
    assert model.frames.n_samples == 50 * 128
    assert model.embed(noise[:, :6400]).shape == (5, 12)
    with pytest.raises(NetworkError, match=r"found 12 steps of time, wanted 51: frames of 0\.4 s"):
        model.network.embed(torch.zeros(1, 96, 12))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"sample_rat": 1}, "unknown setting 'sample_rat'.*did you mean 'sample_rate'"),
        ({"outputs": {"embeddings": "embeddings"}}, "sample_rate: found None, wanted such as"),
        ({**EMBEDDINGS, "outputs": {}}, "outputs: found {}, wanted some of scores"),
        ({**EMBEDDINGS, "outputs": {"embeddings": "a"}}, "output 'a' for embeddings: found activ"),
        ({**EMBEDDINGS, "sample_rate": 8000}, "sample_rate: found 8000 Hz, wanted 16000 Hz, the"),
        ({**EMBEDDINGS, "frontend": "waveform"}, "frontend: found an input of .* wanted 1 bins"),
        ({**EMBEDDINGS, "frontend": "gamma"}, "'gamma'|gamma"),
        ({**EMBEDDINGS, "patch": 99}, "patch: found 128 in the model, wanted 99"),
        ({**EMBEDDINGS, "input": "mel"}, "input: found melspectrogram, wanted mel"),
        ({**EMBEDDINGS, "std": 0}, "std: found 0, wanted a number that is not 0"),
        ({**EMBEDDINGS, "labels": ["a", "b"]}, "labels: found no output with their scores"),
        ({**SCORES, "labels": ["a", "b"]}, "labels: found 3 outputs, wanted 2"),
        ({**SCORES, "labels": "no.txt"}, "labels: found .*No such file"),
        ({**SCORES, "outputs": {"scores": "embeddings"}}, "labels: found 12 outputs, wanted 3"),
        ({**SCORES, "activation": "softmax"}, "scores: found values that are none, wanted what so"),
        ("[", "cannot be read"),
        ([], "contains no settings: found list"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, told, message):
    mel_onnx(tmp_path / "a.onnx")
    text = told if isinstance(told, str) else yaml.safe_dump(told)
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(Exception, match=message) as caught:
        load_model(f"onnx:{tmp_path}/a.onnx")
    assert type(caught.value).__module__.startswith("genrenet.")


def test_files_that_are_missing_or_are_none(tmp_path):
    with pytest.raises(AdapterError, match=r"no ONNX file '.*a\.onnx'"):
        load_model(f"onnx:{tmp_path}/a.onnx")
    (tmp_path / "a.onnx").write_text("text")
    with pytest.raises(AdapterError, match=r"there is no description of .* 'a\.yaml' beside it"):
        load_model(f"onnx:{tmp_path}/a.onnx")
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(EMBEDDINGS))
    with pytest.raises(AdapterError, match="is not an ONNX file that can be run"):
        load_model(f"onnx:{tmp_path}/a.onnx")
    (tmp_path / "a.yaml").unlink()
    head = {"inference": {"algorithm": "TensorflowPredict2D", "embedding_model": {}}}
    (tmp_path / "a.json").write_text(json.dumps({**head, "schema": {}}))
    with pytest.raises(AdapterError, match=r"unknown kind of input.* TensorflowPredict2D"):
        load_model(f"onnx:{tmp_path}/a.onnx")


def test_the_content_is_what_counts(tmp_path):
    mel_onnx(tmp_path / "a.onnx")
    essentia_json(tmp_path / "a.json")
    first = content_id(f"onnx:{tmp_path}/a.onnx")
    (tmp_path / "b").mkdir()
    for suffix in (".onnx", ".json"):
        shutil.copy(tmp_path / f"a{suffix}", tmp_path / "b" / f"other{suffix}")
    assert content_id(f"onnx:{tmp_path}/b/other.onnx") == first
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(EMBEDDINGS))  # comes before the JSON
    second = content_id(f"onnx:{tmp_path}/a.onnx")
    mel_onnx(tmp_path / "a.onnx", seed=1)
    assert len({first, second, content_id(f"onnx:{tmp_path}/a.onnx")}) == 3
