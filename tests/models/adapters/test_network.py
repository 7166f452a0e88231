"""Heads on backbones: trainable parts, checkpoints, and errors on restoring."""

import functools
import shutil

import pytest
import torch

from genrenet.features import cached_embeddings
from genrenet.models.adapters import AdapterError
from genrenet.models.adapters.network import LayerMix
from genrenet.models.checkpoints import load_model, read_checkpoint, write_checkpoint
from genrenet.models.checkpoints.licences import require_commercial
from genrenet.training.finetuning import FinetuningError, LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from tests.helpers.backbones import encoder_folder, essentia_json, mel_onnx
from tests.helpers.small_training import small_data, small_trainer

NAMES = ["bass", "middle", "treble"]
LEARNT = {"network.mix.weight", "network.head.weight", "network.head.bias"}


@pytest.fixture
def encoder(tmp_path):
    encoder_folder(tmp_path / "tiny")
    return tmp_path / "tiny"


def classifier(reference, **settings):
    network = Pretrained(reference, dropout=0.1)
    fast = functools.partial(torch.optim.AdamW, lr=0.05)
    return GenreClassifier(NAMES, network=network, optimizer=fast, **settings)


def fitted(music, folder, reference, train):
    """A head that has learnt for an epoch of two batches, with its checkpoint."""
    model = classifier(reference)
    data = small_data(
        music,
        sample_rate=16_000,
        frame_seconds=model.network.frame_seconds,
        crops="fixed",
    )
    few = {"max_epochs": 1, "limit_train_batches": 2, "limit_val_batches": 1}
    few |= {"num_sanity_val_steps": 0}
    trainer = small_trainer(folder, callbacks=[LayerFreezing(train)], **few)
    trainer.fit(model, data)
    trainer.save_checkpoint(folder / "model.ckpt")
    return model.eval(), trainer


def test_a_mix_begins_with_the_mean():
    layers = torch.arange(12.0).reshape(2, 3, 2)
    mix = LayerMix(3)
    assert torch.allclose(mix(layers), layers.mean(dim=1))
    mix.weight.data = torch.tensor([0.0, 100.0, 0.0])
    assert torch.allclose(mix(layers), layers[:, 1])


def test_a_head_learns_and_the_encoder_stays_out_of_the_checkpoint(music, encoder, tmp_path):
    fresh = classifier(f"hf:{encoder}")
    model, trainer = fitted(music, tmp_path, f"hf:{encoder}", ["last", "head"])
    assert trainer.callbacks[0].cache_bytes > 0  # what is frozen was computed once a frame
    assert model.network.mix.weight.abs().max() > 0
    for name, value in fresh.network.encoder.state_dict().items():
        assert torch.equal(model.network.encoder.state_dict()[name], value)
    entries = read_checkpoint(tmp_path / "model.ckpt")
    assert entries["state_dict"].keys() == LEARNT
    backbone = entries["genrenet"]["backbone"]
    assert backbone == {
        "name": "hf:tiny",
        "sha256": entries["genrenet"]["network"]["settings"]["sha256"],
    }
    assert str(tmp_path) not in str(entries["genrenet"])
    again = load_model(tmp_path / "model.ckpt")
    frames = torch.rand(2, again.frames.n_samples) - 0.5
    with torch.no_grad():
        assert torch.equal(again.scores(frames), model.scores(frames))
    write_checkpoint(again, tmp_path / "small.ckpt")
    assert read_checkpoint(tmp_path / "small.ckpt")["state_dict"].keys() == LEARNT
    assert read_checkpoint(tmp_path / "small.ckpt")["genrenet"]["backbone"] == backbone
    require_commercial(tmp_path / "small.ckpt")  # MIT, by its card


def test_an_encoder_that_has_learnt_is_in_the_checkpoint(music, encoder, tmp_path):
    model, _ = fitted(music, tmp_path, f"hf:{encoder}", ["all"])
    state = read_checkpoint(tmp_path / "model.ckpt")["state_dict"]
    assert any(key.startswith("network.encoder.") for key in state)
    again = load_model(tmp_path / "model.ckpt")
    frames = torch.rand(2, again.frames.n_samples) - 0.5
    with torch.no_grad():
        assert torch.equal(again.scores(frames), model.scores(frames))
        before = load_model(f"hf:{encoder}").embed(frames)
        assert not torch.allclose(again.embed(frames), before, atol=1e-4)
    write_checkpoint(again, tmp_path / "small.ckpt")
    assert read_checkpoint(tmp_path / "small.ckpt")["state_dict"].keys() == state.keys()


def test_a_checkpoint_finds_its_backbone_by_content_or_refuses(encoder, tmp_path, monkeypatch):
    model = classifier(f"hf:{encoder}")
    write_checkpoint(model, tmp_path / "model.ckpt")
    moved = tmp_path / "elsewhere"
    shutil.move(encoder, moved)
    with pytest.raises(
        AdapterError, match="'hf:tiny' that a checkpoint was trained on is not here"
    ):
        load_model(tmp_path / "model.ckpt")
    load_model(f"hf:{moved}")  # it is known from now on, under whatever name
    assert load_model(tmp_path / "model.ckpt").labels == NAMES
    shutil.copytree(moved, encoder)
    weights = encoder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    shutil.rmtree(moved)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdapterError, match="found another content with SHA-256"):
        load_model(tmp_path / "model.ckpt")


def test_a_head_on_an_onnx_file(music, tmp_path):
    mel_onnx(tmp_path / "effnet.onnx", (4, 128, 96))
    essentia_json(tmp_path / "effnet.json")
    model, _ = fitted(music, tmp_path, f"onnx:{tmp_path}/effnet.onnx", ["last", "head"])
    assert read_checkpoint(tmp_path / "model.ckpt")["state_dict"].keys() == LEARNT
    again = load_model(tmp_path / "model.ckpt")
    assert again.labels == NAMES
    frames = torch.rand(3, again.frames.n_samples) - 0.5
    with torch.no_grad():
        assert torch.equal(again.scores(frames), model.scores(frames))
    with pytest.raises(Exception, match=r"'onnx:effnet\.onnx' is not for commercial use: no"):
        require_commercial(tmp_path / "model.ckpt")
    with pytest.raises(FinetuningError, match="keep_head"):
        Pretrained(f"onnx:{tmp_path}/effnet.onnx", keep_head=True)(3)


def test_embeddings_are_cached_by_content(music, encoder):
    songs = [str(music / "bass" / "bass-0.wav"), str(music / "treble" / "treble-1.wav")]
    told = []
    for _ in range(2):
        found = cached_embeddings(
            songs, f"hf:{encoder}", "layer1", progress=lambda done, total: told.append(total)
        )
    assert told == [2, 2]  # the second time nothing was left to do
    assert found[0].frames.shape == (1, 16)
    weights = encoder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    cached_embeddings(
        songs[:1], f"hf:{encoder}", "layer1", progress=lambda done, total: told.append(total)
    )
    assert told == [2, 2, 1]
