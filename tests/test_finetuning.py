"""Transfer learning: new heads, stages that stay as they are, and the trunk that runs only once."""

import copy
import functools
import logging
import os
import signal

import pytest
import pytorch_lightning as pl
import torch
import yaml
from torch import nn
from torch.optim.lr_scheduler import StepLR

from genrenet.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.checkpoints import load_checkpoint, read_checkpoint
from genrenet.classifier import ClassifierError, GenreClassifier
from genrenet.cli import main
from genrenet.data import FrameSampler
from genrenet.finetuning import FinetuningError, LayerFreezing, Pretrained, caching, replace_head
from genrenet.frontend import LogMel
from genrenet.networks import CNN, CRNN, MusiCNN
from genrenet.schedules import OneCycle
from tests.test_classifier import SMALL, small_data, small_model, small_trainer

LABELS = ["bass", "middle", "treble"]
NETWORKS = {
    "cnn": functools.partial(
        CNN, n_columns=71, channels=(8, 16), pools=((8, 7), (12, 10)), conv_dropout=0.2
    ),
    "crnn": functools.partial(
        CRNN, n_columns=71, padding=2, channels=(8, 8), pools=((8, 5), (12, 3)), hidden_size=6
    ),
    "crnn-torch": functools.partial(
        CRNN,
        n_columns=71,
        padding=2,
        channels=(8, 8),
        pools=((8, 5), (12, 3)),
        hidden_size=6,
        cell="torch",
    ),
    "musicnn": functools.partial(MusiCNN, n_columns=71, timbral=4, temporal=3, mid=4, units=10),
}


def model_of(kind, **settings):
    return small_model(network=NETWORKS[kind], frontend=LogMel(), **settings)


def fixed_data(music, **settings):
    return small_data(music, crops="fixed", **settings)


def tensors_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def fit(music, folder, model, freezing, data=None, ckpt_path=None, **settings):
    trainer = small_trainer(
        folder, callbacks=[freezing, *settings.pop("callbacks", [])], **settings
    )
    trainer.fit(model, data or fixed_data(music), ckpt_path=ckpt_path, weights_only=True)
    return trainer


class _Modes(pl.Callback):
    """Which modules were in training mode in each training step, by epoch."""

    def __init__(self):
        self.training, self.learning = {}, {}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        names = {name for name, part in module.network.named_modules() if part.training}
        self.training.setdefault(trainer.current_epoch, set()).update(names)
        grads = {name for name, p in module.named_parameters() if p.grad is not None}
        self.learning.setdefault(trainer.current_epoch, set()).update(grads)


# --- backbones ------------------------------------------------------------------------------------


def test_a_backbone_keeps_its_trunk_and_gets_a_new_head(checkpoint):
    backbone = load_checkpoint(checkpoint)
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
    replace_head(first, 4)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(FinetuningError, match="0 labels"):
        replace_head(first, 0)


def test_a_head_can_be_kept_where_it_fits(checkpoint):
    network = Pretrained(str(checkpoint), keep_head=True)(3)
    assert torch.equal(network.head.weight, load_checkpoint(checkpoint).network.head.weight)
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
    again = load_checkpoint(tmp_path / "tuned.ckpt")
    wave = torch.randn(2, 18_000)
    wanted = model.eval().scores_from_waveform(wave)
    assert torch.equal(again.scores_from_waveform(wave), wanted)
    assert again.provenance["backbone"] == description["backbone"]
    # Resumed without the backbone, it still remembers.
    plain = GenreClassifier(LABELS, network=SMALL)
    path = tmp_path / "tuned.ckpt"
    fit(music, tmp_path, plain, LayerFreezing(), ckpt_path=path, max_epochs=2)
    assert plain.description()["backbone"] == description["backbone"]


def test_data_that_do_not_fit_the_backbone_are_named(checkpoint, music, tmp_path):
    model = GenreClassifier(LABELS, network=Pretrained(str(checkpoint)))
    with pytest.raises(ClassifierError, match="columns of a frame: found 94"):
        fit(music, tmp_path, model, LayerFreezing(), fixed_data(music, frame_seconds=2.0))


# --- freezing -------------------------------------------------------------------------------------

PLANS = [
    ("cnn", ["head"]),
    ("cnn", ["conv1"]),
    ("crnn", ["gru", "head"]),
    ("crnn-torch", ["conv2", "head"]),
    ("musicnn", ["mid2", "dense", "head"]),
]


@pytest.mark.parametrize("cache", [False, "auto"])
@pytest.mark.parametrize(("kind", "train"), PLANS)
def test_frozen_stages_stay_as_they_are_to_the_bit(kind, train, cache, music, tmp_path):
    model, modes = model_of(kind), _Modes()
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
        ({"train": ["conv9"]}, "no stage 'conv9' .* wanted input_norm, conv1, conv2, head, or all"),
        ({"thaw": {1: ["gru"]}}, "no stage 'gru'"),
        ({"rates": {"top": 0.1}}, "no stage 'top' .* input_norm, conv1, conv2, head"),
        ({"train": []}, "nothing would learn"),
        ({"train": [], "thaw": {2: ["head"]}}, "nothing would learn"),
        ({"decay": 0.0}, r"decay in \(0, 1\]"),
        ({"rates": {"conv1": 0.0}}, "rates above 0"),
        ({"thaw": {-1: ["conv2"]}}, "found -1, wanted 0 or more"),
    ],
)
def test_plans_that_cannot_be_are_named(settings, words, music, tmp_path):
    with pytest.raises(FinetuningError, match=words):
        fit(music, tmp_path, small_model(), LayerFreezing(**settings))


# --- rates, schedules, thawing --------------------------------------------------------------------


def test_lower_stages_learn_slower_under_one_cycle(music, tmp_path):
    class Rates(pl.Callback):
        seen: list = []  # noqa: RUF012

        def on_train_batch_start(self, trainer, *arguments):
            groups = trainer.optimizers[0].param_groups
            self.seen.append({group["name"]: group["lr"] for group in groups})

    rates = Rates()
    freezing = LayerFreezing(["conv1", "conv2", "head"], rates={"conv1": 0.01}, decay=0.5)
    model = small_model(lr_scheduler=functools.partial(OneCycle, warmup=0.5))
    fit(music, tmp_path, model, freezing, callbacks=[rates], max_epochs=4)
    for seen in rates.seen:
        assert list(seen) == ["conv1", "conv2", "head"]
        assert seen["conv2"] == pytest.approx(0.5 * seen["head"])
        assert seen["conv1"] == pytest.approx(0.01 * seen["head"])
    assert max(seen["head"] for seen in rates.seen) == pytest.approx(3e-3)
    assert min(seen["head"] for seen in rates.seen) < 3e-4


@pytest.mark.parametrize("scheduler", [OneCycle, functools.partial(StepLR, step_size=1, gamma=0.5)])
def test_stages_thaw_in_their_epoch(scheduler, music, tmp_path):
    modes, freezing = _Modes(), LayerFreezing(["head"], thaw={1: ["conv2"], 2: ["all"]}, decay=0.5)
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
def test_a_resumed_run_thaws_and_ends_like_an_uninterrupted_one(stop, music, tmp_path):
    def plan():
        return LayerFreezing(["head"], thaw={2: ["conv2"]}, rates={"conv2": 0.3})

    def model():
        return small_model(lr_scheduler=functools.partial(StepLR, step_size=1, gamma=0.7))

    whole, half, resumed = model(), model(), model()
    fit(music, tmp_path, whole, plan(), max_epochs=4)
    path = tmp_path / "half.ckpt"
    fit(music, tmp_path, half, plan(), max_epochs=stop + 1).save_checkpoint(path)
    trainer = fit(music, tmp_path, resumed, plan(), ckpt_path=path, max_epochs=4)
    groups = trainer.optimizers[0].param_groups
    assert [group["name"] for group in groups] == ["conv2", "head"]
    assert groups[0]["lr"] == pytest.approx(0.3 * groups[1]["lr"])
    for name, value in tensors_of(whole).items():
        assert torch.equal(value, tensors_of(resumed)[name]), name


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.filterwarnings("ignore:.*ended before the epoch ended")
def test_a_run_stopped_within_an_epoch_goes_on_with_the_same_stages(music, tmp_path):
    plan = functools.partial(LayerFreezing, ["head"], thaw={1: ["conv2"]}, cache_trunk=False)
    half, resumed = small_model(), small_model()
    steps = len(_loader(music))
    path = tmp_path / "half" / "half.ckpt"

    def more(folder, *callbacks):
        keep = pl.callbacks.ModelCheckpoint(folder, "half", every_n_train_steps=steps + 2)
        return {"callbacks": [keep, *callbacks], "enable_checkpointing": True}

    fit(music, tmp_path, half, plan(), max_epochs=2, **more(tmp_path / "half"))
    assert torch.load(path, weights_only=True)["epoch"] == 1
    modes = _Modes()
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


# --- the cached trunk -----------------------------------------------------------------------------


class _Frames:
    """How many frames a module was given, and how often it was called."""

    def __init__(self, module):
        self.frames = self.calls = 0
        module.register_forward_hook(self._count)

    def _count(self, module, inputs, output):
        self.frames += len(inputs[0])
        self.calls += 1


@pytest.mark.parametrize(
    ("kind", "train"),
    [
        ("cnn", ["head"]),
        ("cnn", ["conv2", "head"]),
        ("crnn", ["gru", "head"]),
        ("crnn", ["conv2", "head"]),
        ("musicnn", ["mid3", "dense", "head"]),
    ],
)
def test_cached_and_uncached_training_end_with_the_same_weights(kind, train, music, tmp_path):
    ends, counts = {}, {}
    for cache in (False, True):
        model, data = model_of(kind, lr_scheduler=OneCycle), fixed_data(music)
        stages = model.network.stages()
        counted = _Frames(
            next(stage for name, stage in stages.items() if name.startswith(("c", "f")))
        )
        freezing = LayerFreezing(train, cache_trunk=cache)
        trainer = fit(music, tmp_path, model, freezing, data, max_epochs=3)
        ends[cache], counts[cache] = tensors_of(model), counted.frames
        frames = len(data.dataset("train")) + len(data.dataset("validation"))
        (results,) = trainer.validate(model, data, verbose=False)
        ends[cache]["loss"] = torch.tensor(results["val/loss"])
        assert (freezing.cache_seconds > 0) is (freezing.cache_bytes > 0) is cache
    assert counts[True] == frames < counts[False]
    for name, value in ends[False].items():
        torch.testing.assert_close(ends[True][name], value, atol=1e-6, rtol=1e-6, msg=name)


def test_validation_and_test_scores_do_not_depend_on_the_batches(music, tmp_path):
    scores = {}

    class Keep(pl.Callback):
        def on_validation_batch_end(self, trainer, module, outputs, batch, *rest):
            if not trainer.sanity_checking and trainer.current_epoch == 1:
                assert "hidden" in batch
                scores.setdefault(trainer.datamodule.batch_size, []).append(outputs["scores"])

    trained = small_model(network=NETWORKS["cnn"])
    fit(music, tmp_path, trained, LayerFreezing(), max_epochs=2)
    for size in (1, 16):
        model = copy.deepcopy(trained)
        # Nothing is learnt here that could make a difference.
        model._make_optimizer = functools.partial(torch.optim.SGD, lr=0.0)
        data = fixed_data(music, batch_size=size)
        freezing = LayerFreezing(cache_trunk=True)
        fit(music, tmp_path, model, freezing, data, max_epochs=2, callbacks=[Keep()])
    assert len(scores[1]) > len(scores[16])
    torch.testing.assert_close(torch.cat(scores[1]), torch.cat(scores[16]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crops": "random"}, "random crops"),
        ({"waveform_augment": WaveformAugment()}, "waveform_augment"),
        ({"spec_augment": SpecAugment(4, 5, 1)}, "spec_augment"),
        ({"mixup": Mixup(0.2)}, "mixup"),
        ({"train": ["all"]}, "nothing frozen below input_norm"),
        ({"thaw": {5: ["input_norm"]}}, "nothing frozen below input_norm"),
        ({"fast_dev_run": True}, "trial run"),
    ],
)
def test_what_stands_in_the_way_of_a_cache_is_named(settings, words, music, tmp_path):
    data = small_data(music, crops=settings.pop("crops", "fixed"))
    train, thaw = settings.pop("train", ["head"]), settings.pop("thaw", None)
    trial = {"fast_dev_run": settings.pop("fast_dev_run", False)}
    model = small_model(**settings)
    with pytest.raises(FinetuningError, match=words):
        fit(music, tmp_path, model, LayerFreezing(train, thaw, cache_trunk=True), data, **trial)
    freezing = LayerFreezing(train, thaw)  # by itself, it does without
    fit(music, tmp_path, model, freezing, data, max_epochs=1, **trial)
    assert freezing.cache_bytes == 0


def test_a_large_cache_lies_in_a_file_that_nobody_has_to_remove(music, tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    in_memory, mapped = small_model(), small_model()
    data = fixed_data(music)
    fit(music, tmp_path, in_memory, LayerFreezing(cache_trunk=True), data)
    monkeypatch.setattr(caching, "IN_MEMORY", 100)
    freezing = LayerFreezing(cache_trunk=True)
    fit(music, tmp_path, mapped, freezing, data)
    assert freezing.cache_bytes > 100
    folder = tmp_path / "cache" / "trunks"
    assert folder.is_dir()
    assert not list(folder.iterdir())
    for name, value in tensors_of(in_memory).items():
        assert torch.equal(tensors_of(mapped)[name], value), name


def test_a_cache_without_room_is_left_out_or_refused(music, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(caching, "IN_MEMORY", 100)
    monkeypatch.setattr(caching, "OF_DISK", 0.0)
    freezing = LayerFreezing()
    with caplog.at_level(logging.WARNING):
        fit(music, tmp_path, small_model(), freezing, max_epochs=1)
    assert "GB free" in caplog.text
    assert freezing.cache_bytes == 0
    with pytest.raises(caching.CacheSizeError, match="let fewer stages learn"):
        fit(music, tmp_path, small_model(), LayerFreezing(cache_trunk=True))


def test_processes_share_the_room_of_a_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    monkeypatch.setattr(caching, "IN_MEMORY", 100)
    assert not (tmp_path / "trunks").exists()
    caching.allocate((5, 5))
    assert not (tmp_path / "trunks").exists()
    mapped = caching.allocate((5, 5), processes=2)
    assert (tmp_path / "trunks").exists()
    mapped[:] = 3.0
    assert mapped.sum() == 75
    monkeypatch.setattr(caching, "OF_DISK", 1e-30)
    with pytest.raises(caching.CacheSizeError, match="in each of 2 processes"):
        caching.allocate((5, 5), processes=2)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no way to know beforehand")
def test_a_disk_that_is_full_is_known_before_anything_is_written(tmp_path, monkeypatch):
    import resource

    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    monkeypatch.setattr(caching, "IN_MEMORY", 100)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(caching.CacheSizeError, match="does not fit"):
            caching.allocate((1000, 5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_cache_folder_that_cannot_be_is_no_reason_to_stop(music, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    data = fixed_data(music, store=None)
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(caching, "IN_MEMORY", 100)
    freezing = LayerFreezing()
    with caplog.at_level(logging.WARNING):
        fit(music, tmp_path, small_model(), freezing, data, max_epochs=1)
    assert "cannot make the cache folder" in caplog.text
    assert freezing.cache_bytes == 0


def test_weights_that_come_late_stand_in_the_way_of_a_cache(music, tmp_path):
    class Late(pl.strategies.SingleDeviceStrategy):
        restore_checkpoint_after_setup = True

    data = fixed_data(music)
    trainer = small_trainer(tmp_path, strategy=Late(device="cpu"))
    trainer.datamodule = data
    assert LayerFreezing().obstacle(trainer, small_model()) == (
        "a strategy that restores weights late"
    )


def test_cached_items_are_the_frames_own(music):
    data = fixed_data(music)
    data.prepare_data()
    data.setup("fit")
    frames = data.dataset("train")
    hidden = torch.arange(len(frames), dtype=torch.float)[:, None]
    failed = torch.zeros(len(frames), dtype=torch.bool)
    failed[3] = True
    data.keep_hidden("train", hidden, failed)
    seen = {}
    for batch in data.train_dataloader():
        for row, index in enumerate(batch["hidden"][:, 0].long().tolist()):
            seen[index] = {name: value[row] for name, value in batch.items()}
    sampler = FrameSampler(frames, shuffle=True, num_replicas=1, rank=0, seed=data.seed)
    order = [index for _, index, _ in sampler]
    assert list(seen) == order[: len(seen)]
    for index, item in seen.items():
        wanted = frames[0, index, True]
        for name in ("label", "song", "start"):
            assert torch.equal(item[name], wanted[name])
            assert item[name].dtype == wanted[name].dtype
        assert bool(item["failed"]) is not bool(item["counted"])
        assert bool(item["failed"]) is (index == 3)
    data.forget_hidden()
    assert "waveform" in next(iter(data.train_dataloader()))


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
        "    - class_path: genrenet.finetuning.LayerFreezing\n"
        "      init_args: {train: [head], thaw: {1: [conv2]}, rates: {conv2: 0.1},"
        " cache_trunk: true}\n"
    )
    source = ["--data.source", str(music)]
    assert main(["fit", "--config", "transfer", "--config", str(own), *source, *OPTIONS]) == 0
    run = tmp_path / "runs" / "transfer-own" / "version_0"
    best, last = (run / "checkpoints" / f"{name}.ckpt" for name in ("best", "last"))
    first = read_checkpoint(best)
    assert first["genrenet"]["backbone"]["name"] == "backbone.ckpt"
    conv1 = load_checkpoint(checkpoint).network.convolutions[0].state_dict()
    for name, value in conv1.items():
        assert torch.equal(first["state_dict"][f"network.convolutions.0.{name}"], value)
    tags = _tags(run)
    assert {"val/song_accuracy", "lr-AdamW/conv2", "lr-AdamW/head"} <= tags["scalars"]
    assert "val/confusion_songs" in tags["images"]

    # Neither a test nor going on needs the backbone.
    backbone.unlink()
    capsys.readouterr()
    assert main(["test", "--ckpt_path", str(best), *OPTIONS]) == 0
    assert "song accuracy" in capsys.readouterr().out
    assert main(["fit", "--ckpt_path", str(last), "--trainer.max_epochs=4", *OPTIONS]) == 0
    config = yaml.safe_load((run / "config.yaml").read_text())
    wanted = {"class_path": "genrenet.finetuning.Pretrained", "backbone": "backbone.ckpt"}
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


@pytest.mark.parametrize("name", ["transfer", "transfer-musicnn"])
def test_packaged_configurations_are_complete(
    name, checkpoint, music, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--model.network.init_args.backbone", str(checkpoint), "--data.source", str(music)]
    plan = "--trainer.callbacks.init_args.train=[head]"
    # All of it is understood; only this music does not fit this small backbone.
    assert main(["fit", "--config", name, *options, plan, *OPTIONS]) == 2
    assert "the data and the network differ in" in capsys.readouterr().err
