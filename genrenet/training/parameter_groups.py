"""Parameter groups of an optimiser: learning rates by stage, and weight decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from genrenet.models.description import CheckpointMismatchError

UNDECAYED = "undecayed"


def decays(make: Callable[[Iterable[Parameter]], Optimizer]) -> bool:
    """Return whether an optimiser has weight decay."""
    return bool(make([Parameter(torch.zeros(1))]).defaults.get("weight_decay"))


def parameter_groups(
    stages: Mapping[str, Iterable[Parameter]], rates: Mapping[str, float], *, decay: bool
) -> list[dict[str, Any]]:
    """Return an optimiser's groups: one or two for each stage.

    Parameters
    ----------
    stages : mapping of str to iterable of Parameter
    rates : mapping of str to float
        Factor of the learning rate of each stage that has a group: the entry ``rate``.
    decay : bool
        Whether the optimiser has weight decay. Then biases and other one-dimensional parameters,
        such as the weights of batch-norms, are a group of their own without decay.

    Notes
    -----
    Weight decay regularises the weights; decaying a bias or a batch-norm's scale does not reduce
    complexity (Loshchilov and Hutter 2019 leave the choice to the user; He et al.
    2019, "Bag of tricks", decay no biases and norms).
    """
    groups: list[dict[str, Any]] = []
    for name, rate in rates.items():
        parameters = list(stages[name])
        kept = [p for p in parameters if decay and p.ndim < 2]
        decayed = [p for p in parameters if not decay or p.ndim >= 2]
        if decayed:
            groups.append({"params": decayed, "name": name, "rate": rate})
        if kept:
            called = f"{name}, {UNDECAYED}"
            groups.append({"params": kept, "name": called, "rate": rate, "weight_decay": 0.0})
    return groups


def check_groups(states: Sequence[Mapping[str, Any]], optimizer: Optimizer) -> None:
    """Raise an error for an optimiser's state that does not fit this optimiser.

    Parameters
    ----------
    states : sequence of mapping
        A Lightning checkpoint's ``optimizer_states``.
    optimizer : Optimizer
        With all its parameter groups.

    Raises
    ------
    CheckpointMismatchError
        Other groups, or groups with other settings, as those of another optimiser.
    """
    if len(states) != 1:
        return
    theirs, ours = states[0]["param_groups"], optimizer.state_dict()["param_groups"]
    restart = "train from its weights: --config transfer --model.network.init_args.backbone FILE"
    if [len(group["params"]) for group in theirs] != [len(group["params"]) for group in ours]:
        raise CheckpointMismatchError(
            "the checkpoint's optimiser cannot resume: its parameters are grouped differently",
            found=f"groups of {[len(group['params']) for group in theirs]} parameters",
            wanted=f"{[len(group['params']) for group in ours]}, biases and norms apart",
            remedy=f"{restart}, or resume with the version of genrenet that wrote it",
        )
    later = {"initial_lr", "name"}
    # Entries that only this optimiser's groups have were added by later versions of torch.
    if any(set(a) - set(b) - later for a, b in zip(theirs, ours, strict=True)):
        raise CheckpointMismatchError(
            "the checkpoint was trained with another optimiser",
            found=", ".join(sorted(set(theirs[0]) - {"params"} - later)),
            wanted=", ".join(sorted(set(ours[0]) - {"params"} - later)),
            remedy=f"resume with its optimiser, or {restart}",
        )
