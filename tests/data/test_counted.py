"""Padding frames do not affect training: not the weights, batch-norms, or other processes."""

import functools
import os
import subprocess
import sys

import pytest
import torch

from genrenet.data.datamodule import GenreDataModule
from genrenet.models.checkpoints import read_checkpoint
from genrenet.models.frontend import LogMel
from genrenet.models.networks import MusiCNN
from genrenet.training.augmentation import Mixup
from tests.helpers.small_training import TINY, small_model, small_trainer

SGD = functools.partial(torch.optim.SGD, lr=0.05)


class Filled(GenreDataModule):
    """Adds noise to every training batch that is marked as not counted."""

    empty = False

    def train_dataloader(self):
        loader = super().train_dataloader()
        collate = loader.collate_fn

        def filling(items):
            batch = collate(items)
            noise = {name: value[:2].clone() for name, value in batch.items()}
            noise["waveform"] = torch.randint_like(noise["waveform"], -30_000, 30_000)
            noise["counted"] = torch.zeros(2, dtype=torch.bool)
            batch = {name: torch.cat([noise[name], value]) for name, value in batch.items()}
            if self.empty:
                batch["counted"] = torch.zeros_like(batch["counted"])
            return batch

        loader.collate_fn = filling
        return loader


def weights_after(music, folder, kind, *, empty=False, **settings):
    data = kind(str(music), split="stratified", frame_seconds=1.5, batch_size=4, num_workers=0)
    data.empty = empty
    model = small_model(optimizer=SGD, **settings)
    small_trainer(folder, max_epochs=1).fit(model, data)
    return model.state_dict()


def test_frames_that_are_not_counted_change_nothing(music, tmp_path):
    wanted = weights_after(music, tmp_path, GenreDataModule, mixup=Mixup(0.4))
    found = weights_after(music, tmp_path, Filled, mixup=Mixup(0.4))
    for name, value in wanted.items():
        assert torch.equal(value, found[name]), name


def test_batches_without_a_counted_frame_change_nothing(music, tmp_path):
    before = small_model().state_dict()
    after = weights_after(music, tmp_path, Filled, empty=True)
    for name, value in before.items():
        assert torch.equal(value, after[name]), name


def test_a_batch_of_one_frame_can_be_learnt_from(music, tmp_path):
    network = functools.partial(MusiCNN, n_stft_frames=71, timbral=4, temporal=3, mid=4, units=10)
    settings = {"split": "stratified", "frame_seconds": 1.5, "batch_size": 1, "num_workers": 0}
    model = small_model(network=network, frontend=LogMel(), optimizer=SGD)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    small_trainer(tmp_path, max_epochs=1).fit(model, GenreDataModule(str(music), **settings))
    after = model.state_dict()
    vectors = [name for name in before if "dense" in name and "running_mean" in name]
    assert vectors
    assert all(torch.equal(before[name], after[name]) for name in vectors)
    assert not torch.equal(before["network.head.weight"], after["network.head.weight"])
    images = [name for name in before if "filters" in name and "running_mean" in name]
    assert not any(torch.equal(before[name], after[name]) for name in images)


def _fit(folder, music, devices, *options):
    """The last checkpoint of a training in which each step sees all frames, on some processes."""
    folder.mkdir()
    (folder / "tiny.yaml").write_text(TINY)
    given = [f"--config={folder / 'tiny.yaml'}", f"--data.source={music}", f"--out={folder}"]
    given += ["--data.split=stratified", "--data.crops=fixed", "--data.batch_size=64"]
    given += ["--model.optimizer=SGD", "--model.optimizer.lr=0.001", "--trainer.max_epochs=2"]
    given += ["--model.class_weights=balanced", "--model.network.init_args.dropout=0"]
    given += ["--trainer.callbacks+=genrenet.training.finetuning.LayerFreezing"]
    given += ["--trainer.callbacks.cache_trunk=false", "--trainer.accelerator=cpu"]
    given += [f"--trainer.devices={devices}", "--name=run", "--data.store=null", *options]
    given += ["--trainer.precision=32-true"]
    given += [f"--trainer.strategy={'ddp' if devices > 1 else 'auto'}"]
    done = subprocess.run(
        [sys.executable, "-m", "genrenet", "fit", *given],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return read_checkpoint(folder / "run" / "version_0" / "checkpoints" / "last.ckpt")


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the processes use gloo on Linux")
@pytest.mark.parametrize("max_songs", ["null", "1"])
def test_two_processes_learn_what_one_learns(max_songs, music, tmp_path):
    """Of an odd number of frames one process has a filler; of one frame, it has nothing else."""
    options = [f"--data.max_songs={max_songs}"]
    if max_songs == "1":
        options += ["--data.crops=random"]
    one = _fit(tmp_path / "one", music, 1, *options)
    two = _fit(tmp_path / "two", music, 2, *options)
    assert one["global_step"] == two["global_step"] == 2
    head = "network.head.weight"
    for name, value in one["state_dict"].items():
        assert torch.allclose(value, two["state_dict"][name], rtol=1e-5, atol=1e-6), name
    assert one["state_dict"][head].std() > 0
    for name in ("train/loss_epoch", "val/loss"):
        first, second = (run["genrenet"]["metrics"][name] for run in (one, two))
        assert first == pytest.approx(second, rel=1e-4), name
