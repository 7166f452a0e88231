"""Description files of ONNX models: this package's YAML, or the JSON that Essentia publishes.

``FILE.yaml`` next to ``FILE.onnx`` has these entries; only ``sample_rate`` and ``outputs`` are
required:

================  ==================================================================================
``sample_rate``   in Hz
``frontend``      ``waveform`` (the default), ``musicnn`` (log-mels of 96 bands at 16 kHz), or the
                  name of a front end that a plugin registered with its settings:
                  ``{name: LogMel, n_mels: 128}``
``patch``         STFT frames (samples, for ``waveform``) of a frame; not needed if the model fixes
                  them
``seconds``       length of a frame instead of ``patch``
``mean, std``     subtracted from the front end's output, which is then divided
``input``         name of the input; the only one by default
``time_first``    whether mel bands come last: (batch, time, bands); known where the shape is fixed
``outputs``       ``scores`` or ``logits``: the name of the output with a value for each label;
                  ``embeddings``: the name, or a list of names, of outputs of equal length
``activation``    activation of the scores: ``sigmoid`` (the default) or ``softmax``
``labels``        names of the outputs, or a text file with one name per line
``licence``, ``title``, ``citation``, ``address``
================  ==================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from genrenet.models.adapters.registry import AdapterError, Card
from genrenet.utils.errors import printable
from genrenet.utils.suggest import did_you_mean

EXAMPLE = "{sample_rate: 16000, frontend: musicnn, outputs: {embeddings: embeddings}}"

MUSICNN = {
    "TensorflowPredictMusiCNN": (187, 0.0, 1.0),
    "TensorflowPredictEffnetDiscogs": (128, 0.0, 1.0),
    "TensorflowPredictMAEST": (1876, 2.06755686098554, 2 * 1.268292820667291),
}
"""Essentia's algorithms with MusiCNN's front end: STFT frames of a patch, and the mean and the
standard deviation by which log-mels are standardised (from Essentia's source code)."""

ESSENTIA_LICENCE = "CC BY-NC-SA 4.0"
"""Licence of the models that Essentia's authors publish at `ESSENTIA`; not in their JSON."""

ESSENTIA = "essentia.upf.edu"


@dataclass(frozen=True)
class OnnxCard:
    """How an ONNX file is to be used; the entries are described at the top of this module.

    Attributes
    ----------
    shapes : dict of str to list
        Shapes of outputs, under names that the ONNX file may not have: those of TensorFlow, from
        Essentia's JSON.
    """

    sample_rate: int
    outputs: Mapping[str, Any]
    frontend: str | Mapping[str, Any] = "waveform"
    patch: int | None = None
    seconds: float | None = None
    mean: float = 0.0
    std: float = 1.0
    input: str | None = None
    time_first: bool | None = None
    activation: str = "sigmoid"
    labels: tuple[str, ...] = ()
    licence: str = ""
    title: str = ""
    citation: str = ""
    address: str = ""
    shapes: Mapping[str, list[Any]] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """The model's data for listings."""
        return Card(self.title, self.licence, self.labels, self.citation, self.address)


def onnx_files(rest: str) -> list[Path]:
    """Return an ONNX file, its external data, and its description file."""
    file = Path(rest).expanduser()
    beside = card_file(file)
    return [file, *sorted(file.parent.glob(f"{file.name}[._]data")), beside]


def onnx_card(rest: str) -> Card:
    """Return the description file of an ONNX file."""
    return read_card(Path(rest).expanduser()).card


def card_file(file: Path) -> Path:
    """Return the description of an ONNX file.

    Raises
    ------
    AdapterError
        There is no such ONNX file, or no description next to it.
    """
    if not file.is_file():
        raise AdapterError(f"no ONNX file '{printable(file)}'")
    for suffix in (".yaml", ".yml", ".json"):
        if (found := file.with_suffix(suffix)).is_file():
            return found
    raise AdapterError(
        f"there is no description of '{printable(file)}'",
        wanted=f"'{printable(file.with_suffix('.yaml').name)}' beside it, such as {EXAMPLE}, or "
        "the JSON that Essentia publishes with it",
        remedy="see docs/backbones.md",
    )


def read_card(file: Path) -> OnnxCard:
    """Read the description next to an ONNX file.

    Raises
    ------
    AdapterError
        There is none, or it is damaged or incomplete.
    """
    beside = card_file(file)
    name = printable(beside)
    try:
        text = beside.read_text("utf-8")
        found = json.loads(text) if beside.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AdapterError(
            f"'{name}' cannot be read", found=" ".join(str(error).split())[:200]
        ) from error
    if not isinstance(found, dict):
        raise AdapterError(
            f"'{name}' contains no settings", found=type(found).__name__, wanted=EXAMPLE
        )
    if "inference" in found or "schema" in found:
        return _of_essentia(found, name)
    return _own(found, beside, name)


def _own(found: dict[str, Any], beside: Path, name: str) -> OnnxCard:
    known = [key for key in OnnxCard.__dataclass_fields__ if key != "shapes"]
    for key in found:
        if key not in known:
            near = did_you_mean(str(key), known)
            raise AdapterError(
                f"'{name}' has an unknown setting '{key}'", wanted=", ".join(known), remedy=near
            )
    settings = dict(found)
    labels = settings.pop("labels", ())
    if isinstance(labels, str):
        try:
            labels = (beside.parent / labels).read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise AdapterError(f"'{name}': labels", found=str(error)) from error
    outputs, kinds = settings.get("outputs"), {"scores", "logits", "embeddings"}
    std = settings.get("std", 1)
    needed = {
        "sample_rate": (type(settings.get("sample_rate")) is int, "such as 16000"),
        "outputs": (
            isinstance(outputs, dict) and bool(outputs) and kinds >= outputs.keys(),
            "some of scores, logits and embeddings, and their names in the ONNX file",
        ),
        "activation": (
            settings.get("activation", "sigmoid") in ("sigmoid", "softmax"),
            "sigmoid or softmax",
        ),
        "mean": (_is_number(settings.get("mean", 0)), "a number"),
        "std": (_is_number(std) and std != 0, "a number that is not 0"),
        "labels": (isinstance(labels, (list, tuple)), "a list of names, or a text file"),
    }
    for key, (good, wanted) in needed.items():
        if not good:
            raise AdapterError(f"'{name}': {key}", found=repr(found.get(key)), wanted=wanted)
    return OnnxCard(**settings, labels=tuple(map(str, labels)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _of_essentia(found: dict[str, Any], name: str) -> OnnxCard:
    inference, schema = found.get("inference") or {}, found.get("schema") or {}
    algorithm = str(inference.get("algorithm", ""))
    if algorithm not in MUSICNN:
        of = inference.get("embedding_model")
        raise AdapterError(
            f"'{name}' describes a model with an unknown kind of input",
            found=f"the algorithm {algorithm or 'none'}" + (" on embeddings" if of else ""),
            wanted=", ".join(MUSICNN),
            remedy="write a YAML file instead: see docs/backbones.md",
        )
    patch, mean, std = MUSICNN[algorithm]
    outputs: dict[str, Any] = {}
    shapes: dict[str, list[Any]] = {}
    op = "Sigmoid"
    for one in schema.get("outputs") or []:
        purpose, output = str(one.get("output_purpose", "")), str(one.get("name", ""))
        shapes[output] = list(one.get("shape") or [])
        if purpose == "predictions" and "scores" not in outputs:
            outputs["scores"], op = output, str(one.get("op") or op)
        elif purpose == "embeddings":
            outputs.setdefault("embeddings", []).append(output)
    if not outputs:
        raise AdapterError(
            f"'{name}' names no output",
            found=", ".join(shapes) or "none",
            wanted="one with the output_purpose predictions or embeddings",
        )
    if op not in ("Sigmoid", "Softmax"):
        outputs["logits"] = outputs.pop("scores", None)
    sizes = [size for size in _shape(schema) if type(size) is int and size != 96]
    address = str(found.get("link", ""))
    return OnnxCard(
        sample_rate=int(inference.get("sample_rate", 16_000)),
        outputs={key: value for key, value in outputs.items() if value},
        frontend="musicnn",
        patch=sizes[-1] if sizes and sizes[-1] > 1 else patch,
        mean=mean,
        std=std,
        time_first=True,
        activation="softmax" if op == "Softmax" else "sigmoid",
        labels=tuple(map(str, found.get("classes") or ())),
        licence=str(found.get("license") or (ESSENTIA_LICENCE if ESSENTIA in address else "")),
        title=str(found.get("name", "")),
        citation=" ".join(str(found.get("citation", "")).split()),
        address=address,
        shapes=shapes,
    )


def _shape(schema: Mapping[str, Any]) -> list[Any]:
    inputs = schema.get("inputs") or [{}]
    return list(inputs[0].get("shape") or [])[-2:]
