"""Reference implementations: networks, log-mels and a pipeline as they are commonly written.

Networks are plain eager PyTorch in the published order of layers, with the weights of ours.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from genrenet.data.frames import FrameSettings, frame_starts
from genrenet.inference.classify import open_model
from genrenet.models.frontend import LEVEL
from genrenet.models.networks import CNN, CRNN
from genrenet.models.networks.gru import Keras1GRU
from genrenet.models.outputs import log_scores
from genrenet.training.module import GenreClassifier

if TYPE_CHECKING:
    from genrenet.models.networks.base import GenreNetwork

Floats = NDArray[np.float32]

RANDOM = {"random-cnn": CNN, "random-crnn": CRNN}
"""Networks of the published sizes with random weights, by name."""

BATCH = 16
"""Maximum number of frames of a song that the common pipeline puts in one batch."""


class PlainNetwork(nn.Module):
    """The CNN or the CRNN: batch-norm over time, then convolution, batch-norm, ELU, max-pool.

    Parameters
    ----------
    network : CNN or CRNN
        Its weights are used.
    """

    def __init__(self, network: GenreNetwork) -> None:
        super().__init__()
        settings = network.settings
        self.padding = settings.get("padding", 0)
        self.input_norm = nn.BatchNorm1d(settings["n_stft_frames"] + 2 * self.padding, eps=1e-3)
        stages, n_in = [], 1
        for n_out, pool in zip(settings["channels"], settings["pools"], strict=True):
            stages.append(
                nn.Sequential(
                    nn.Conv2d(n_in, n_out, 3, padding=1),
                    nn.BatchNorm2d(n_out, eps=1e-3),
                    nn.ELU(),
                    nn.MaxPool2d(tuple(pool)),
                    nn.Dropout(settings["conv_dropout"]),
                )
            )
            n_in = n_out
        self.convolutions = nn.Sequential(*stages)
        self.gru = None
        if isinstance(network, CRNN):
            self.gru = Keras1GRU(n_in, settings["hidden_size"], settings["num_layers"])
        self.dropout = nn.Dropout(settings["dropout"])
        self.head = nn.Linear(network.head.in_features, network.head.out_features)
        self.load_state_dict(network.state_dict())
        self.eval()

    def forward(self, logmel: Tensor) -> Tensor:
        """(batch, n_mels, time) to logits of shape (batch, labels)."""
        x = F.pad(logmel, (self.padding, self.padding)) if self.padding else logmel
        x = self.input_norm(x.transpose(1, 2)).transpose(1, 2)
        x = self.convolutions(x.unsqueeze(1).contiguous())
        x = x.flatten(1) if self.gru is None else self.gru(x.squeeze(2).transpose(1, 2))[:, -1]
        logits: Tensor = self.head(self.dropout(x))
        return logits


def librosa_logmel(wave: Floats, settings: dict[str, Any]) -> Floats:
    """Log-mel of one frame by librosa.

    Parameters
    ----------
    wave : ndarray, shape (samples,)
    settings : dict
        Settings of `genrenet.models.frontend.LogMel`.

    Returns
    -------
    ndarray, shape (n_mels, columns)
    """
    import librosa

    mel = librosa.feature.melspectrogram(
        y=wave,
        sr=settings["sample_rate"],
        n_fft=settings["n_fft"],
        hop_length=settings["hop_length"],
        n_mels=settings["n_mels"],
        fmin=settings["fmin"],
        fmax=settings["fmax"],
        pad_mode="reflect",
        power=2.0,
    )
    found: Floats = librosa.power_to_db(mel**2, ref=1.0, amin=1e-10, top_db=settings["top_db"])
    return found


def levelled(wave: Floats, settings: dict[str, Any]) -> Floats:
    """Bring a frame to the level that a front end wants.

    Parameters
    ----------
    wave : ndarray, shape (samples,)
    settings : dict
        Those of `genrenet.models.frontend.LogMel`.

    Returns
    -------
    ndarray, shape (samples,)
    """
    if settings["level"] == "keep":
        return wave
    centred: Floats = wave - wave.mean()
    level = float(np.sqrt(np.mean(centred**2)))
    if settings["level"] == "bound" and LEVEL <= level <= 1.0:
        return centred
    return centred * np.float32(LEVEL / max(level, 1e-12))


class UsualPipeline:
    """A song's genre with librosa and eager PyTorch: load, log-mels of all frames, network, mean.

    Parameters
    ----------
    model : GenreClassifier
        Its weights and settings are used.
    trim : float >= 0
        Seconds dropped at both ends of songs.
    """

    def __init__(self, model: GenreClassifier, trim: float) -> None:
        self.labels, self.activation = model.labels, model.activation
        self.settings = model.frontend.settings
        self.frames: FrameSettings = model.frames.with_trim(trim)
        self.network = PlainNetwork(model.network)

    def genre(self, path: str) -> str:
        """Genre of a file."""
        import librosa

        wave, _ = librosa.load(path, sr=self.frames.sample_rate)
        length = self.frames.n_samples
        pieces = [wave[start : start + length] for start in frame_starts(len(wave), self.frames)]
        mels = [
            librosa_logmel(
                levelled(np.pad(piece, (0, length - len(piece))), self.settings), self.settings
            )
            for piece in pieces
        ]
        frames = torch.from_numpy(np.stack(mels))
        with torch.no_grad():
            scores = [
                log_scores(self.network(frames[i : i + BATCH]), self.activation).exp()
                for i in range(0, len(frames), BATCH)
            ]
        return self.labels[int(torch.cat(scores).mean(dim=0).argmax())]


def model_named(name: str) -> GenreClassifier:
    """A checkpoint's model, or one of `RANDOM`, the same in every process; on the CPU."""
    return random_model(name) if name in RANDOM else open_model(name, "cpu")


def random_model(name: str, n_labels: int = 10) -> GenreClassifier:
    """A network of the published size with random weights and statistics.

    Its head is scaled so that the logits for a frame of music differ as much as those of a trained
    network: half precision recomputes frames whose best two logits are close.

    Parameters
    ----------
    name : {"random-cnn", "random-crnn"}
    n_labels : int > 1

    Returns
    -------
    GenreClassifier
        In eval mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        labels = [f"genre {i}" for i in range(n_labels)]
        model = GenreClassifier(labels, partial(RANDOM[name])).eval()
        for module in model.network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.2, 0.2)
                nn.init.uniform_(module.get_buffer("running_mean"), -0.2, 0.2)
                nn.init.uniform_(module.get_buffer("running_var"), 0.05, 0.2)
        norm = model.network.get_submodule("input_norm")
        nn.init.uniform_(
            norm.get_buffer("running_mean"), -40.0, -20.0
        )  # the range of log-mels in decibels
        nn.init.uniform_(norm.get_buffer("running_var"), 300.0, 500.0)
    with torch.no_grad():
        logits = model.network(music_logmel(model))[0]
        best, second = logits.topk(2).values.tolist()
        model.network.head.weight.mul_(3.0 / (best - second))
        model.network.head.bias.mul_(3.0 / (best - second))
    return model


def music_frame(seconds: float = 29.12, rate: int = 12_000) -> Floats:
    """A frame of synthesised music, of shape (samples,)."""
    from genrenet.data.synthesis import GENRES, synthesise_song

    song = synthesise_song(GENRES[0], 0, 0, seconds + 0.1, rate)
    return np.asarray(song[: round(seconds * rate)], dtype=np.float32)


def music_logmel(model: GenreClassifier) -> Tensor:
    """The log-mel of `music_frame`, of shape (1, n_mels, columns)."""
    wave = music_frame(model.frames.seconds, model.frames.sample_rate)
    found: Tensor = model.frontend(torch.from_numpy(wave)[None])
    return found
