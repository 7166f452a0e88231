"""Common parts of the tests of fine-tuning: small networks, data and runs."""

import functools

import pytorch_lightning as pl

from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN, CRNN, MobileNetV3, MusiCNN
from tests.helpers.small_training import small_data, small_model, small_trainer

LABELS = ["bass", "middle", "treble"]
NETWORKS = {
    "cnn": functools.partial(
        CNN, n_stft_frames=71, channels=(8, 16), pools=((8, 7), (12, 10)), conv_dropout=0.2
    ),
    "crnn": functools.partial(
        CRNN, n_stft_frames=71, padding=2, channels=(8, 8), pools=((8, 5), (12, 3)), hidden_size=6
    ),
    "crnn-torch": functools.partial(
        CRNN,
        n_stft_frames=71,
        padding=2,
        channels=(8, 8),
        pools=((8, 5), (12, 3)),
        hidden_size=6,
        cell="torch",
    ),
    "musicnn": functools.partial(MusiCNN, n_stft_frames=71, timbral=4, temporal=3, mid=4, units=10),
    "mobilenet": functools.partial(MobileNetV3, n_mels=96, width=0.1),
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


class Modes(pl.Callback):
    """Which modules were in training mode in each training step, by epoch."""

    def __init__(self):
        self.training, self.learning = {}, {}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        names = {name for name, part in module.network.named_modules() if part.training}
        self.training.setdefault(trainer.current_epoch, set()).update(names)
        grads = {name for name, p in module.named_parameters() if p.grad is not None}
        self.learning.setdefault(trainer.current_epoch, set()).update(grads)
