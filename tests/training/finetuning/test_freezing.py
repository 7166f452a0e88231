"""Freezing: unchanged stages, rates by stage, unfreezing, and resuming."""

import functools

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

from genrenet.models.frontend import LogMel
from genrenet.training.finetuning import FinetuningError, LayerFreezing
from genrenet.training.schedules import OneCycle
from tests.helpers.finetuned import NETWORKS, Modes, fit, fixed_data, model_of, tensors_of
from tests.helpers.small_training import small_model, small_trainer

# --- freezing -------------------------------------------------------------------------------------

PLANS = [
    ("cnn", ["head"]),
    ("cnn", ["conv1"]),
    ("crnn", ["gru", "head"]),
    ("crnn-torch", ["conv2", "head"]),
    ("musicnn", ["mid2", "dense", "head"]),
    ("mobilenet", ["block14", "top", "head"]),
]


@pytest.mark.parametrize("cache", [False, "auto"])
@pytest.mark.parametrize(("kind", "train"), PLANS)
def test_frozen_stages_stay_as_they_are_to_the_bit(kind, train, cache, music, tmp_path):
    model, modes = model_of(kind), Modes()
    before = {name: tensors_of(stage) for name, stage in model.network.stages().items()}
    freezing = LayerFreezing(train=train, cache_trunk=cache)
    fit(music, tmp_path, model, freezing, max_epochs=2, callbacks=[modes])
    for name, stage in model.network.stages().items():
        same = [torch.equal(value, before[name][key]) for key, value in stage.state_dict().items()]
        assert not all(same) if name in train else all(same), name
    frozen = {
        id(m) for n, s in model.network.stages().items() if n not in train for m in s.modules()
    }
    names = {name for name, module in model.network.named_modules() if id(module) in frozen}
    names -= {name for name, module in model.network.named_modules() if isinstance(module, nn.GRU)}
    assert set(modes.training) == {0, 1}
    for training in modes.training.values():
        assert not training & names
        assert training  # what learns is in training mode, after each validation too


def test_everything_is_as_before_when_the_training_is_over(music, tmp_path):
    model = small_model()
    fit(music, tmp_path, model, LayerFreezing(), max_epochs=1)
    assert all(p.requires_grad for p in model.network.parameters())
    assert all(module.training for module in model.train().network.modules())
    before = tensors_of(model.network.convolutions)
    small_trainer(tmp_path, max_epochs=1).fit(model, fixed_data(music))
    after = model.network.convolutions.state_dict()
    assert not any(torch.equal(after[k], v) for k, v in before.items() if k.endswith("weight"))


def test_a_failure_leaves_nothing_frozen(music, tmp_path):
    class Fails(pl.Callback):
        def on_train_batch_end(self, *arguments):
            raise ZeroDivisionError

    model = small_model()
    with pytest.raises(ZeroDivisionError):
        fit(music, tmp_path, model, LayerFreezing(), callbacks=[Fails()])
    assert all(p.requires_grad for p in model.network.parameters())
    assert model.frozen == []


def test_front_end_bases_obey_too(music, tmp_path):
    for train, learns in ((["head"], False), (["frontend", "head"], True), (["all"], True)):
        model = small_model(frontend=LogMel(trainable_mel=True))
        before = tensors_of(model.frontend)
        fit(music, tmp_path, model, LayerFreezing(train=train), max_epochs=1)
        after = tensors_of(model.frontend)
        assert before
        assert learns is not all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train": ["conv9"]}, "no stage 'conv9' .* wanted input_norm, conv1, conv2, head, last"),
        ({"unfreeze": {1: ["gru"]}}, "no stage 'gru'"),
        ({"rates": {"top": 0.1}}, "no stage 'top' .* input_norm, conv1, conv2, head"),
        ({"train": []}, "no stage would be trained"),
        ({"train": [], "unfreeze": {2: ["head"]}}, "no stage would be trained"),
        ({"layer_decay": 0.0}, r"layer_decay in \(0, 1\]"),
        ({"rates": {"conv1": 0.0}}, "rates above 0"),
        ({"unfreeze": {-1: ["conv2"]}}, "found -1, wanted 0 or more"),
    ],
)
def test_plans_that_cannot_be_are_named(settings, words, music, tmp_path):
    with pytest.raises(FinetuningError, match=words):
        fit(music, tmp_path, small_model(), LayerFreezing(**settings))


# --- rates, schedules, unfreezing -----------------------------------------------------------------


def test_lower_stages_learn_slower_under_one_cycle(music, tmp_path):
    class Rates(pl.Callback):
        seen: list = []  # noqa: RUF012

        def on_train_batch_start(self, trainer, *arguments):
            groups = trainer.optimizers[0].param_groups
            self.seen.append({group["name"]: group["lr"] for group in groups})

    rates = Rates()
    freezing = LayerFreezing(["conv1", "conv2", "head"], rates={"conv1": 0.01}, layer_decay=0.5)
    model = small_model(lr_scheduler=functools.partial(OneCycle, warmup=0.5))
    fit(music, tmp_path, model, freezing, callbacks=[rates], max_epochs=4)
    for seen in rates.seen:
        stages = ["conv1", "conv2", "head"]
        assert list(seen) == [f"{s}{rest}" for s in stages for rest in ("", ", undecayed")]
        assert all(seen[name] == seen[f"{name}, undecayed"] for name in stages)
        assert seen["conv2"] == pytest.approx(0.5 * seen["head"])
        assert seen["conv1"] == pytest.approx(0.01 * seen["head"])
    assert max(seen["head"] for seen in rates.seen) == pytest.approx(3e-3)
    assert min(seen["head"] for seen in rates.seen) < 3e-4


@pytest.mark.parametrize("scheduler", [OneCycle, functools.partial(StepLR, step_size=1, gamma=0.5)])
def test_stages_unfreeze_in_their_epoch(scheduler, music, tmp_path):
    modes, freezing = (
        Modes(),
        LayerFreezing(["head"], unfreeze={1: ["conv2"], 2: ["all"]}, layer_decay=0.5),
    )
    model = small_model(lr_scheduler=scheduler, network=NETWORKS["cnn"])
    fit(music, tmp_path, model, freezing, callbacks=[modes], max_epochs=3)

    def stages(names):
        return {name.removeprefix("network.").removesuffix(".weight") for name in names}

    assert stages(modes.learning[0]) == {"head", "head.bias"}
    second = stages(modes.learning[1])
    assert {"convolutions.1.0", "head"} <= second
    assert not any(name.startswith(("convolutions.0", "input_norm")) for name in second)
    assert {"convolutions.0.0", "input_norm"} <= stages(modes.learning[2])
    assert "convolutions.1" not in modes.training[0]
    assert "convolutions.1" in modes.training[1]
    assert "convolutions.0" not in modes.training[1]
    assert {"convolutions.0", "input_norm"} <= modes.training[2]


@pytest.mark.parametrize("stop", [1, 2])
def test_a_resumed_run_unfreezes_and_ends_like_an_uninterrupted_one(stop, music, tmp_path):
    def plan():
        return LayerFreezing(["head"], unfreeze={2: ["conv2"]}, rates={"conv2": 0.3})

    def model():
        return small_model(lr_scheduler=functools.partial(StepLR, step_size=1, gamma=0.7))

    whole, half, resumed = model(), model(), model()
    fit(music, tmp_path, whole, plan(), max_epochs=4)
    path = tmp_path / "half.ckpt"
    fit(music, tmp_path, half, plan(), max_epochs=stop + 1).save_checkpoint(path)
    trainer = fit(music, tmp_path, resumed, plan(), ckpt_path=path, max_epochs=4)
    groups = trainer.optimizers[0].param_groups
    assert [group["name"] for group in groups[::2]] == ["conv2", "head"]
    assert groups[0]["lr"] == groups[1]["lr"] == pytest.approx(0.3 * groups[2]["lr"])
    for name, value in tensors_of(whole).items():
        assert torch.equal(value, tensors_of(resumed)[name]), name


def test_a_plan_in_an_older_checkpoint_is_understood():
    freezing = LayerFreezing(["head"], {1: ["conv2"]}, layer_decay=0.5)
    older = {"train": ["head"], "thaw": {1: ["conv2"]}, "rates": {}, "decay": 0.5}
    freezing.load_state_dict(older)
    with pytest.raises(FinetuningError, match="LayerFreezing: unfreeze"):
        freezing.load_state_dict({**older, "thaw": {2: ["conv2"]}})


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.filterwarnings("ignore:.*ended before the epoch ended")
def test_a_run_stopped_within_an_epoch_goes_on_with_the_same_stages(music, tmp_path):
    plan = functools.partial(LayerFreezing, ["head"], unfreeze={1: ["conv2"]}, cache_trunk=False)
    half, resumed = small_model(), small_model()
    steps = len(_loader(music))
    path = tmp_path / "half" / "half.ckpt"

    def more(folder, *callbacks):
        keep = pl.callbacks.ModelCheckpoint(folder, "half", every_n_train_steps=steps + 2)
        return {"callbacks": [keep, *callbacks], "enable_checkpointing": True}

    fit(music, tmp_path, half, plan(), max_epochs=2, **more(tmp_path / "half"))
    assert torch.load(path, weights_only=True)["epoch"] == 1
    modes = Modes()
    fit(
        music,
        tmp_path,
        resumed,
        plan(),
        ckpt_path=path,
        max_epochs=3,
        **more(tmp_path / "rest", modes),
    )
    assert any(name.startswith("network.convolutions.1") for name in modes.learning[1])
    assert not any(name.startswith("network.convolutions.0") for name in modes.learning[2])


def _loader(music):
    data = fixed_data(music)
    data.prepare_data()
    data.setup("fit")
    return data.train_dataloader()


def test_resuming_with_another_plan_is_refused(music, tmp_path):
    path = tmp_path / "one.ckpt"
    fit(music, tmp_path, small_model(), LayerFreezing(), max_epochs=1).save_checkpoint(path)
    with pytest.raises(
        FinetuningError, match=r"settings of LayerFreezing: train: found \['head'\]"
    ):
        fit(music, tmp_path, small_model(), LayerFreezing(["all"]), ckpt_path=path)


def test_a_test_needs_no_plan(music, tmp_path):
    model = small_model()
    trainer = small_trainer(tmp_path, callbacks=[LayerFreezing(["no such stage"])])
    trainer.test(model, fixed_data(music), verbose=False)
    assert all(p.requires_grad for p in model.network.parameters())
