"""Networks that start from the weights of a checkpoint, with a head for other labels."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from genrenet.models.adapters import Adapted, is_reference
from genrenet.models.checkpoints import find_checkpoint, load_model
from genrenet.models.model import NetworkMaker
from genrenet.models.networks import GenreNetwork
from genrenet.models.registry import set_argument
from genrenet.training.finetuning.errors import FinetuningError
from genrenet.utils.cache import sha256_of


class Pretrained(NetworkMaker):
    """Build networks from a checkpoint: the same trunk and settings, and a new head.

    It replaces a network's class in `GenreClassifier`. The network is of the checkpoint's own
    class, so that a fine-tuned checkpoint can be loaded without the backbone.

    Parameters
    ----------
    backbone : str
        The name of a checkpoint, such as ``msd-cnn``, or a ``.ckpt`` file; or a reference for an
        adapter, such as ``hf:ORG/NAME``: a trained weighted sum of its layers, and a head.
    dropout : float in [0, 1), optional
        Dropout before the head; None keeps the backbone's.
    keep_head : bool
        Keep the output layer too: to continue training with the same labels in the same order.
    seed : int
        Seed of the new head.

    Raises
    ------
    FinetuningError
        When called: a kept head that has another number of labels.
    CheckpointError
        When called: no such checkpoint.

    Notes
    -----
    The front end and the frame length are also the backbone's. The network's ``provenance`` has the
    name of the backbone and the SHA-256 of its file.

    Examples
    --------
    >>> network = Pretrained("msd-cnn")(10)  # doctest: +SKIP
    >>> model = GenreClassifier(labels, network=Pretrained("msd-cnn"))  # doctest: +SKIP
    """

    def __init__(
        self, backbone: str, dropout: float | None = None, keep_head: bool = False, seed: int = 0
    ) -> None:
        if dropout is not None and not 0 <= dropout < 1:
            raise FinetuningError(
                "dropout before the head", found=f"{dropout:g}", wanted="a share from 0 to below 1"
            )
        self.backbone, self.dropout = backbone, dropout
        self.keep_head, self.seed = keep_head, seed

    def __call__(self, n_labels: int) -> GenreNetwork:
        """Return the network, with ``n_labels`` outputs."""
        if is_reference(self.backbone):
            return self._on_adapted(n_labels)
        file = find_checkpoint(self.backbone)
        source = load_model(file)
        network: Any = source.network
        if not self.keep_head:
            network.reset_classifier(n_labels, self.seed)
        elif len(source.labels) != n_labels:
            raise FinetuningError(
                f"the head of '{self.backbone}' does not fit the data",
                found=f"{len(source.labels)} labels in the backbone",
                wanted=f"{n_labels}",
                remedy="leave out keep_head: a new head will be made",
            )
        if self.dropout is not None:
            owner: Any = network.owner
            stored = owner is network or set_argument(owner, "dropout", self.dropout)
            if not isinstance(getattr(owner, "dropout", None), nn.Dropout) or not stored:
                raise FinetuningError(
                    f"the network of '{self.backbone}' has no dropout before its head",
                    found=f"dropout {self.dropout:g} for {type(network.owner).__name__}",
                    wanted="an argument and a torch.nn.Dropout of that name",
                    remedy="leave dropout out (--model.network.init_args.dropout null)",
                )
            owner.dropout.p = self.dropout
            if isinstance(getattr(owner, "settings", None), dict):
                owner.settings["dropout"] = self.dropout
        # With its class and weights. A partial, as a module would become a part.
        network.make_frontend = partial(copy.deepcopy, source.frontend.train())
        network.frame_seconds = source.frames.seconds
        published = source.provenance.get("source") or {}
        sha256 = published.get("sha256") or sha256_of(file)
        # Folders are private.
        network.provenance = {"backbone": {"name": Path(self.backbone).name, "sha256": sha256}}
        made: GenreNetwork = network.train()
        return made

    def _on_adapted(self, n_labels: int) -> GenreNetwork:
        """Return a new head on the weighted layers of an adapter's backbone."""
        if self.keep_head:
            raise FinetuningError(
                f"the outputs of '{self.backbone}' cannot be trained on",
                found="keep_head",
                remedy="leave out keep_head: a new head will be made",
            )
        network = Adapted(n_labels, self.backbone, dropout=self.dropout or 0.0)
        network.reset_classifier(n_labels, self.seed)
        return network.train()
