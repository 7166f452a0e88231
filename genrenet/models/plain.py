"""Plain torch modules as networks and front ends, and their optional attributes.

A **network** is any `torch.nn.Module` whose first argument is the number of labels, from log-mels
of shape (batch, n_mels, time) to logits of shape (batch, n_labels). All else is optional:

=========================  =========================================================================
attribute or method        what for
=========================  =========================================================================
``frame_seconds``          length of the frames it was designed for (29.12)
``frontend``               settings of `LogMel` it was designed for, as a dictionary
``make_frontend()``        the front end it was designed for, where that is not a `LogMel`
``settings``               a dictionary; ``n_mels`` and ``n_stft_frames`` in it are checked against
                           the data before training
``embed(logmel)``          embeddings of shape (batch, features): `GenreModel.embed`, ``genrenet
                           embed``, the projector of TensorBoard; needs ``head`` or
                           ``embedding_size``
``embedding_size``         their length, where there is no ``head``
``head``                   the output layer, a `torch.nn.Linear` of the embedding: training on top
                           of its checkpoints (``--config transfer``)
``dropout``                a `torch.nn.Dropout` before the head, of an argument of that name:
                           ``Pretrained(..., dropout=...)``, as ``--config transfer`` has it
``stages()``               modules by name from the input to the output, ``head`` the last: freezing
                           and rates by stage
=========================  =========================================================================

Further features (outputs of all layers, caching of frozen stages) require a class derived from
`genrenet.models.networks.GenreNetwork`.

A **front end** is any module from waveforms of shape (batch, samples) in [-1, 1] to (batch, bins,
time). It is computed in float32, with gradients only if it has trainable parameters. Optional:
``sample_rate`` in Hz (12,000), and ``n_mels``, its number of bins.

A checkpoint stores the arguments the module was made with, if they are plain. They are known if a
configuration or an option names the class, if `GenreModel` is given the class or a
`functools.partial` of it with keywords, and for classes derived from
`genrenet.models.registry.Recorded`. A module whose arguments are unknown cannot be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from genrenet.models.frontend import FrontEnd, without_autocast
from genrenet.models.networks.base import GenreNetwork
from genrenet.models.registry import made_by, path_of, use
from genrenet.utils.errors import GenrenetError

OFFERS = ("frame_seconds", "make_frontend", "provenance")


class ModelError(GenrenetError):
    """Parts or settings of a model that do not fit together."""


class PlainNetwork(GenreNetwork):
    """Any module as a network; using a feature that it does not offer raises an error.

    Parameters
    ----------
    module : Module
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        settings, frontend = getattr(module, "settings", None), getattr(module, "frontend", None)
        self.settings = dict(settings) if isinstance(settings, Mapping) else {}
        self.frontend = dict(frontend) if isinstance(frontend, Mapping) else {}
        for name in OFFERS:
            if hasattr(module, name):
                setattr(self, name, getattr(module, name))

    @property
    def owner(self) -> nn.Module:
        """The module itself."""
        return self.module

    @property
    def embedding_size(self) -> int:
        """Length of the embedding, from ``embedding_size`` or the number of inputs of ``head``."""
        size = getattr(self.module, "embedding_size", None)
        return super().embedding_size if size is None else int(size)

    @property
    def has_embedding(self) -> bool:
        """Whether the module has embeddings of a known length."""
        sized = any(hasattr(self.module, name) for name in ("embedding_size", "head"))
        return sized and hasattr(self.module, "embed")

    def _offered(self, name: str, wanted: str) -> Any:
        if not hasattr(self.module, name):
            raise self.lacking(name, wanted)
        return getattr(self.module, name)

    def stages(self) -> dict[str, nn.Module]:
        """Return the module's ``stages()``."""
        stages: dict[str, nn.Module] = self._offered("stages", "stages() by name")()
        return stages

    def embed(self, logmel: Tensor) -> Tensor:
        """Return the module's ``embed(logmel)``."""
        embedding: Tensor = self._offered("embed", "embed(logmel)")(logmel)
        return embedding

    def forward(self, logmel: Tensor) -> Tensor:
        """Return the logits of shape (batch, n_labels) of log-mels of shape (batch, n_mels,
        time).
        """
        logits: Tensor = self.module(logmel)
        return logits

    def layers(self, logmel: Tensor) -> dict[str, Tensor]:
        """Return embedding and logits."""
        return {"embedding": self.embed(logmel), "logits": self(logmel)}


class PlainFrontEnd(FrontEnd):
    """Any module as a front end.

    Parameters
    ----------
    module : Module
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.sample_rate = int(getattr(module, "sample_rate", 12_000))
        self.trainable = any(parameter.requires_grad for parameter in module.parameters())

    @property
    def owner(self) -> nn.Module:
        """The module itself."""
        return self.module

    @property
    def n_mels(self) -> int:  # type: ignore[override]
        """Number of bins: the module's attribute, or the size of its output for silence."""
        found = getattr(self.module, "n_mels", None)
        return int(self._silence(self.sample_rate).shape[1] if found is None else found)

    def forward(self, waveform: Tensor) -> Tensor:
        """Map waveforms of shape (batch, samples) to (batch, bins, time)."""
        learning = self.trainable and torch.is_grad_enabled()
        with without_autocast(waveform.device), torch.set_grad_enabled(learning):
            found: Tensor = self.module(waveform.float())
        return found


def as_network(make: Callable[[int], nn.Module], n_labels: int) -> GenreNetwork:
    """Build a network; see the top of this module.

    Raises
    ------
    ModelError
        The result is not a module.
    """
    made = made_by(make, n_labels)
    if isinstance(made, GenreNetwork):
        return made
    return PlainNetwork(_module(made, "network"))


def as_frontend(part: nn.Module | Callable[[], nn.Module]) -> FrontEnd:
    """Return a front end for a module, or for a class or partial; see the top of this module.

    Raises
    ------
    ModelError
        It is not a module.
    """
    if not isinstance(part, nn.Module) and callable(part):
        part = made_by(part)
    return part if isinstance(part, FrontEnd) else PlainFrontEnd(_module(part, "front end"))


def _module(part: Any, what: str) -> nn.Module:
    if not isinstance(part, nn.Module):
        raise ModelError(
            f"the {what} of the model", found=f"{part!r:.100}", wanted="a torch.nn.Module"
        )
    use(type(part))
    return part


def check_parts(network: GenreNetwork, frontend: FrontEnd, n_samples: int, n_labels: int) -> None:
    """Raise an error for a front end and a network that do not fit together, tried on silence.

    Raises
    ------
    ModelError
        One of them fails, or its output has a wrong shape.
    """
    waveform = torch.zeros(1, n_samples, device=frontend.device)
    logmel = _run(frontend, waveform, "front end", "(1, bins, time)", lambda s: len(s) == 3)
    logits = f"(1, {n_labels})"
    _run(network, logmel, "network", logits, lambda shape: tuple(shape) == (1, n_labels))


def _run(
    part: Any, given: Tensor, what: str, wanted: str, fits: Callable[[torch.Size], bool]
) -> Tensor:
    what = f"the {what} {path_of(type(part.owner))}"
    modes = {module: module.training for module in part.modules()}
    part.eval()
    try:
        with torch.no_grad():
            found: Tensor = part(given)
    except Exception as error:  # a third-party module may raise anything
        raise ModelError(
            f"{what} cannot take a tensor of shape {tuple(given.shape)}",
            found=f"{type(error).__name__}: {error}",
            remedy="change its arguments, the front end or the length of frames",
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    shape = tuple(getattr(found, "shape", ()))
    if not isinstance(found, Tensor) or not fits(found.shape):
        raise ModelError(
            f"{what} gives another shape than it should",
            found=f"{shape or type(found).__name__} of {tuple(given.shape)}",
            wanted=wanted,
        )
    return found
