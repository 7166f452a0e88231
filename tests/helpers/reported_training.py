"""A small training run with all the callbacks that write reports."""

import functools

import pytorch_lightning as pl
import torch

from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.callbacks import PredictionWriter, TestReport
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN
from genrenet.training.module import GenreClassifier
from genrenet.training.monitoring import SongProjector, StageImages

NETWORK = functools.partial(CNN, n_stft_frames=47, channels=(4, 8), pools=((8, 8), (12, 4)))


def reported_training(music, logger, folder, **settings):
    """Return a trainer with those callbacks, a model and data of short frames."""
    data = GenreDataModule(
        str(music), split="stratified", fractions=(0.4, 0.2, 0.4), frame_seconds=1.0,
        batch_size=4, num_workers=0, store=None,
    )  # fmt: skip
    torch.manual_seed(0)
    model = GenreClassifier(data.labels, NETWORK, LogMel(backend="torchaudio"))
    callbacks = [TestReport(), PredictionWriter(), StageImages(n_clips=2), SongProjector()]
    trainer = pl.Trainer(
        accelerator="cpu", enable_progress_bar=False, enable_model_summary=False, logger=logger,
        callbacks=callbacks, default_root_dir=folder, max_epochs=1, enable_checkpointing=False,
        **settings,
    )  # fmt: skip
    return trainer, model, data
