"""The classifier: scores, loss, training, what checkpoints hold, and resuming a killed run."""

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

from genrenet.data.frames import FrameError, FrameSettings, cut, filled, song_scores
from genrenet.models.checkpoints import load_model, read_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.models.outputs import log_scores
from genrenet.models.plain import ModelError
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.module import (
    CheckpointMismatchError,
    GenreClassifier,
    compare,
)
from genrenet.training.schedules import OneCycle, ScheduleError
from tests.helpers.small_training import SMALL, small_data, small_model, small_trainer


def test_scores_sum_to_one_and_equal_their_definitions():
    logits = torch.randn(5, 4)
    assert torch.allclose(log_scores(logits, "softmax").exp(), logits.softmax(-1))
    sigmoid = logits.sigmoid()
    wanted = sigmoid / sigmoid.sum(-1, keepdim=True)
    assert torch.allclose(log_scores(logits, "normalised-sigmoid").exp(), wanted, atol=1e-6)
    extreme = log_scores(torch.tensor([[-200.0, -300.0]]), "normalised-sigmoid")
    assert torch.isfinite(extreme).all()


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


def test_log_mel_and_waveform_give_the_same_scores():
    model = small_model().eval()
    wave = torch.randn(2, 18_000)
    mel = model.frontend(wave)
    scores = model.scores(wave)
    assert torch.allclose(scores, model.scores_of_logmel(mel))
    assert torch.allclose(scores, model.scores_of_logmel(mel.unsqueeze(1)))


@pytest.mark.parametrize("decision", ["mean", "vote", "geometric"])
def test_waveforms_of_any_length_have_a_row_each(decision):
    model = small_model(aggregation=decision).eval()
    model.frames = FrameSettings(1.5, 0)
    noise = torch.Generator().manual_seed(3)
    # Two frames and a rest; 19 frames, which are more than are scored at once.
    for samples in (2 * 18_000 + 7_000, 19 * 18_000):
        waves = torch.randn(3, samples, generator=noise)
        found, vectors = model.scores(waves), model.embed(waves)
        assert found.shape == (3, 3)
        for wave, row, vector in zip(waves, found, vectors, strict=True):
            frames = torch.stack(wave.split(18_000)[: samples // 18_000])
            torch.testing.assert_close(row, song_scores(model.scores(frames), decision))
            torch.testing.assert_close(vector, model.embed(frames).mean(dim=0))
    short = torch.randn(2, 5_000, generator=noise)
    for fill in ("repeat", "zeros"):
        model.frames = FrameSettings(1.5, 0, fill=fill)
        whole = cut(short, model.frames)[:, 0]
        for row, wave in zip(whole, short, strict=True):
            assert row.tolist() == filled(wave.numpy(), model.frames).tolist()
        torch.testing.assert_close(model.scores(short), model.scores(whole))
        both = model.embed(short, ["conv1", "embedding"])
        torch.testing.assert_close(both, model.embed(whole, ["conv1", "embedding"]))


@pytest.mark.parametrize("shape", [(18_000,), (2, 1, 18_000), (2, 0)])
def test_shapes_that_are_no_waveforms(shape):
    model = small_model().eval()
    for method in (model.scores, model.embed):
        with pytest.raises(FrameError, match=r"wanted \(batch, samples\)"):
            method(torch.zeros(shape))


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


def test_compare_names_the_setting():
    wanted = small_model().description()
    compare(wanted, wanted)
    for key in ("labels", "network", "frontend", "frames", "output"):
        with pytest.raises(CheckpointMismatchError, match=f"differ in {key}"):
            compare({**wanted, key: None}, wanted)


def test_settings_that_are_younger_than_a_checkpoint_have_their_defaults():
    wanted = small_model().description()
    frontend = {key: value for key, value in wanted["frontend"].items() if key != "compression"}
    settings = wanted["network"]["settings"]
    kept = {key: value for key, value in settings.items() if key != "conv_dropout"}
    older = {**wanted, "frontend": frontend, "network": {"name": "CNN", "settings": kept}}
    compare(older, wanted)
    compare(wanted, older)
    older["network"]["settings"] = {
        {"n_stft_frames": "n_columns"}.get(key, key): value for key, value in settings.items()
    }
    compare(older, wanted)
    older["network"]["settings"] = {**older["network"]["settings"], "n_columns": 72}
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare(older, wanted)
    older["network"]["settings"] = kept
    other = small_model(frontend=LogMel(compression="log10-10000")).description()
    with pytest.raises(CheckpointMismatchError, match="differ in frontend"):
        compare(older, other)
    kept["dropout"] = 0.3
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare(older, wanted)
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare({**wanted, "network": {"name": "CNN"}}, wanted)


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


def test_one_cycle_climbs_and_falls():
    parameters = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    groups = [{"params": parameters[:1], "lr": 0.1}, {"params": parameters[1:], "lr": 0.01}]
    optimizer = torch.optim.SGD(groups)
    schedule = OneCycle(optimizer, warmup=0.25)
    schedule.set_total_steps(100)
    rates = []
    for _ in range(100):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    first = [rate[0] for rate in rates]
    assert first.index(max(first)) == 25
    assert max(first) == pytest.approx(0.1)
    assert first[0] == pytest.approx(0.004)
    assert first[-1] == pytest.approx(1e-4)
    assert all(a == pytest.approx(10 * b) for a, b in rates)
    with pytest.raises(ScheduleError, match="warm-up"):
        OneCycle(optimizer, warmup=2)
    forgotten = OneCycle(optimizer)
    optimizer.step()
    with pytest.raises(ScheduleError, match="length"):
        forgotten.step()


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
