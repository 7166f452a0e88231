"""Non-finite numbers end a training, are never saved or used, and stay out of JSON."""

import functools
import json

import pytest
import torch

from genrenet.cli import main
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import CheckpointError, load_model, read_checkpoint
from genrenet.models.networks import CNN
from genrenet.training.module import GenreClassifier
from genrenet.utils.finite import NonFiniteError, non_finite
from tests.helpers.small_training import SMALL, TINY, small_data, small_model, small_trainer


class Overflowing(CNN):
    """A network whose outputs are NaN from some training step on."""

    steps_left = 0

    def forward(self, logmel):
        if self.training:
            self.steps_left -= 1
        logits = super().forward(logmel)
        return logits * float("nan") if self.steps_left < 0 else logits


def overflowing(n_labels, steps):
    network = Overflowing(n_labels, **SMALL.keywords)
    network.steps_left = steps
    return network


def test_training_stops_where_the_loss_is_not_finite(music, tmp_path):
    from pytorch_lightning.callbacks import ModelCheckpoint

    keep = ModelCheckpoint(tmp_path, filename="best", monitor="val/loss")
    last = ModelCheckpoint(tmp_path, filename="last", save_on_train_epoch_end=True)
    trainer = small_trainer(tmp_path, enable_checkpointing=True, callbacks=[keep, last])
    model = small_model(network=functools.partial(overflowing, steps=6))
    with pytest.raises(NonFiniteError, match=r"in epoch 1: the training loss .* in step 6; lower"):
        trainer.fit(model, small_data(music))  # 4 steps are an epoch
    for name in ("best", "last"):
        entries = read_checkpoint(tmp_path / f"{name}.ckpt")
        assert entries["global_step"] == 4
        assert not non_finite(entries["state_dict"])


@pytest.mark.parametrize("name", ["running_var", "weight"])
def test_weights_and_statistics_that_are_not_finite_are_not_saved(music, tmp_path, name):
    trainer = small_trainer(tmp_path, max_epochs=1)
    model = small_model()
    trainer.fit(model, small_data(music))
    with torch.no_grad():
        state = model.network.convolutions[0][1].state_dict()
        state[name][0] = float("inf")
    with pytest.raises(NonFiniteError, match=rf"in network\.convolutions\.0\.1\.{name}"):
        trainer.save_checkpoint(tmp_path / "broken.ckpt")
    assert not (tmp_path / "broken.ckpt").exists()


def test_a_validation_loss_that_is_not_finite_ends_the_training(music, tmp_path):
    model = small_model()
    model.network.dropout = Broken()
    with pytest.raises(NonFiniteError, match="the validation loss"):
        small_trainer(tmp_path, num_sanity_val_steps=0).fit(model, small_data(music))


class Broken(torch.nn.Module):
    """NaN in eval mode alone."""

    def forward(self, x):
        return x if self.training else x * float("nan")


def test_a_rate_that_is_far_too_high_is_named_by_the_command(music, tmp_path, capsys):
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = [f"--config={tmp_path / 'tiny.yaml'}", f"--data.source={music}", f"--out={tmp_path}"]
    options += ["--data.split=stratified", "--trainer.accelerator=cpu", "--name=run"]
    options += ["--model.optimizer=SGD", "--model.optimizer.lr=1e30", "--trainer.max_epochs=4"]
    assert main(["fit", *options]) == 2
    said = capsys.readouterr().err
    assert "not finite" in said
    assert "--model.optimizer.init_args.lr" in said
    for file in (tmp_path / "run").rglob("*.ckpt"):
        assert not non_finite(read_checkpoint(file)["state_dict"]), file


def _broken(checkpoint, target):
    entries = torch.load(checkpoint, weights_only=True)
    entries["state_dict"]["network.head.bias"][0] = float("nan")
    torch.save(entries, target)
    return target


def test_a_checkpoint_with_nan_names_no_genre(checkpoint, music, tmp_path, capsys):
    file = _broken(checkpoint, tmp_path / "nan.ckpt")
    with pytest.raises(CheckpointError, match=r"not finite .* network\.head\.bias"):
        load_model(file)
    assert main(["classify", str(music), "--checkpoint", str(file), "--format", "json"]) == 2
    assert capsys.readouterr().out == ""


def test_scores_that_are_not_finite_are_errors_of_their_songs(checkpoint, music):
    model = load_model(checkpoint)
    with torch.no_grad():
        model.network.head.bias[0] = float("nan")
    seen = []
    songs = sorted(map(str, music.rglob("*-0.wav")))
    for result in score_songs(songs, model, watch=lambda *found: seen.append(found)):
        assert result.genre is None
        assert "not finite" in result.error
        assert not result.scores
    assert not seen


@pytest.mark.parametrize("command", ["test", "predict"])
def test_songs_without_finite_scores_are_skipped_by(command, music, tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = [f"--config={tmp_path / 'tiny.yaml'}", f"--data.source={music}", f"--out={tmp_path}"]
    options += ["--data.split=stratified", "--trainer.accelerator=cpu", "--name=run"]
    assert main(["fit", *options]) == 0
    forward = GenreClassifier.frame_scores

    def broken(self, batch):
        found = forward(self, batch)
        bad = batch["song"] == 1
        found["scores"] = torch.where(bad[:, None], float("nan"), found["scores"])
        return found

    monkeypatch.setattr(GenreClassifier, "frame_scores", broken)
    run = tmp_path / "run" / "version_0"
    assert main([command, "--ckpt_path", str(run / "checkpoints" / "last.ckpt")]) == 1
    if command == "test":
        text = (run / "test" / "report" / "results.json").read_text("utf-8")
        found = json.loads(text, parse_constant=pytest.fail)
        assert [item["reason"][-10:] for item in found["skipped"]] == ["not finite"]
    (table,) = (run / command).rglob("predictions.csv")
    assert "nan" not in table.read_text("utf-8")
