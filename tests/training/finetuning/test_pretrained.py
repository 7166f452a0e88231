"""Transfer learning: new heads, and the command line."""

import pytest
import torch
import yaml

from genrenet.cli import main
from genrenet.models.checkpoints import load_model, read_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN, NetworkError
from genrenet.models.plain import ModelError
from genrenet.training.finetuning import FinetuningError, LayerFreezing, Pretrained
from genrenet.training.module import GenreClassifier
from tests.helpers.finetuned import LABELS, fit, fixed_data
from tests.helpers.small_training import SMALL, small_model

# --- backbones ------------------------------------------------------------------------------------


def test_a_backbone_keeps_its_trunk_and_gets_a_new_head(checkpoint):
    backbone = load_model(checkpoint)
    network = Pretrained(str(checkpoint))(5)
    assert type(network) is CNN
    assert network.settings == backbone.network.settings
    assert network.head.out_features == 5
    assert network.training
    assert network.frame_seconds == 1.5
    for name, value in backbone.network.convolutions.state_dict().items():
        assert torch.equal(network.convolutions.state_dict()[name], value)
    bound = network.embedding_size**-0.5
    assert 0 < network.head.weight.abs().max() <= bound
    assert 0 < network.head.bias.abs().max() <= bound


def test_the_new_head_depends_on_its_seed_alone(checkpoint):
    first = Pretrained(str(checkpoint))(5)
    torch.rand(7)
    again, other = Pretrained(str(checkpoint))(5), Pretrained(str(checkpoint), seed=1)(5)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
    state = torch.get_rng_state()
    first.reset_classifier(4)
    assert first.n_labels == 4
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(NetworkError, match="0 labels"):
        first.reset_classifier(0)


def test_a_head_can_be_kept_where_it_fits(checkpoint):
    network = Pretrained(str(checkpoint), keep_head=True)(3)
    assert torch.equal(network.head.weight, load_model(checkpoint).network.head.weight)
    with pytest.raises(FinetuningError, match="found 3 labels in the backbone, wanted 4"):
        Pretrained(str(checkpoint), keep_head=True)(4)


def test_dropout_is_set_and_described(checkpoint):
    network = Pretrained(str(checkpoint), dropout=0.0)(3)
    assert network.dropout.p == network.settings["dropout"] == 0.0
    with pytest.raises(FinetuningError, match="share"):
        Pretrained(str(checkpoint), dropout=1.0)


def test_the_front_end_comes_along_with_what_it_has_learnt(music, tmp_path):
    model = small_model(frontend=LogMel(fmin=30.0, trainable_mel=True))
    with torch.no_grad():
        for parameter in model.frontend.parameters():
            parameter.mul_(1.5)
    trainer = fit(music, tmp_path, model, LayerFreezing(), max_epochs=1)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    again = GenreClassifier(["x", "y"], network=Pretrained(str(tmp_path / "model.ckpt")))
    assert again.frontend.settings == model.frontend.settings
    wave = torch.randn(2, 18_000)
    assert torch.equal(again.frontend(wave), model.frontend(wave))


def test_a_fine_tuned_checkpoint_says_where_it_comes_from_and_needs_no_backbone(
    checkpoint, music, tmp_path
):
    backbone = tmp_path / "backbone.ckpt"
    backbone.write_bytes(checkpoint.read_bytes())
    model = GenreClassifier(LABELS, network=Pretrained(str(backbone)))
    trainer = fit(music, tmp_path, model, LayerFreezing(), max_epochs=1)
    trainer.save_checkpoint(tmp_path / "tuned.ckpt")
    description = read_checkpoint(tmp_path / "tuned.ckpt")["genrenet"]
    assert description["network"]["name"] == "CNN"
    assert description["backbone"]["name"] == "backbone.ckpt"
    assert len(description["backbone"]["sha256"]) == 64
    assert description["dataset"]
    backbone.unlink()
    again = load_model(tmp_path / "tuned.ckpt")
    wave = torch.randn(2, 18_000)
    wanted = model.eval().scores(wave)
    assert torch.equal(again.scores(wave), wanted)
    assert again.provenance["backbone"] == description["backbone"]
    # Resumed without the backbone, it still remembers.
    plain = GenreClassifier(LABELS, network=SMALL)
    path = tmp_path / "tuned.ckpt"
    fit(music, tmp_path, plain, LayerFreezing(), ckpt_path=path, max_epochs=2)
    assert plain.description()["backbone"] == description["backbone"]


def test_data_that_do_not_fit_the_backbone_are_named(checkpoint, music, tmp_path):
    model = GenreClassifier(LABELS, network=Pretrained(str(checkpoint)))
    with pytest.raises(ModelError, match="STFT frames of a frame: found 94"):
        fit(music, tmp_path, model, LayerFreezing(), fixed_data(music, frame_seconds=2.0))


# --- from the command line ------------------------------------------------------------------------

OPTIONS = ["--trainer.enable_progress_bar=false", "--trainer.accelerator=cpu"]


def test_fit_and_test_from_the_command_line(checkpoint, music, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backbone = tmp_path / "backbone.ckpt"
    backbone.write_bytes(checkpoint.read_bytes())
    own = tmp_path / "own.yaml"
    own.write_text(
        "model: {network: {init_args: {backbone: backbone.ckpt}}}\n"
        "data: {frame_seconds: 1.5, split: stratified, batch_size: 4}\n"
        "trainer:\n"
        "  max_epochs: 3\n"
        "  callbacks:\n"
        "    - class_path: genrenet.training.finetuning.LayerFreezing\n"
        "      init_args: {train: [head], unfreeze: {1: [conv2]}, rates: {conv2: 0.1},"
        " cache_trunk: true}\n"
    )
    source = ["--data.source", str(music)]
    assert main(["fit", "--config", "transfer", "--config", str(own), *source, *OPTIONS]) == 0
    run = tmp_path / "runs" / "transfer-own" / "version_0"
    best, last = (run / "checkpoints" / f"{name}.ckpt" for name in ("best", "last"))
    first = read_checkpoint(best)
    assert first["genrenet"]["backbone"]["name"] == "backbone.ckpt"
    conv1 = load_model(checkpoint).network.convolutions[0].state_dict()
    for name, value in conv1.items():
        assert torch.equal(first["state_dict"][f"network.convolutions.0.{name}"], value)
    tags = _tags(run)
    assert {"lr-AdamW/conv2", "lr-AdamW/head"} <= tags["scalars"]
    assert "curves/song_accuracy" in _tags(run / "val")["scalars"]
    assert "val/confusion_songs" in tags["images"]

    # Neither a test nor going on needs the backbone.
    backbone.unlink()
    capsys.readouterr()
    assert main(["test", "--ckpt_path", str(best), *OPTIONS]) == 0
    assert "song accuracy" in capsys.readouterr().out
    assert main(["fit", "--ckpt_path", str(last), "--trainer.max_epochs=4", *OPTIONS]) == 0
    config = yaml.safe_load((run / "config.yaml").read_text())
    wanted = {"class_path": "genrenet.training.finetuning.Pretrained", "backbone": "backbone.ckpt"}
    network = config["model"]["network"]
    found = {"class_path": network["class_path"], "backbone": network["init_args"]["backbone"]}
    assert found == wanted
    assert config["model"]["frontend"] is None
    again = read_checkpoint(last)
    assert again["epoch"] == 3
    assert again["genrenet"]["backbone"] == first["genrenet"]["backbone"]

    # Nor does a checkpoint that was exported from it; a damaged one is named.
    small = run / "checkpoints" / "small.ckpt"
    assert main(["checkpoints", "export", str(best), str(small)]) == 0
    assert main(["predict", "--ckpt_path", str(small), *OPTIONS]) == 0
    for part, words in (({"name": "Evil"}, "not known here"), ({}, "damaged")):
        first["genrenet"]["network"] = part
        torch.save(first, small)
        capsys.readouterr()
        assert main(["test", "--ckpt_path", str(small), *OPTIONS]) == 2
        assert words in capsys.readouterr().err


def _tags(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run))
    events.Reload()
    found = events.Tags()
    return {kind: set(found[kind]) for kind in ("scalars", "images")}


@pytest.mark.parametrize("name", ["transfer", "transfer-musicnn", "transfer-efficientat"])
def test_packaged_configurations_are_complete(
    name, checkpoint, music, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--model.network.init_args.backbone", str(checkpoint), "--data.source", str(music)]
    plan = "--trainer.callbacks.init_args.train=[head]"
    # All of it is understood; only this music does not fit this small backbone.
    assert main(["fit", "--config", name, *options, plan, *OPTIONS]) == 2
    assert "the data and the network differ in" in capsys.readouterr().err
