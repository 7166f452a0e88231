"""A network, data and trainer for fast training on the songs of the fixture `music`."""

import functools

import pytorch_lightning as pl
import torch

from genrenet.data.datamodule import GenreDataModule
from genrenet.models.networks import CNN
from genrenet.training.module import GenreClassifier

SMALL = functools.partial(
    CNN, n_stft_frames=71, channels=(8, 16), pools=((8, 7), (12, 10)), dropout=0.2
)

TINY = """\
model:
  network:
    class_path: genrenet.models.networks.CNN
    init_args: {n_stft_frames: 71, channels: [8, 16], pools: [[8, 7], [12, 10]]}
data: {frame_seconds: 1.5, batch_size: 4, num_workers: 0, trim: 0}
trainer: {max_epochs: 1, enable_progress_bar: false, enable_model_summary: false}
"""
"""The same as a configuration file, for one epoch."""

SMALL_OPTIONS = [
    "--model.network=CNN",
    "--model.network.n_stft_frames=71",
    "--model.network.channels=[8,16]",
    "--model.network.pools=[[8,7],[12,10]]",
    "--data.frame_seconds=1.5",
    "--data.split=stratified",
    "--data.batch_size=4",
    "--trainer.enable_progress_bar=false",
    "--trainer.accelerator=cpu",
]
"""The same as options of ``genrenet fit``."""


def small_model(**settings):
    defaults = {
        "network": SMALL,
        "optimizer": functools.partial(torch.optim.AdamW, lr=3e-3),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GenreClassifier(["bass", "middle", "treble"], **{**defaults, **settings})


def small_data(music, **settings):
    defaults = {"split": "stratified", "frame_seconds": 1.5, "batch_size": 4, "num_workers": 0}
    return GenreDataModule(str(music), **{**defaults, **settings})


def small_trainer(folder, **settings):
    defaults = {
        "max_epochs": 3,
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": folder,
    }
    return pl.Trainer(**{**defaults, **settings})
