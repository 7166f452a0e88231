"""The two formats of an exported file: how to write, run, and read the metadata of a file."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from genrenet.models.model import GenreModel
from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.strict_json import to_json

Format = Literal["onnx", "torch"]

SUFFIXES: dict[str, Format] = {".onnx": "onnx", ".pt2": "torch"}
"""Formats by the suffix of the file."""

OPSET = 18
"""ONNX opset; the lowest that torch's exporter writes without conversion."""

METADATA = "genrenet.json"
"""Name of the metadata among the extra files of a ``.pt2``."""

EXTRA = ("extra", "extra_files")
"""Folders of a ``.pt2`` that hold the extra files: the present one, and that of torch < 2.8."""

MAX_METADATA = 1 << 20
"""Maximum number of bytes of metadata to read; thousands of labels take less."""

# Messages of torch and its exporter about their internals, not about the model.
HARMLESS = (
    r".*isinstance\(treespec, LeafSpec\).* is deprecated",
    r"The tensor attributes? .*_flat_weights.* assigned during export",
    r"The given buffer is not writable",
)

_TEXTS = ("decision", "output", "network", "genrenet")
"""Metadata that ONNX stores as text; the rest is JSON."""


class ExportError(GenrenetError):
    """A model that cannot be exported, or a file whose scores differ from its model's."""


class _Scores(nn.Module):
    """A module whose ``forward`` returns a classifier's scores."""

    def __init__(self, classifier: GenreModel) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, waveform: Tensor) -> Tensor:
        return self.classifier.scores(waveform)


def format_of(path: Path, given: Format | None) -> Format:
    """Return the format of a file, by its suffix unless given; check for the packages it needs."""
    kind = SUFFIXES.get(path.suffix.lower()) if given is None else given
    if kind is None or kind not in get_args(Format):
        raise ExportError(
            f"no format for '{printable(path)}'",
            found=f"suffix '{path.suffix}'" if given is None else repr(given),
            wanted=f"suffix {' or '.join(SUFFIXES)}" if given is None else "onnx or torch",
        )
    if kind == "onnx":
        names = ("onnx", "onnxscript", "onnxruntime")
        missing = [name for name in names if importlib.util.find_spec(name) is None]
        if missing:
            raise ExportError(
                f"ONNX needs {', '.join(missing)}, which this Python does not have",
                remedy="pip install 'genrenet[export]'",
            )
    return kind


def exported_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata of an exported file.

    ONNX stores them in ``metadata_props``, where lists and numbers are written as JSON; a ``.pt2``
    stores them in the extra file ``genrenet.json``, the only entry that is read: no code in the
    file is run.

    Parameters
    ----------
    path : path
        A file of `export_model`.

    Returns
    -------
    dict
        ``labels`` (list of str), ``sample_rate`` (Hz), ``frame_seconds``, ``frame_samples``,
        ``trim`` (seconds), ``decision`` (how a song's frames are aggregated,
        see `genrenet.data.frames.aggregate`), ``output`` (the activation, see
        `genrenet.models.outputs.log_scores`),
        ``network`` and ``genrenet`` (its version).

    Raises
    ------
    ExportError
        The file was not written by `export_model`.
    """
    path = Path(path)
    if format_of(path, None) == "onnx":
        held = dict(_session(path).get_modelmeta().custom_metadata_map)
        if "labels" in held:
            return {
                key: value if key in _TEXTS else json.loads(value) for key, value in held.items()
            }
    else:
        found = _zipped_metadata(path)
        if found is not None:
            return found
    raise ExportError(f"'{printable(path)}' was not written by genrenet", wanted="its metadata")


def _zipped_metadata(path: Path) -> dict[str, Any] | None:
    """Return the metadata of a ``.pt2``, read as a zip file: torch's own reader is not safe for
    untrusted files.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.split("/")[-2:] not in [[folder, METADATA] for folder in EXTRA]:
                    continue
                with archive.open(entry) as file:
                    text = file.read(MAX_METADATA + 1)
                if len(text) > MAX_METADATA:
                    raise ExportError(
                        f"the metadata of '{printable(path)}' is too large",
                        wanted=f"{MAX_METADATA:,} bytes at most",
                    )
                found = json.loads(text)
                return found if isinstance(found, dict) else None
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _unusable("read", path, error) from error
    return None


def _metadata(model: GenreModel) -> dict[str, Any]:
    description = model.description()
    return {
        "labels": model.labels,
        "sample_rate": model.frames.sample_rate,
        "frame_seconds": model.frames.seconds,
        "frame_samples": model.frames.n_samples,
        "trim": model.frames.trim,
        "decision": model.aggregation,
        "output": model.activation,
        "network": description["network"]["name"],
        "genrenet": description["versions"]["genrenet"],
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the exporters' messages about their internals."""
    # It reports every optional package that is missing.
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in HARMLESS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        log.setLevel(level)


def _exported(model: GenreModel) -> torch.export.ExportedProgram:
    """Return the exported program of both formats: dynamic batch size, no gradients."""
    waveform = torch.zeros(2, model.frames.n_samples)
    shapes = {"waveform": {0: torch.export.Dim.DYNAMIC}}
    with torch.no_grad():
        return torch.export.export(_Scores(model).eval(), (waveform,), dynamic_shapes=shapes)


def _write_onnx(model: GenreModel, path: Path) -> None:
    # Not exported by torch.onnx itself: with a dynamic batch it rewrites recurrent layers as loops,
    # which warns, fails under no_grad, and leaves torch.export unable to take them afterwards.
    program = torch.onnx.export(
        _exported(model),
        dynamo=True,
        input_names=["waveform"],
        output_names=["scores"],
        dynamic_shapes={"waveform": {0: "batch"}},  # its name in the file
        opset_version=OPSET,
        verbose=False,
    )
    assert program is not None  # only torch's former exporter returns nothing
    program.model.metadata_props.update(
        (key, value if isinstance(value, str) else to_json(value, ensure_ascii=False))
        for key, value in _metadata(model).items()
    )
    program.save(path)


def _write_torch(model: GenreModel, path: Path) -> None:
    with torch.no_grad():
        # This removes the front end's autocast regions, which a file cannot contain.
        program = _exported(model).run_decompositions({})
    metadata = to_json(_metadata(model), ensure_ascii=False)
    torch.export.save(program, path, extra_files={METADATA: metadata})


WRITERS = {"onnx": _write_onnx, "torch": _write_torch}


def runner(path: Path, kind: Format) -> Callable[[Tensor], Tensor]:
    """Return a function that runs a file, from waveforms to scores."""
    if kind == "onnx":
        session = _session(path)
        return lambda waveform: torch.from_numpy(
            session.run(None, {"waveform": waveform.numpy()})[0]
        )
    module = _load_torch(path)

    def run(waveform: Tensor) -> Tensor:
        with torch.no_grad():
            scores: Tensor = module(waveform)
        return scores

    return run


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class
        raise _unusable("run", path, error) from error


def _load_torch(path: Path) -> nn.Module:
    try:
        with quiet():
            return torch.export.load(path).module()
    except Exception as error:  # invalid bytes raise many types of errors
        raise _unusable("run", path, error) from error


def _unusable(verb: str, path: Path, error: Exception) -> ExportError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return ExportError(f"cannot {verb} '{printable(path)}'", found=reason[0])
