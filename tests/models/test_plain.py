"""Plain modules as networks and front ends: used, stored and restored exactly, or rejected."""

import json
import sys
from functools import partial

import pytest
import torch
from torch import nn

from genrenet.cli import main
from genrenet.features.embeddings import layer_sizes
from genrenet.models.checkpoints import CheckpointError, load_model, write_checkpoint
from genrenet.models.checkpoints.export import export_model
from genrenet.models.folding import HalfPrecision
from genrenet.models.model import GenreModel
from genrenet.models.networks import CNN, NetworkError
from genrenet.models.optimised import optimised
from genrenet.models.plain import ModelError
from genrenet.models.registry import RebuildError
from genrenet.training.finetuning import FinetuningError, LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from tests.helpers.small_training import TINY, small_data, small_trainer

OWN = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, n_labels, width=8):
        super().__init__()
        self.conv, self.last = nn.Conv1d(96, width, 3), nn.Linear(width, n_labels)

    def forward(self, logmel):
        return self.last(self.conv(logmel).relu().amax(-1))


class Offering(Net):
    frame_seconds = 1.5

    def __init__(self, n_labels, width=8):
        super().__init__(n_labels, width)
        self.head, self.settings = self.last, "not a dictionary"
        del self.last

    def embed(self, logmel):
        return self.conv(logmel).relu().amax(-1)

    def forward(self, logmel):
        return self.head(self.embed(logmel))

    def stages(self):
        return {"conv": self.conv, "head": self.head}


class Dropping(Net):
    def __init__(self, n_labels, width=8, dropout=0.1):
        super().__init__(n_labels, width)
        self.head, self.dropout = self.last, nn.Dropout(dropout)
        del self.last

    def forward(self, logmel):
        return self.head(self.dropout(self.conv(logmel).relu().amax(-1)))


class Levels(nn.Module):
    sample_rate = 12_000

    def __init__(self, hop=256, bins=96):
        super().__init__()
        self.hop = hop
        self.register_buffer("scale", torch.linspace(0, 1, bins)[:, None], persistent=False)

    def forward(self, waveform):
        pieces = waveform.unfold(-1, self.hop, self.hop)
        return pieces.square().mean(-1)[:, None] * self.scale


class Flat(nn.Module):
    def forward(self, waveform):
        return waveform
"""

LABELS = ["bass", "middle", "treble"]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of plain classes, imported."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "plain_parts.py").write_text(OWN)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("GENRENET_TRUST", raising=False)
    import plain_parts

    yield plain_parts
    sys.modules.pop("plain_parts", None)


def waves(n_samples):
    return torch.randn(2, n_samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["Net", "Offering"])
def test_a_plain_network_goes_the_whole_way(name, own, music, tmp_path, monkeypatch, capsys):
    (tmp_path / "tiny.yaml").write_text(TINY[TINY.index("data:") :])
    options = ["--config", str(tmp_path / "tiny.yaml"), "--data.source", str(music)]
    options += ["--data.split=stratified", "--trainer.accelerator=cpu", "--name=run"]
    options += [f"--model.network=plain_parts.{name}", "--model.network.init_args.width=5"]
    options += ["--model.frontend=plain_parts.Levels", "--model.frontend.init_args.hop=128"]
    assert main(["fit", *options, "--out", str(tmp_path)]) == 0
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    wanted = GenreModel(LABELS, partial(getattr(own, name), width=5), own.Levels(128))
    state = torch.load(file, weights_only=True)["state_dict"]
    wanted.load_state_dict(state)
    model, wave = load_model(file), waves(18_000)
    assert type(model.network.owner) is getattr(own, name)
    assert torch.equal(model(wave), wanted.eval()(wave))
    assert main(["test", "--ckpt_path", str(file)]) == 0
    report = file.parents[1] / "test" / "report" / "results.json"
    assert json.loads(report.read_text("utf-8"))["method"] == name
    capsys.readouterr()
    command = ["classify", str(music / "bass" / "bass-0.wav"), "--checkpoint", str(file)]
    assert main([*command, "--format=json"]) == 0
    assert len(json.loads(capsys.readouterr().out)[0]["scores"]) == 3
    monkeypatch.delitem(sys.modules, "plain_parts")
    assert main(command) == 2
    assert "GENRENET_TRUST=plain_parts" in capsys.readouterr().err
    assert torch.equal(load_model(file, trust=["plain_parts"])(wave), model(wave))
    assert main(["fit", "--ckpt_path", str(file), "--trainer.max_epochs=2"]) == 0


def test_what_is_not_known_of_a_module_is_not_stored(own, tmp_path):
    made = own.Levels(128)
    for network, frontend in (
        (lambda n: own.Net(n, 5), own.Levels),
        (partial(own.Net, width=5), made),
    ):
        model = GenreModel(LABELS, network, frontend)
        assert model.eval()(waves(18_000)).shape == (2, 3)
        with pytest.raises(RebuildError, match=r"arguments are not known.*functools\.partial"):
            write_checkpoint(model, tmp_path / "model.ckpt")
    model = GenreModel(LABELS, partial(own.Net, width=5), partial(own.Levels, hop=128)).eval()
    write_checkpoint(model, tmp_path / "model.ckpt")
    assert torch.equal(load_model(tmp_path / "model.ckpt")(waves(18_000)), model(waves(18_000)))


def test_what_the_program_only_imported_is_not_trusted(own, tmp_path):
    model = GenreModel(LABELS, own.Net)
    write_checkpoint(model, tmp_path / "model.ckpt")
    entries = torch.load(tmp_path / "model.ckpt", weights_only=True)
    entries["genrenet"]["frontend"] = {
        "name": "Flatten",
        "class_path": "torch.nn.modules.flatten.Flatten",
        "settings": {},
    }
    torch.save(entries, tmp_path / "model.ckpt")
    with pytest.raises(CheckpointError, match=r"flatten\.Flatten.*code would be run"):
        load_model(tmp_path / "model.ckpt")


def test_what_a_network_lacks_is_named_where_it_is_asked_for(own, music, tmp_path):
    model = GenreClassifier(LABELS, own.Net)
    with pytest.raises(NetworkError, match=r"plain_parts\.Net offers no embed: wanted embed"):
        model.embed(waves(349_440))
    write_checkpoint(model, tmp_path / "net.ckpt")
    with pytest.raises(NetworkError, match="offers no head"):
        Pretrained(str(tmp_path / "net.ckpt"))(4)
    trainer = small_trainer(tmp_path, callbacks=[LayerFreezing("head")])
    with pytest.raises(NetworkError, match="offers no stages"):
        trainer.fit(model, small_data(music))


def test_what_a_network_offers_is_used(own, music, tmp_path):
    model = GenreClassifier(LABELS, own.Offering, own.Levels)
    assert model.frames.seconds == 1.5
    assert layer_sizes(model) == {"embedding": 8, "logits": 3}
    trainer = small_trainer(tmp_path, callbacks=[LayerFreezing("head")], enable_checkpointing=True)
    before = model.network.owner.conv.weight.clone()
    trainer.fit(model, small_data(music))
    assert torch.equal(model.network.owner.conv.weight, before)
    trainer.save_checkpoint(tmp_path / "offering.ckpt")
    tuned = GenreModel(["a", "b", "c", "d"], Pretrained(str(tmp_path / "offering.ckpt")))
    assert torch.equal(tuned.network.owner.conv.weight, before)
    assert tuned.eval()(waves(18_000)).shape == (2, 4)
    write_checkpoint(tuned, tmp_path / "tuned.ckpt")
    again = load_model(tmp_path / "tuned.ckpt")
    assert torch.equal(again(waves(18_000)), tuned(waves(18_000)))


def test_dropout_is_changed_where_it_can_be_stored(own, tmp_path):
    write_checkpoint(GenreModel(LABELS, own.Dropping), tmp_path / "first.ckpt")
    tuned = GenreModel(LABELS, Pretrained(str(tmp_path / "first.ckpt"), dropout=0.4))
    write_checkpoint(tuned, tmp_path / "second.ckpt")
    assert load_model(tmp_path / "second.ckpt").network.owner.dropout.p == 0.4
    write_checkpoint(GenreModel(LABELS, own.Offering), tmp_path / "none.ckpt")
    with pytest.raises(FinetuningError, match=r"no dropout before its head.*dropout null"):
        Pretrained(str(tmp_path / "none.ckpt"), dropout=0.4)(3)


def test_parts_that_do_not_fit_are_named_before_training(own, music, tmp_path):
    for network, frontend, words in (
        (own.Net, partial(own.Levels, bins=40), r"the network plain_parts\.Net cannot take.*40"),
        (own.Net, own.Flat, r"the front end plain_parts\.Flat gives another shape"),
        (nn.Identity, own.Levels, "the network .*Identity gives another shape"),
    ):
        model, trainer = GenreClassifier(LABELS, network, frontend), small_trainer(tmp_path)
        with pytest.raises(ModelError, match=words):
            trainer.fit(model, small_data(music))


def test_it_is_made_ready_and_exported(own, tmp_path):
    model = GenreModel(LABELS, own.Offering, own.Levels).eval()
    wave = waves(18_000)
    assert torch.allclose(optimised(model, "32").scores(wave), model.scores(wave), atol=1e-6)
    half = optimised(model, "bf16")
    assert torch.allclose(half.scores(wave), model.scores(wave), atol=0.05)
    assert torch.equal(half.embed(wave), model.embed(wave))
    export_model(model, tmp_path / "own.pt2")


def test_half_precision_has_the_layers_of_its_network():
    network = CNN(3).eval()
    logmel = torch.randn(1, 96, 1366)
    found = HalfPrecision(network, torch.bfloat16).layers(logmel)
    assert list(found) == list(network.layers(logmel))


def test_columns_are_counted_where_the_front_end_is():
    class There(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("window", torch.ones(4, device="meta"))

        def forward(self, waveform):
            return waveform.unfold(-1, 4, 4) * self.window

    frontend = GenreModel(LABELS, CNN, There).frontend
    assert frontend.n_stft_frames(12_000) == 4
