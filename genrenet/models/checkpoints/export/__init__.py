"""Export a model as one file for other programs, in ONNX or ``torch.export`` format.

The file holds front end, network and activation: it takes waveforms, so a program that runs it need
not compute log-mels, and it contains its labels and settings. Its scores are compared with the
model's before it gets its name.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from genrenet.models.checkpoints.export.formats import (
    WRITERS,
    ExportError,
    Format,
    exported_metadata,
    format_of,
    quiet,
    runner,
)
from genrenet.models.model import GenreModel
from genrenet.models.networks.gru import StepwiseGRU, is_stepwise
from genrenet.utils.atomic import replacing
from genrenet.utils.errors import printable

__all__ = ["TOLERANCE", "ExportError", "check_export", "export_model", "exported_metadata"]

TOLERANCE = 1e-4
"""Maximum difference between a score of the file and one of the model."""


def export_model(
    model: GenreModel,
    target: str | os.PathLike[str],
    *,
    format: Format | None = None,
) -> Path:
    """Export a classifier to a file that other programs can run, and verify its scores.

    Parameters
    ----------
    model : GenreModel
        On any device and in any mode; it is not changed.
    target : path
        File to write. What is already there is replaced once the new file has been checked.
    format : {"onnx", "torch"}, optional
        By default according to the suffix: ``.onnx`` or ``.pt2``.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    ExportError
        An unknown format, packages that are missing, a folder that cannot be written, an operator
        that the format lacks, or scores that differ by more than 1e-4; no file is left then.

    Notes
    -----
    Input ``waveform``, float32 of shape (batch, samples), one frame each at the model's rate and in
    [-1, 1]; output ``scores``, float32 of shape (batch, labels). Any number of frames goes in at
    once; the number of samples is that of the model's frames. See `exported_metadata` for the rest.

    A ``.pt2`` is loaded by unpickling, which runs code: open only files that you trust. An ONNX
    file runs no code of its own.

    Examples
    --------
    >>> export_model(model, "genres.onnx")  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("genres.onnx")  # doctest: +SKIP
    >>> (scores,) = session.run(None, {"waveform": frames})  # doctest: +SKIP
    """
    target = Path(target)
    kind = format_of(target, format)
    if not target.resolve().parent.is_dir():
        raise ExportError(f"no folder '{printable(target.parent)}'", remedy="create it first")
    # torch accepts no other suffix than its own; onnxruntime accepts any
    plain = _in_steps(_plain(model))
    try:
        with replacing(target, suffix=".pt2") as part:
            with quiet():
                WRITERS[kind](plain, part)
            check_export(part, model, format=kind)
    except OSError as error:
        raise ExportError(f"cannot write '{printable(target)}'", found=str(error)) from error
    except ExportError:
        raise
    except Exception as error:  # the exporters raise many types of errors for an operator they lack
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(
            f"cannot export {type(model.network.owner).__name__} to '{printable(target)}'",
            found=reason[0],
            remedy="try the other format",
        ) from error
    return target


def check_export(
    path: str | os.PathLike[str], model: GenreModel, *, format: Format | None = None
) -> float:
    """Compare a file's scores with a model's, on noise and on sines, in batches of 1 and of 3.

    Parameters
    ----------
    path : path
        A file of `export_model`.
    model : GenreModel
    format : {"onnx", "torch"}, optional
        By default according to the suffix.

    Returns
    -------
    float >= 0
        The largest difference found.

    Raises
    ------
    ExportError
        It is larger than 1e-4, or the file cannot be run.

    Notes
    -----
    The file is run. A ``.pt2`` may contain any code, so run only files that you trust;
    `exported_metadata` only reads.
    """
    run = runner(Path(path), format_of(Path(path), format))
    plain = _plain(model)
    worst = 0.0
    for name, waveform in _probes(plain):
        found = run(waveform)
        with torch.inference_mode():
            wanted = plain.scores(waveform)
        what = f"'{printable(path)}' does not score as the model does"
        if found.shape != wanted.shape:
            raise ExportError(
                what, found=f"scores of shape {tuple(found.shape)}", wanted=f"{tuple(wanted.shape)}"
            )
        difference = float((found - wanted).abs().max())
        if not difference <= TOLERANCE:  # also true for NaN
            raise ExportError(
                what,
                found=f"a difference of {difference:.2g} for {name} ({len(found)} frames at once)",
                wanted=f"{TOLERANCE:g} at most",
            )
        worst = max(worst, difference)
    return worst


def _plain(model: GenreModel) -> GenreModel:
    """Return a copy in eval mode, on the CPU, whose float32 is the same everywhere."""
    network = copy.deepcopy(model.network).cpu().float()
    plain = GenreModel(
        model.labels,
        network=lambda n_labels: network,
        frontend=copy.deepcopy(model.frontend).cpu().float(),
        activation=model.activation,
        aggregation=model.aggregation,
        channels_last=False,
    )
    plain.frames = model.frames
    plain.provenance = dict(model.provenance)
    for values in (*plain.parameters(), *plain.buffers()):
        # A file holds plain tensors: no channels-last weights, and no slices of larger ones.
        values.data = values.data.clone(memory_format=torch.contiguous_format)
    return plain.eval()


def _in_steps(model: GenreModel) -> GenreModel:
    """Replace torch's GRU by `StepwiseGRU`, as not every release of torch exports it."""
    for parent in list(model.network.modules()):
        for name, child in list(parent.named_children()):
            if is_stepwise(child):
                setattr(parent, name, StepwiseGRU(child))
    return model


def _probes(model: GenreModel) -> Iterator[tuple[str, Tensor]]:
    """Yield frames to compare: noise, sines, and three with both, of shape (frames, samples)."""
    samples, rate = model.frames.n_samples, model.frames.sample_rate
    noise = 0.1 * torch.randn(3, samples, generator=torch.Generator().manual_seed(0))
    pitches = torch.tensor([220.0, 660.0, 1980.0], dtype=torch.float64)
    phases = 2 * torch.pi * pitches[:, None] * torch.arange(samples, dtype=torch.float64) / rate
    sines = (0.4 * phases.sin()).float()
    yield "noise", noise[:1]
    yield "a sine", sines[:1]
    yield "noise and sines", torch.tensor([[0.01], [1.0], [0.1]]) * noise + sines
