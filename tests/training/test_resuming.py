"""Resuming with another length or optimiser; rejected options; weight decay."""

import functools
import os

import pytest
import pytorch_lightning as pl
import torch

from genrenet.cli import main
from genrenet.cli.training import OptionError, prepare_arguments
from genrenet.training.finetuning import LayerFreezing
from genrenet.training.module import CheckpointMismatchError
from genrenet.training.schedules import OneCycle, ScheduleError
from tests.helpers.small_training import TINY, small_data, small_model, small_trainer

pytestmark = pytest.mark.long

ENDLESS = "--trainer.max_epochs=-1 --trainer.max_time=00:00:00:05"


class Rates(pl.Callback):
    """The learning rate of every step."""

    def __init__(self):
        self.seen = {}

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.seen[trainer.global_step] = trainer.optimizers[0].param_groups[0]["lr"]


def trained(music, folder, ckpt_path=None, model=None, **settings):
    rates = Rates()
    trainer = small_trainer(folder, callbacks=[rates], **settings)
    model = small_model(lr_scheduler=OneCycle) if model is None else model
    trainer.fit(model, small_data(music), ckpt_path=ckpt_path, weights_only=True)
    return trainer, rates.seen


@pytest.mark.parametrize("epochs", [9, 4])
def test_a_longer_training_has_the_rates_of_the_longer_cycle(epochs, music, tmp_path):
    trainer, _ = trained(music, tmp_path, max_epochs=3)
    trainer.save_checkpoint(tmp_path / "three.ckpt")
    _, whole = trained(music, tmp_path, max_epochs=epochs)
    resumed, rates = trained(music, tmp_path, tmp_path / "three.ckpt", max_epochs=epochs)
    assert min(rates) == trainer.global_step
    assert resumed.current_epoch == epochs
    assert rates == {step: pytest.approx(whole[step]) for step in rates}
    assert set(whole) - set(range(trainer.global_step)) == set(rates)


def test_a_cycle_without_an_end_is_refused(music, tmp_path):
    with pytest.raises(ScheduleError, match="max_steps"):
        trained(music, tmp_path, max_epochs=-1, max_time={"seconds": 20})
    trainer, rates = trained(music, tmp_path, max_epochs=-1, max_steps=6)
    assert trainer.global_step == len(rates) == 6


def options(folder, music):
    (folder / "tiny.yaml").write_text(TINY)
    given = [f"--config={folder / 'tiny.yaml'}", f"--data.source={music}", f"--out={folder}"]
    return [*given, "--data.split=stratified", "--trainer.accelerator=cpu"]


def test_best_and_last_are_those_of_the_newest_run(music, tmp_path, capsys):
    given = options(tmp_path, music)
    assert main(["fit", *given, "--ckpt_path=last"]) == 2
    assert "no run has a checkpoint 'last'" in capsys.readouterr().err
    for number, name in enumerate(["one", "two"]):
        assert main(["fit", *given, f"--name={name}"]) == 0
        for file in (tmp_path / name).rglob("*.ckpt"):
            os.utime(file, (number, number))
    capsys.readouterr()
    assert main(["test", f"--out={tmp_path}", "--ckpt_path", "best"]) == 0
    assert f"checkpoint: {tmp_path / 'two'}" in capsys.readouterr().out
    arguments = prepare_arguments("test", [f"--out={tmp_path}", "--name=one", "--ckpt_path=best"])
    assert arguments[-1] == f"--ckpt_path={tmp_path / 'one/version_0/checkpoints/best.ckpt'}"
    with pytest.raises(OptionError, match="best or last of the newest run"):
        prepare_arguments("fit", ["--ckpt_path=hpc"])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--trainer.accumulate_grad_batches=0", "accumulate_grad_batches"),
        ("--trainer.val_check_interval=100", "val_check_interval"),
        ("--trainer.accelerator=steam", "accelerator"),
        ("--trainer.devices=-1", "devices"),
        ("--trainer.strategy=none", "strategy"),
        ("--trainer.precision=64-true", "precision"),
        ("--trainer.precision=16-true", "precision"),
        ("--data.num_workers=-1", "num_workers"),
        ("--data.frame_seconds=0", "frame settings"),
        ("--data.source=/nothing/there", "no such folder"),
        ("--model.network.init_args.dropout=2", "dropout"),
        ("--model.optimizer=SGD --model.optimizer.lr=-1", "learning rate"),
        (
            "--model.lr_scheduler=OneCycle --trainer.max_epochs=-1 --trainer.max_time=00:00:00:05",
            "max_steps",
        ),
        ("--model.lr_scheduler=OneCycleLR --model.lr_scheduler.max_lr=0.1", "total_steps"),
        ("--seed_everything=-1", "bounds"),
        ("--set seed=3", "unknown option --set"),
    ],
)
def test_options_that_cannot_be_carried_out_are_named_and_leave_nothing(
    option, words, music, tmp_path, capsys
):
    out = tmp_path / "out"
    given = [f"--out={out}", "--name=run", *option.split()]
    (tmp_path / "tiny.yaml").write_text(TINY)
    assert main(["fit", *options(tmp_path, music), *given]) == 2
    said = capsys.readouterr().err
    assert words.lower() in said.lower()
    assert "Traceback" not in said
    assert not (out / "run").exists()


@pytest.mark.parametrize(
    "option",
    [
        "--trainer.overfit_batches=1",
        "--trainer.limit_train_batches=0 --model.lr_scheduler=OneCycle",
        "--trainer.fast_dev_run=true",
        "--trainer.max_steps=4",
        "--data.batch_size=1",
        "--trainer.accumulate_grad_batches=3 --model.lr_scheduler=OneCycle",
    ],
)
def test_options_that_can_be_carried_out(option, music, tmp_path):
    given = options(tmp_path, music)
    assert main(["fit", *given, "--name=run", *option.split()]) == 0


def test_a_failure_after_the_first_step_leaves_the_run(music, tmp_path):
    given = [*options(tmp_path, music), "--name=run"]
    assert main(["fit", *given]) == 0
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    assert main(["fit", "--ckpt_path", str(file), "--trainer.val_check_interval=100"]) == 2
    assert file.exists()
    assert main(["fit", *given, "--data.num_workers=-1"]) == 2
    assert [folder.name for folder in (tmp_path / "run").iterdir()] == ["version_0"]


# --- weight decay ---------------------------------------------------------------------------------


def decay_of(model, optimizer):
    """Weight decay and rate of every parameter by its name."""
    groups = {
        id(p): (group["weight_decay"], group["lr"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    return {name: groups[id(p)] for name, p in model.named_parameters() if id(p) in groups}


@pytest.mark.parametrize("frozen", [False, True])
def test_biases_and_norms_are_not_decayed(frozen, music, tmp_path):
    model = small_model(optimizer=functools.partial(torch.optim.AdamW, lr=1e-3, weight_decay=0.5))
    callbacks = [LayerFreezing(["last", "head"], layer_decay=0.5)] if frozen else []
    trainer = small_trainer(tmp_path, max_epochs=1, callbacks=callbacks)
    trainer.fit(model, small_data(music))
    found = decay_of(model, trainer.optimizers[0])
    assert len(found) == (6 if frozen else len(list(model.parameters())))
    for name, (decay, rate) in found.items():
        matrix = model.get_parameter(name).ndim > 1
        assert decay == (0.5 if matrix else 0.0), name
        assert rate == (1e-3 if "head" in name or not frozen else 5e-4), name


def test_an_optimizer_without_decay_has_one_group(music, tmp_path):
    model = small_model(optimizer=functools.partial(torch.optim.SGD, lr=0.01))
    trainer = small_trainer(tmp_path, max_epochs=1)
    trainer.fit(model, small_data(music))
    (group,) = trainer.optimizers[0].param_groups
    assert len(group["params"]) == len(list(model.parameters()))


def test_another_optimizers_state_is_refused(music, tmp_path):
    trainer, _ = trained(music, tmp_path, max_epochs=1, model=small_model())
    trainer.save_checkpoint(tmp_path / "adam.ckpt")
    sgd = small_model(optimizer=functools.partial(torch.optim.SGD, lr=0.01, weight_decay=0.1))
    with pytest.raises(CheckpointMismatchError, match=r"another optimiser: found .*betas"):
        trained(music, tmp_path, tmp_path / "adam.ckpt", model=sgd)
    entries = torch.load(tmp_path / "adam.ckpt", weights_only=True)
    (state,) = entries["optimizer_states"]
    first, second = state["param_groups"]
    state["param_groups"] = [{**first, "params": first["params"] + second["params"]}]
    torch.save(entries, tmp_path / "older.ckpt")
    with pytest.raises(CheckpointMismatchError, match=r"grouped differently: .*biases"):
        trained(music, tmp_path, tmp_path / "older.ckpt", model=small_model())
