"""The classifier: loss, training, checkpoints, and resuming a killed run."""

import functools
import os
import signal
import subprocess
import sys
import time

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from genrenet.models.checkpoints import load_model, read_checkpoint
from genrenet.models.plain import ModelError
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.module import (
    CheckpointMismatchError,
    GenreClassifier,
)
from genrenet.training.schedules import OneCycle
from tests.helpers.small_training import SMALL, small_data, small_model, small_trainer


def mean_loss(model, *given):
    total, weight = model._loss(*given)
    return total / weight


def test_loss_equals_torch_with_smoothing_and_weights():
    model = small_model(label_smoothing=0.1)
    logits, label = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 1])
    target = nn.functional.one_hot(label, 3).float()
    everyone = torch.ones(6, dtype=torch.bool)
    wanted = nn.functional.cross_entropy(logits, label, label_smoothing=0.1)
    assert torch.allclose(mean_loss(model, logits, target, everyone), wanted)
    weights = [0.5, 1.0, 2.0]
    weighted = small_model(class_weights=weights)
    wanted = nn.functional.cross_entropy(logits, label, torch.tensor(weights))
    assert torch.allclose(mean_loss(weighted, logits, target, everyone), wanted)
    some = torch.tensor([True, True, False, True, False, True])
    wanted = nn.functional.cross_entropy(logits[some], label[some])
    assert torch.allclose(mean_loss(small_model(), logits, target, some), wanted)


@pytest.mark.parametrize("output", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_training_and_validation_measure_the_same_loss(output):
    model, logged = small_model(activation=output).eval(), {}
    with torch.no_grad():  # scores of 0 and 1, which an untrained network gives, have no logarithm
        model.network.head.weight.mul_(0.01)
    model.log = lambda name, value, **settings: logged.update({name: value})
    batch = {
        "waveform": torch.randn(5, 18_000),
        "scale": torch.ones(5),
        "label": torch.tensor([0, 1, 2, 2, 1]),
        "counted": torch.tensor([True, True, True, False, True]),
    }
    model.training_step(batch, 0)
    outputs = model.validation_step(batch, 0)
    torch.testing.assert_close(logged["val/loss"], logged["train/loss"].detach())
    counted = batch["counted"]
    if output == "sigmoid":
        target = nn.functional.one_hot(batch["label"], 3).float()
        losses = nn.functional.binary_cross_entropy(outputs["scores"], target, reduction="none")
        torch.testing.assert_close(logged["val/loss"], losses.sum(-1)[counted].mean())


def test_learns_three_pitches(music, tmp_path):
    model = small_model(
        lr_scheduler=OneCycle,
        waveform_augment=WaveformAugment(),
        spec_augment=SpecAugment(4, 5, 1),
        mixup=Mixup(0.2),
        class_weights="balanced",
    )
    trainer = small_trainer(tmp_path, max_epochs=12)
    data = small_data(music)
    trainer.fit(model, data)
    (results,) = trainer.test(model, data, verbose=False)
    assert results["test/song_accuracy"] == 1.0
    assert results["test/frame_accuracy"] > 0.9
    assert {"test/loss", "test/song_f1", "test/song_top2", "test/frame_f1"} <= set(results)
    assert model.provenance["split"].startswith("stratified")


class _Record(pl.Callback):
    """Which crops training saw, epoch by epoch."""

    def __init__(self):
        self.seen = {}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        pairs = zip(batch["song"].tolist(), batch["start"].tolist(), strict=True)
        self.seen.setdefault(trainer.current_epoch, []).extend(pairs)


def test_every_epoch_has_new_crops_in_a_new_order(music, tmp_path):
    record = _Record()
    trainer = small_trainer(tmp_path, max_epochs=3, callbacks=[record])
    trainer.fit(small_model(), small_data(music))
    epochs = list(record.seen.values())
    orders = [[song for song, _ in epoch] for epoch in epochs]
    assert orders[0] != orders[1] != orders[2]
    assert not set(epochs[0]) & set(epochs[1])


def test_sgd_with_nesterov_and_normalised_sigmoid(music, tmp_path):
    model = small_model(
        optimizer=functools.partial(torch.optim.SGD, lr=0.02, momentum=0.9, nesterov=True),
        activation="normalised-sigmoid",
    )
    trainer = small_trainer(tmp_path, max_epochs=8)
    trainer.fit(model, small_data(music))
    assert trainer.callback_metrics["val/song_accuracy"] == 1.0


def test_checkpoint_gives_the_same_scores_and_says_where_it_comes_from(music, tmp_path):
    model, data = small_model(), small_data(music)
    trainer = small_trainer(tmp_path, max_epochs=1)
    trainer.fit(model, data)
    file = tmp_path / "model.ckpt"
    trainer.save_checkpoint(file)
    again = load_model(file)
    wave = torch.randn(2, 18_000)
    model.eval()
    assert torch.equal(again.scores(wave), model.scores(wave))
    assert again.labels == ["bass", "middle", "treble"]
    assert again.frames == data.frames
    description = read_checkpoint(file)["genrenet"]
    assert description["split"] == data.split.name
    assert "val/song_accuracy" in description["metrics"]
    assert description["versions"]["torch"] == torch.__version__


def test_resuming_with_other_settings_is_refused(music, tmp_path):
    trainer = small_trainer(tmp_path, max_epochs=1)
    trainer.fit(small_model(), small_data(music))
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    other = small_model(activation="normalised-sigmoid")
    with pytest.raises(CheckpointMismatchError, match="differ in output"):
        small_trainer(tmp_path).fit(
            other, small_data(music), ckpt_path=tmp_path / "model.ckpt", weights_only=True
        )


def test_data_that_does_not_fit_the_network_is_named(music, tmp_path):
    with pytest.raises(ModelError, match="STFT frames of a frame: found 94"):
        small_trainer(tmp_path).fit(small_model(), small_data(music, frame_seconds=2.0))
    labels = GenreClassifier(["x", "y", "z"], network=SMALL)
    with pytest.raises(ModelError, match="labels"):
        small_trainer(tmp_path).fit(labels, small_data(music))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activation": "sparsemax"}, "sparsemax"),
        ({"label_smoothing": 1.0}, "share"),
        ({"class_weights": [1.0]}, "3 weights"),
    ],
)
def test_bad_settings_are_named(settings, words):
    with pytest.raises(ModelError, match=words):
        small_model(**settings)


TRAIN = """
import sys
from pathlib import Path
import pytorch_lightning as pl, torch
from genrenet.training.augmentation import Mixup, SpecAugment
from genrenet.training.schedules import OneCycle
from tests.helpers.small_training import small_data, small_model, small_trainer

music, folder, resume = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "resume"


class Tell(pl.Callback):
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        print("batch", trainer.current_epoch, batch_idx, flush=True)
        if sys.argv[3] == "slow":
            import time
            time.sleep(0.3)


keep = pl.callbacks.ModelCheckpoint(folder, save_last=True, every_n_epochs=1)
trainer = small_trainer(folder, max_epochs=4, callbacks=[Tell(), keep], enable_checkpointing=True)
model = small_model(lr_scheduler=OneCycle, spec_augment=SpecAugment(4, 5, 1), mixup=Mixup(0.3))
path = folder / "last.ckpt" if resume else None
trainer.fit(model, small_data(music), ckpt_path=path, weights_only=True)
torch.save(model.state_dict(), folder / "end.pt")
"""


def _train(music, folder, how):
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", TRAIN, str(music), str(folder), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


@pytest.mark.long
def test_a_killed_run_resumes_and_ends_with_the_same_weights(music, tmp_path):
    whole = _train(music, tmp_path / "whole", "plain")
    assert whole.communicate(timeout=120)[0]
    assert whole.returncode == 0
    with _train(music, tmp_path / "killed", "slow") as killed:
        for line in killed.stdout:
            if line.startswith("batch 2 1"):  # in the middle of the third epoch
                time.sleep(0.1)
                killed.send_signal(signal.SIGKILL)
                break
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "end.pt").exists()
    resumed = _train(music, tmp_path / "killed", "resume")
    lines = resumed.communicate(timeout=120)[0]
    assert resumed.returncode == 0
    assert "batch 0" not in lines
    wanted = torch.load(tmp_path / "whole" / "end.pt", weights_only=True)
    found = torch.load(tmp_path / "killed" / "end.pt", weights_only=True)
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        assert torch.equal(value, found[name]), name
