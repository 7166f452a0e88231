"""The cached trunk: a frozen network's lower part runs once per frame."""

import copy
import functools
import logging
import os
import signal

import pytest
import pytorch_lightning as pl
import torch

from genrenet.data.datasets import FrameSampler
from genrenet.training.augmentation import Mixup, SpecAugment, WaveformAugment
from genrenet.training.finetuning import FinetuningError, LayerFreezing, caching
from genrenet.training.schedules import OneCycle
from tests.helpers.finetuned import NETWORKS, fit, fixed_data, model_of, tensors_of
from tests.helpers.small_training import small_data, small_model, small_trainer

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
        ("mobilenet", ["dense", "head"]),
    ],
)
def test_cached_and_uncached_training_end_with_the_same_weights(kind, train, music, tmp_path):
    ends, counts = {}, {}
    for cache in (False, True):
        model, data = model_of(kind, lr_scheduler=OneCycle), fixed_data(music)
        stages = model.network.stages()
        counted = _Frames(
            next(stage for name, stage in stages.items() if name.startswith(("c", "f", "stem")))
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
        ({"unfreeze": {5: ["input_norm"]}}, "nothing frozen below input_norm"),
        ({"fast_dev_run": True}, "trial run"),
    ],
)
def test_what_stands_in_the_way_of_a_cache_is_named(settings, words, music, tmp_path):
    data = small_data(music, crops=settings.pop("crops", "fixed"))
    train, unfreeze = settings.pop("train", ["head"]), settings.pop("unfreeze", None)
    trial = {"fast_dev_run": settings.pop("fast_dev_run", False)}
    model = small_model(**settings)
    with pytest.raises(FinetuningError, match=words):
        fit(music, tmp_path, model, LayerFreezing(train, unfreeze, cache_trunk=True), data, **trial)
    freezing = LayerFreezing(train, unfreeze)  # by itself, it does without
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
