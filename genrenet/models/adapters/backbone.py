"""The base class of the backbones that adapters open."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from genrenet.models.fused import Waveform
from genrenet.models.outputs import Activation


class Backbone(nn.Module):
    """Base of the backbones that adapters open: from a front end's output to the outputs of layers.

    A custom backbone sets the attributes and defines ``forward``.

    Attributes
    ----------
    sample_rate : int > 0
        Of the waveforms, in Hz.
    frame_seconds : float > 0
        Length of the input frames, in seconds.
    layer_names : sequence of str
        Names of its layers, from the input to the output.
    size : int > 0
        Length of each layer's vector.
    labels : sequence of str
        Names of its own outputs; none for an encoder.
    activation : {"softmax", "normalised-sigmoid", "sigmoid"}
        Activation that turns its logits into scores; see `genrenet.models.outputs.log_scores`.
    batch_frames : int > 0, optional
        Number of frames in a batch; None accepts any number.
    """

    sample_rate: int = 16_000
    frame_seconds: float = 5.0
    layer_names: Sequence[str] = ("embedding",)
    size: int
    labels: Sequence[str] = ()
    activation: Activation = "softmax"
    batch_frames: int | None = None

    def make_frontend(self) -> nn.Module:
        """Return the front end of the backbone: by default the unchanged samples."""
        return Waveform(self.sample_rate, level="keep")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Run the backbone.

        Parameters
        ----------
        x : Tensor
            Output of the front end: (batch, 1, samples) or (batch, bins, time).

        Returns
        -------
        layers : Tensor of float32, shape (batch, len(layer_names), size)
            Averaged over time.
        logits : Tensor of float32, shape (batch, len(labels)), or None
        """
        raise NotImplementedError
