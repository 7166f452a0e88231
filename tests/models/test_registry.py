"""Custom networks and front ends: restored exactly as trained, or rejected."""

import json
import os
import sys

import pytest
import torch
from torch import nn

from genrenet.cli import main
from genrenet.models.checkpoints import (
    CheckpointError,
    CheckpointMismatchError,
    export_checkpoint,
    load_model,
    read_checkpoint,
)
from genrenet.models.checkpoints.export import export_model
from genrenet.models.networks import CNN
from genrenet.models.optimised import optimised
from genrenet.models.plain import ModelError
from genrenet.models.registry import RebuildError, arguments_of
from genrenet.training.finetuning import FinetuningError, Pretrained
from genrenet.training.module import GenreClassifier
from tests.helpers.plugin_packages import genrenet, write_plugin
from tests.helpers.small_training import SMALL, TINY, small_data, small_model, small_trainer

OWN = '''
import torch
from torch import nn
from genrenet.models.frontend import FrontEnd, LogMel
from genrenet.models.networks import GenreNetwork


class Half(LogMel):
    """A log-mel whose upper bands are silent; it takes an argument that LogMel has not."""

    def __init__(self, share: float = 0.5, **settings):
        super().__init__(**settings)
        self.share = share

    def forward(self, waveform):
        mel = super().forward(waveform).clone()
        mel[:, int(self.share * mel.shape[1]):] = 0
        return mel


class Zero(LogMel):
    """Nothing at all."""

    def forward(self, waveform):
        return torch.zeros_like(super().forward(waveform))


class Envelope(FrontEnd):
    """Not a mel at all: levels of stretches of the waveform."""

    def __init__(self, n_mels: int = 96, hop: int = 256):
        super().__init__()
        self.sample_rate, self.n_mels, self.hop = 12_000, n_mels, hop

    def forward(self, waveform):
        columns = waveform.shape[-1] // self.hop
        pieces = waveform[:, : columns * self.hop].unflatten(1, (columns, self.hop))
        level = nn.functional.pad(pieces.square().mean(-1), (0, 1))
        return level[:, None] * torch.linspace(0, 1, self.n_mels, device=level.device)[:, None]


class Pooled(GenreNetwork):
    """Means over time, a layer and a head; its logits are not the head's alone."""

    def __init__(self, n_labels: int, n_mels: int = 96, width: int = 12, scale: float = 1.0):
        super().__init__()
        self.settings = {"n_mels": n_mels}
        self.norm, self.layer = nn.BatchNorm1d(n_mels), nn.Linear(n_mels, width)
        self.head, self.scale = nn.Linear(width, n_labels), scale

    def stages(self):
        return {"norm": self.norm, "layer": self.layer, "head": self.head}

    def steps(self):
        return {"norm": lambda x: self.norm(x.mean(-1)), "layer": self.layer}

    def pool_features(self, features):
        return features.relu()

    def forward(self, logmel):
        return self.scale * super().forward(logmel)
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of a user's own, in a folder that Python finds modules in."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "own_parts.py").write_text(OWN)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    monkeypatch.delenv("GENRENET_TRUST", raising=False)
    yield folder / "own_parts.py"
    sys.modules.pop("own_parts", None)


def forget(monkeypatch):
    """As in another program, where nobody has imported the module."""
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)


def fit(folder, music, *options):
    (folder / "tiny.yaml").write_text(TINY)
    given = [f"--config={folder / 'tiny.yaml'}", f"--data.source={music}", f"--out={folder}"]
    given += ["--data.split=stratified", "--trainer.accelerator=cpu", "--name=run"]
    assert main(["fit", *given, *options]) == 0
    return folder / "run" / "version_0" / "checkpoints" / "last.ckpt"


def scores_in_training(checkpoint, network, frontend, wave):
    """Scores by the classes themselves and the weights in the checkpoint, without its reader."""
    model = GenreClassifier(["bass", "middle", "treble"], network=network, frontend=frontend)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    return model.eval().scores(wave)


@pytest.mark.parametrize(
    ("kind", "options", "arguments"),
    [
        ("Zero", [], {}),
        ("Half", ["--model.frontend.init_args.share=0.3"], {"share": 0.3}),
        ("Envelope", [], {}),
    ],
)
def test_a_front_end_is_used_as_it_was_trained(
    kind, options, arguments, own, music, tmp_path, monkeypatch
):
    file = fit(tmp_path, music, f"--model.frontend=own_parts.{kind}", *options)
    parts, wave = sys.modules["own_parts"], torch.randn(3, 18_000)
    wanted = scores_in_training(file, SMALL, getattr(parts, kind)(**arguments), wave)
    model = load_model(file)
    assert type(model.frontend) is getattr(parts, kind)
    assert torch.equal(model.scores(wave), wanted)
    ready = optimised(model, "32")
    assert torch.allclose(ready.scores(wave), wanted, atol=1e-4)
    forget(monkeypatch)
    with pytest.raises(CheckpointError, match=r"code would be run.*GENRENET_TRUST=own_parts"):
        load_model(file)
    assert "own_parts" not in sys.modules
    trusting = load_model(file, trust=["own_parts"])
    assert torch.equal(trusting.scores(wave), wanted)


def test_the_whole_way_of_a_network(own, music, tmp_path, monkeypatch, capsys):
    options = ["--model.network=own_parts.Pooled", "--model.network.init_args.scale=3"]
    file = fit(tmp_path, music, "--model.frontend=own_parts.Zero", *options)
    assert main(["test", "--ckpt_path", str(file)]) == 0
    report = file.parents[1] / "test" / "report" / "results.json"
    assert json.loads(report.read_text("utf-8"))["method"] == "Pooled"
    forget(monkeypatch)
    capsys.readouterr()
    song = str(next(music.rglob("bass-0.wav")))
    command = ["classify", song, "--checkpoint", str(file), "--format", "json"]
    assert main(command) == 2
    assert "GENRENET_TRUST=own_parts" in capsys.readouterr().err
    monkeypatch.setenv("GENRENET_TRUST", "other, own_parts")
    assert main(command) == 0
    (found,) = json.loads(capsys.readouterr().out)
    parts = sys.modules["own_parts"]
    wave = torch.zeros(1, 18_000)
    wanted = scores_in_training(
        file, lambda n: parts.Pooled(n, scale=3.0), parts.Zero(), wave
    )  # of whatever waveform: this front end says nothing
    assert list(found["scores"].values()) == pytest.approx(wanted[0].tolist(), abs=1e-3)
    assert main(["checkpoints", "info", str(file)]) == 0
    small = export_checkpoint(file, tmp_path / "small.ckpt")
    assert torch.equal(load_model(small).scores(wave), wanted)
    export_model(load_model(small), tmp_path / "pooled.pt2")
    resumed = ["fit", "--ckpt_path", str(file), "--trainer.max_epochs=2"]
    assert main(resumed) == 0


def test_what_is_validated_is_what_was_trained(own, music, tmp_path):
    """A network whose logits are not the head's alone has the same loss in every step."""
    import own_parts

    model = small_model(network=lambda n: own_parts.Pooled(n, scale=5.0)).eval()
    logged = {}
    model.log = lambda name, value, **settings: logged.update({name: float(value.detach())})
    batch = {
        "waveform": torch.randn(5, 18_000),
        "scale": torch.ones(5),
        "label": torch.tensor([0, 1, 2, 2, 1]),
        "counted": torch.ones(5, dtype=torch.bool),
    }
    model.training_step(batch, 0)
    model.validation_step(batch, 0)
    assert logged["val/loss"] == pytest.approx(logged["train/loss"], rel=1e-5)


def changed(own, monkeypatch, before, after):
    assert before in OWN
    own.write_text(OWN.replace(before, after))
    forget(monkeypatch)
    monkeypatch.setenv("GENRENET_TRUST", "own_parts")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import importlib

    importlib.invalidate_caches()
    for file in own.parent.rglob("*.pyc"):
        file.unlink()


@pytest.mark.parametrize(
    ("before", "after", "error", "words"),
    [
        ("class Half", "class Third", CheckpointError, "no Half in the module own_parts"),
        ("share: float", "part: float", CheckpointError, "cannot be made again.*share"),
        ("mel[:, int(", "mel[:, :int(", CheckpointMismatchError, "another version of own_parts"),
        ("import torch\n", "import nothing_of_it\n", CheckpointError, "ModuleNotFoundError"),
    ],
)
def test_a_changed_class_is_refused(before, after, error, words, own, music, tmp_path, monkeypatch):
    options = ["--model.frontend=own_parts.Half", "--model.frontend.init_args.share=0.3"]
    file = fit(tmp_path, music, *options)
    after = after.replace("share: float", "part: float")
    changed(own, monkeypatch, before, after)
    with pytest.raises(error, match=words):
        load_model(file)
    assert main(["classify", str(music), "--checkpoint", str(file)]) == 2


def test_a_missing_module_is_named(own, music, tmp_path, monkeypatch, capsys):
    file = fit(tmp_path, music, "--model.frontend=own_parts.Zero")
    own.unlink()
    changed_to = own.parent / "elsewhere.py"
    changed_to.write_text("")
    forget(monkeypatch)
    for cached in own.parent.rglob("*.pyc"):
        cached.unlink()
    monkeypatch.setenv("GENRENET_TRUST", "own_parts")
    with pytest.raises(CheckpointError, match=r"own_parts\.Zero, which cannot be imported.*PYTHON"):
        load_model(file)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("subprocess.Popen", r"derived from torch\.nn\.Module"),
        ("pathlib.Path", r"derived from torch\.nn\.Module"),
        ("genrenet.cli.main", r"derived from torch\.nn\.Module"),
        ("torch.nn.Linear", "cannot be made again"),
    ],
)
def test_a_file_names_no_other_kind_of_class(path, words, checkpoint, tmp_path, monkeypatch):
    entries = torch.load(checkpoint, weights_only=True)
    monkeypatch.setenv("GENRENET_TRUST", "torch,subprocess,pathlib")
    part = {"name": "x", "class_path": path, "settings": {"args": ["true"]}}
    entries["genrenet"]["frontend"] = part
    torch.save(entries, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match=words):
        load_model(tmp_path / "evil.ckpt")
    monkeypatch.delenv("GENRENET_TRUST")
    if not path.startswith("genrenet"):  # which any module here has imported: that is no trust
        with pytest.raises(CheckpointError, match="code would be run"):
            load_model(tmp_path / "evil.ckpt")


@pytest.mark.long
def test_a_plugin_names_its_network(own, music, tmp_path, monkeypatch):
    code = """
from genrenet import hookimpl
from genrenet.models.registry import ModuleClass

@hookimpl
def register_networks(register):
    from own_parts import Pooled
    register(ModuleClass("pooled", "means over time", Pooled))
"""
    # Not in a folder that this process finds modules in: its plugins may yet be loaded.
    site = write_plugin(tmp_path / "plugin", "pooling_plugin", code, "pooling")
    site = f"{site}{os.pathsep}{own.parent}"
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = [f"--config={tmp_path / 'tiny.yaml'}", f"--data.source={music}", f"--out={tmp_path}"]
    options += ["--data.split=stratified", "--trainer.accelerator=cpu", "--name=run"]
    options += ["--model.network=own_parts.Pooled", "--model.network.init_args.scale=2"]
    genrenet("fit", *options, path=site)
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    part = read_checkpoint(file)["genrenet"]["network"]
    assert part["name"] == "pooled"
    assert part["plugin"] == "pooling_plugin 1.0"
    assert part["settings"]["scale"] == 2.0
    song = next(music.rglob("bass-0.wav"))
    genrenet("classify", song, "--checkpoint", file, path=site)
    listed = genrenet("plugins", "--kind", "network", path=site).stdout
    assert "pooled" in listed
    with pytest.raises(CheckpointError, match=r"plugin pooling_plugin 1.0, which is not here"):
        load_model(file)


def test_what_cannot_be_stored_is_refused_before_training(music, tmp_path):
    class Local(CNN):
        pass

    trainer = small_trainer(tmp_path, enable_checkpointing=True)
    model = small_model(network=lambda n: Local(n, **SMALL.keywords))
    with pytest.raises(RebuildError, match="inside of a function"):
        trainer.fit(model, small_data(music))
    with pytest.raises(RebuildError, match="argument device of type Parameter"):
        Odd(3, device=nn.Parameter(torch.zeros(1)))
    with pytest.raises(ModelError, match=r"front end of the model: .*wanted a torch\.nn\.Module"):
        GenreClassifier(["a", "b"], network=SMALL, frontend=3)


class Odd(CNN):
    def __init__(self, n_labels, *, device):
        super().__init__(n_labels, **SMALL.keywords)
        arguments_of(self, skip=1)


def test_transfer_keeps_the_front_end(own, music, tmp_path):
    file = fit(tmp_path, music, "--model.frontend=own_parts.Half")
    model = GenreClassifier(["a", "b"], network=Pretrained(str(file)))
    assert type(model.frontend).__name__ == "Half"
    options = ["--model.network=own_parts.Pooled"]
    (tmp_path / "other").mkdir()
    pooled = fit(tmp_path / "other", music, *options)
    with pytest.raises(FinetuningError, match="no dropout before its head"):
        Pretrained(str(pooled), dropout=0.3)(3)
    assert Pretrained(str(pooled))(3).scale == 1.0
