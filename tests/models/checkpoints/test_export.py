"""Exported files: the same scores as the model, for all networks and front ends."""

import functools
import json
import pickle
import sys
import zipfile

import pytest
import torch

from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints import load_model
from genrenet.models.checkpoints.export import (
    ExportError,
    check_export,
    export_model,
    exported_metadata,
)
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN, CRNN, MusiCNN
from genrenet.training.module import GenreClassifier
from tests.helpers.small_training import SMALL
from tests.helpers.tones import RATE, tone

TINY = {
    "CNN": SMALL,
    "CRNN-keras1": functools.partial(
        CRNN, n_stft_frames=71, padding=0, channels=(8, 8), pools=((8, 7), (12, 2)), hidden_size=4
    ),
    "CRNN-torch": functools.partial(
        CRNN,
        n_stft_frames=71,
        padding=0,
        channels=(8, 8),
        pools=((8, 7), (12, 2)),
        hidden_size=4,
        cell="torch",
    ),
    "MusiCNN": functools.partial(MusiCNN, timbral=4, temporal=2, mid=4, units=8),
}
FULL = {"CNN": CNN, "CRNN-torch": functools.partial(CRNN, cell="torch"), "MusiCNN": MusiCNN}


def vivid(network, *, backend="nnaudio", seconds=None, labels=("a", "b", "é"), **settings):
    """A random model whose scores differ from song to song, so that a wrong file is found out."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = GenreClassifier(list(labels), network=network, **settings)
        for name, values in [*model.network.named_buffers(), *model.network.named_parameters()]:
            if name.endswith("running_mean"):
                values.normal_(0, 0.2)
            elif name.endswith("running_var"):
                values.uniform_(0.5, 2)
        # Decibels reach far below zero: what the first batch-norm would have learnt.
        norm = model.network.input_norm
        norm.running_mean.fill_(-10)
        norm.running_var.fill_(900)
    model.frontend = LogMel(**{**model.frontend.settings, "backend": backend})
    if seconds is not None:
        model.frames = FrameSettings(seconds, 1.0, model.frontend.sample_rate)
    model.eval()
    rate, samples = model.frames.sample_rate, model.frames.n_samples
    waves = torch.stack(
        [torch.from_numpy(tone(hz, samples / rate, rate=rate)) for hz in (150, 4e3)]
    )
    with torch.no_grad():
        embedding = model.network.embed(model.frontend(waves))
        direction = torch.nn.functional.normalize(embedding[1] - embedding[0], dim=0)
        middle = embedding.mean(dim=0)
        reach = (embedding[1] - embedding[0]).norm()
        model.network.head.weight[0] = 4 * direction / reach
        model.network.head.bias[0] = -4 * (direction / reach) @ middle
        low, high = model.scores(waves)[:, 0]
    assert high - low > 0.05
    return model


@pytest.mark.long
@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
@pytest.mark.parametrize(
    ("name", "backend"), [*((name, "nnaudio") for name in TINY), ("CNN", "torchaudio")]
)
def test_small_networks_score_alike(name, backend, suffix, tmp_path):
    model = vivid(TINY[name], backend=backend, seconds=None if name == "MusiCNN" else 1.5)
    target = tmp_path / f"model{suffix}"
    assert export_model(model, target) == target
    assert [file.name for file in tmp_path.iterdir()] == [target.name]
    assert check_export(target, model) < 1e-5


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "backend", "suffix"),
    [
        ("CNN", "torchaudio", ".onnx"),
        ("CRNN-torch", "nnaudio", ".pt2"),
        ("MusiCNN", "torchaudio", ".onnx"),
    ],
)
def test_full_networks_score_alike(name, backend, suffix, tmp_path):
    target = tmp_path / f"model{suffix}"
    assert export_model(vivid(FULL[name], backend=backend), target).stat().st_size > 1e6


@pytest.mark.long
@pytest.mark.parametrize("output", ["normalised-sigmoid", "sigmoid"])
def test_other_outputs(output, tmp_path):
    model = vivid(TINY["CNN"], seconds=1.5, activation=output, aggregation="vote")
    export_model(model, tmp_path / "model.onnx")
    metadata = exported_metadata(tmp_path / "model.onnx")
    assert (metadata["output"], metadata["decision"]) == (output, "vote")


def test_a_trained_model_names_genres_in_onnxruntime(checkpoint, tmp_path):
    import onnxruntime

    export_model(load_model(checkpoint), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (given,), (output,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("waveform", ["batch", 18_000], "tensor(float)")
    assert (output.name, output.shape) == ("scores", ["batch", 3])
    waves = torch.stack([torch.from_numpy(tone(hz, 1.5)) for hz in (150, 900, 4000, 150)])
    (scores,) = session.run(None, {"waveform": waves.numpy()})
    metadata = session.get_modelmeta().custom_metadata_map
    labels = json.loads(metadata["labels"])
    assert [labels[row.argmax()] for row in scores] == ["bass", "middle", "treble", "bass"]
    assert float(metadata["sample_rate"]) == RATE
    assert float(metadata["frame_seconds"]) == 1.5
    assert metadata["decision"] == "mean"
    assert metadata["output"] == "softmax"


@pytest.mark.long
@pytest.mark.parametrize("level", ["bound", "normalise"])
def test_the_front_ends_level_is_exported(level, tmp_path):
    import onnxruntime

    model = vivid(TINY["MusiCNN"])
    model.frontend = LogMel(**{**model.frontend.settings, "level": level, "backend": "fft"})
    export_model(model, tmp_path / "model.onnx")
    wave = torch.from_numpy(tone(900, model.frames.seconds, rate=model.frames.sample_rate))
    gains = torch.tensor([1.0, 10**-1.5, 32_768.0, 0.0])
    waves = gains[:, None] * wave + torch.tensor([[0.2], [0.0], [0.0], [0.2]])
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (scores,) = session.run(None, {"waveform": waves.numpy()})
    with torch.inference_mode():
        wanted = model.scores(waves)
    torch.testing.assert_close(torch.from_numpy(scores), wanted, atol=1e-4, rtol=0)
    torch.testing.assert_close(wanted[1], wanted[2], atol=1e-4, rtol=0)
    if level == "bound":  # a plausible level still counts
        assert (wanted[1] - wanted[0]).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["model.onnx", "model.PT2"])
def test_metadata_is_the_same_in_both_formats(name, tmp_path):
    model = vivid(TINY["CNN"], seconds=1.5)
    export_model(model, tmp_path / name)
    metadata = exported_metadata(tmp_path / name)
    assert metadata.pop("genrenet")
    assert metadata == {
        "labels": ["a", "b", "é"],
        "sample_rate": 12_000,
        "frame_seconds": 1.5,
        "frame_samples": 18_000,
        "trim": 1.0,
        "decision": "mean",
        "output": "softmax",
        "network": "CNN",
    }


@pytest.mark.long
def test_the_model_is_left_as_it_was(tmp_path):
    model = vivid(TINY["CRNN-torch"], seconds=1.5).train()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    export_model(model, tmp_path / "model.pt2")
    assert model.training
    assert model.network.training
    for name, values in model.state_dict().items():
        assert torch.equal(values, before[name]), name
        assert values.stride() == before[name].stride()


@pytest.mark.long
def test_a_file_of_another_model_is_found_out(tmp_path):
    model = vivid(TINY["CNN"], seconds=1.5)
    export_model(model, tmp_path / "model.onnx")
    with torch.no_grad():
        model.network.head.bias[0] += 0.1
    with pytest.raises(ExportError, match=r"difference of 0\.\d+ for .*, wanted 0\.0001 at"):
        check_export(tmp_path / "model.onnx", model)
    other = vivid(TINY["CNN"], seconds=1.5, labels=("a", "b", "c", "d"))
    with pytest.raises(ExportError, match="scores of shape"):
        check_export(tmp_path / "model.onnx", other)


class Changeable(CNN):
    """A network that computes something else while it is being exported."""

    def forward(self, logmel):
        logits = super().forward(logmel)
        return logits + torch.arange(3) if torch.compiler.is_exporting() else logits


class Branching(CNN):
    """A network that looks at its values, which no export can hold."""

    def forward(self, logmel):
        logits = super().forward(logmel)
        return logits if logits.sum() > 0 else -logits


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
@pytest.mark.parametrize(
    ("kind", "words"), [(Changeable, "a difference of"), (Branching, "cannot export Branching")]
)
def test_no_wrong_file_is_left_and_a_former_one_stays(kind, words, name, tmp_path):
    (tmp_path / name).write_text("what was there before")
    network = functools.partial(kind, **SMALL.keywords)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # scores that are not all of one label
        model = GenreClassifier(["a", "b", "c"], network=network)
    model.frames = FrameSettings(1.5, 0.0, RATE)
    with pytest.raises(ExportError, match=words):
        export_model(model, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "what was there before"


def test_formats_and_folders_are_checked_first(tmp_path):
    model = vivid(TINY["CNN"], seconds=1.5)
    with pytest.raises(ExportError, match=r"suffix '\.tflite', wanted suffix \.onnx or \.pt2"):
        export_model(model, tmp_path / "model.tflite")
    with pytest.raises(ExportError, match="found 'tflite', wanted onnx or torch"):
        export_model(model, tmp_path / "model.onnx", format="tflite")
    with pytest.raises(ExportError, match="no folder"):
        export_model(model, tmp_path / "gone" / "model.onnx")
    assert export_model(model, tmp_path / "model.bin", format="onnx").is_file()


def test_missing_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    model = vivid(TINY["CNN"], seconds=1.5)
    with pytest.raises(ExportError, match=r"needs onnxscript.*pip install 'genrenet\[export\]'"):
        export_model(model, tmp_path / "model.onnx")
    export_model(model, tmp_path / "model.pt2")


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
def test_foreign_files_are_named(name, tmp_path):
    (tmp_path / name).write_text("not a model")
    with pytest.raises(ExportError, match=f"cannot (run|read) .*{name}"):
        exported_metadata(tmp_path / name)


class _Payload:
    def __reduce__(self):
        return exec, ("open('ran', 'w').close()",)


def _pt2(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "/"), content)
    return path


def test_reading_metadata_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = {"m__data__sample_inputs__model.pt": pickle.dumps(_Payload())}
    for folder in ("m__extra", "extra_files"):
        file = _pt2(tmp_path / "evil.pt2", **evil, **{f"{folder}__genrenet.json": '{"labels": []}'})
        assert exported_metadata(file) == {"labels": []}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "not written by genrenet"),
        ({"m__other__genrenet.json": "{}"}, "not written by genrenet"),
        ({"m__extra__genrenet.json": "[1]"}, "not written by genrenet"),
        ({"m__extra__genrenet.json": "{"}, "cannot read"),
        ({"m__extra__genrenet.json": b"\xff"}, "cannot read"),
        ({"m__extra__genrenet.json": b" " * (1 << 26)}, "too large"),
    ],
)
def test_metadata_that_is_none_is_named(members, words, tmp_path):
    with pytest.raises(ExportError, match=words):
        exported_metadata(_pt2(tmp_path / "odd.pt2", **members))
    with pytest.raises(ExportError, match="cannot read"):
        exported_metadata(tmp_path / "gone.pt2")
