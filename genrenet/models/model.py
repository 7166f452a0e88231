"""The model: front end, network and labels, as one plain `nn.Module` from waveforms to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, get_args

import torch
from torch import Tensor, nn

from genrenet.data.frames import Aggregation, FrameSettings, aggregate, cut, frame_statistics
from genrenet.models.description import describe
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN, GenreNetwork
from genrenet.models.outputs import Activation, log_scores
from genrenet.models.plain import ModelError, as_frontend, as_network, check_parts
from genrenet.models.registry import is_others
from genrenet.models.signal_response import check_response, response

FRAMES_AT_ONCE = 16


class NetworkMaker:
    """Base of objects that build networks: what a configuration may name besides networks."""

    def __call__(self, n_labels: int) -> nn.Module:
        """Build a network with ``n_labels`` outputs."""
        raise NotImplementedError


class GenreModel(nn.Module):
    """A genre classifier for frames and songs, from waveforms to scores.

    Parameters
    ----------
    labels : sequence of str
        Names of the outputs, in order.
    network : callable
        Builds the network from the number of labels: a class such as `CNN` or your own, a partial
        of one, or a `genrenet.training.finetuning.Pretrained`; see `genrenet.models.plain`.
    frontend : Module or callable, optional
        Waveform to log-mel, or a class or partial that builds it; by default the front end that the
        network was designed for, or was trained with.
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
        See `genrenet.models.outputs.log_scores`.
    aggregation : {"mean", "vote", "geometric"}
        How the scores of frames are aggregated to those of a song.
    channels_last : bool
        Memory format of the convolutions.

    Attributes
    ----------
    frames : FrameSettings
        How songs are cut into frames.
    provenance : dict
        Where the weights come from; part of the description in checkpoints.

    Raises
    ------
    ModelError
        Fewer than two labels, or arguments that are not modules.

    Examples
    --------
    >>> model = GenreModel(["jazz", "rock"]).eval()
    >>> model.scores(torch.zeros(1, model.frames.n_samples)).shape
    torch.Size([1, 2])
    """

    least_labels = 2

    def __init__(
        self,
        labels: Sequence[str],
        network: Callable[[int], nn.Module] | NetworkMaker = CNN,
        frontend: LogMel | nn.Module | Callable[[], nn.Module] | None = None,
        activation: Activation = "softmax",
        aggregation: Aggregation = "mean",
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        if len(labels) < self.least_labels:
            raise ModelError("labels", found=f"{list(labels)}", wanted="at least two")
        if activation not in get_args(Activation):
            raise ModelError(
                "activation", found=repr(activation), wanted=", ".join(get_args(Activation))
            )
        self.labels = list(labels)
        self.network = as_network(network, len(self.labels))
        given = frontend if frontend is not None else _own_frontend(self.network)
        self.frontend = as_frontend(given)
        self.activation: Activation = activation
        self.aggregation: Aggregation = aggregation
        self.frames = FrameSettings(self.network.frame_seconds, 20.0, self.frontend.sample_rate)
        self.provenance: dict[str, Any] = dict(getattr(self.network, "provenance", {}))
        self.wanted_response: list[float] | None = None
        if channels_last:
            self.network.to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        held = next(chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if held is None else held.device

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the logits of frames.

        Parameters
        ----------
        waveform : Tensor, shape (batch, samples)
            One frame each, in [-1, 1].

        Returns
        -------
        Tensor, shape (batch, labels)
        """
        logits: Tensor = self.network(self.frontend(waveform))
        return logits

    def scores(self, waveform: Tensor) -> Tensor:
        """Return the scores of waveforms of any length.

        Parameters
        ----------
        waveform : Tensor, shape (batch, samples)
            At ``frames.sample_rate``, in [-1, 1]. One that is longer than a frame is cut into whole
            frames (see `genrenet.data.frames.cut`), whose scores are combined by ``aggregation``; a
            shorter one is filled to a frame as ``frames`` says. Nothing is trimmed.

        Returns
        -------
        Tensor, shape (batch, labels)
            Rows sum to one, unless ``activation`` is ``sigmoid``.

        Raises
        ------
        FrameError
            Another number of dimensions, or no samples.
        """

        def scores(frames: Tensor) -> Tensor:
            return log_scores(self(frames).float(), self.activation).exp()

        if self._are_frames(waveform):
            return scores(waveform)
        found = self._by_frame(waveform, scores)
        if found.shape[1] == 1:
            return found[:, 0]
        counts = torch.full((len(found),), found.shape[1], device=found.device)
        totals = frame_statistics(found.flatten(0, 1)).unflatten(0, found.shape[:2]).sum(dim=1)
        return aggregate(totals, counts, self.aggregation)

    def _are_frames(self, waveform: Tensor) -> bool:
        """Return whether waveforms are single frames, up to the number of their STFT frames."""
        samples = waveform.shape[-1]
        if waveform.ndim != 2 or not samples:
            return False
        wanted = self.network.settings.get("n_stft_frames")
        if samples == self.frames.n_samples or wanted is None:
            return samples == self.frames.n_samples
        return bool(self.frontend.n_stft_frames(samples) == wanted)

    def _by_frame(self, waveform: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the results of ``work`` on the frames of waveforms: (batch, frames, ...)."""
        frames = cut(waveform, self.frames)
        # An hour of audio in one batch would need gigabytes.
        found = torch.cat([work(some) for some in frames.flatten(0, 1).split(FRAMES_AT_ONCE)])
        return found.reshape(*frames.shape[:2], *found.shape[1:])

    def scores_of_logmel(self, logmel: Tensor) -> Tensor:
        """Return the scores of log-mels.

        Parameters
        ----------
        logmel : Tensor, shape (batch, n_mels, time) or (batch, 1, n_mels, time)
            For networks that were published with time first, such as `MusiCNN`, the four dimensions
            may also be (batch, 1, time, n_mels): the layout is inferred from which of the last two
            is ``n_mels``.

        Returns
        -------
        Tensor, shape (batch, labels)
        """
        if logmel.ndim == 4:
            logmel = logmel.squeeze(1)
            n_mels = self.network.settings.get("n_mels")
            if self.network.time_first and logmel.shape[1] != n_mels == logmel.shape[2]:
                logmel = logmel.transpose(1, 2)
        held = (p for p in self.network.parameters() if p.is_floating_point())
        logits = self.network(logmel.to(next(held, logmel).dtype))
        return log_scores(logits.float(), self.activation).exp()

    def embed(self, waveform: Tensor, layer: str | Sequence[str] = "embedding") -> Tensor:
        """Return a layer's output as one vector per waveform.

        Parameters
        ----------
        waveform : Tensor, shape (batch, samples)
            At ``frames.sample_rate``, in [-1, 1]; of any length, as for `scores`.
            Vectors of several frames are averaged.
        layer : str or sequence of str
            See the network's ``layers``; several are concatenated.

        Returns
        -------
        Tensor, shape (batch, features)

        Raises
        ------
        ModelError
            The network has no such layer.
        FrameError
            Another number of dimensions, or no samples.
        """
        if not self._are_frames(waveform):
            return self._by_frame(waveform, lambda frames: self.embed(frames, layer)).mean(dim=1)
        names = [layer] if isinstance(layer, str) else list(layer)
        if names == ["embedding"]:
            return self.network.embed(self.frontend(waveform))
        layers = self.network.layers(self.frontend(waveform))
        unknown = [name for name in names if name not in layers]
        if unknown or not names:
            raise ModelError(
                f"no layer {', '.join(map(repr, unknown)) or 'named'}", wanted=", ".join(layers)
            )
        return torch.cat([layers[name].float() for name in names], dim=-1)

    def description(self) -> dict[str, Any]:
        """Return all that inference needs besides the weights, in plain types."""
        return describe(
            labels=self.labels,
            network=self.network,
            frontend=self.frontend,
            frames=self.frames,
            activation=self.activation,
            aggregation=self.aggregation,
            provenance=self.provenance,
        )

    def check_parts(self) -> None:
        """Raise an error for a third-party front end or network that does not fit; see `plain`.

        Raises
        ------
        ModelError
        """
        description = self.description()
        if is_others(description["network"]) or is_others(description["frontend"]):
            check_parts(self.network, self.frontend, self.frames.n_samples, len(self.labels))

    def saved_description(self) -> dict[str, Any]:
        """Return the description, with the model's response to noise if it has third-party classes.

        For classes of this package, the weights show whether a class has changed. A third-party
        class may have no weights, so its response is stored too.
        """
        description = self.description()
        if is_others(description["network"]) or is_others(description["frontend"]):
            description["probe"] = response(self)
        return description

    def check_response_of(self, name: str) -> None:
        """Raise an error for a model whose response differs from that in its checkpoint.

        Raises
        ------
        CheckpointMismatchError
        """
        wanted, self.wanted_response = self.wanted_response, None
        if wanted is not None:
            check_response(response(self), wanted, name, self.description())


def _own_frontend(network: GenreNetwork) -> nn.Module:
    """Return the front end that a network was designed for or trained with."""
    make: Callable[[], nn.Module] | None = getattr(network, "make_frontend", None)
    return LogMel(**network.frontend) if make is None else make()
