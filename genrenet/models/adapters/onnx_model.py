"""The adapter ``onnx``: models in ONNX files, run by ONNX Runtime.

The input is samples or the log-mels of a front end of this package; the outputs are scores of
labels, embeddings, or both; see `genrenet.models.adapters.onnx_card` for the description file next
to a model. The models cannot be trained, only a head on top of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genrenet.models.adapters.backbone import Backbone
from genrenet.models.adapters.onnx_card import OnnxCard, read_card
from genrenet.models.adapters.registry import AdapterError
from genrenet.models.description import build_frontend
from genrenet.models.frontend import FrontEnd, LogMel
from genrenet.models.fused import Waveform
from genrenet.models.networks import MusiCNN, NetworkError
from genrenet.models.plain import as_frontend
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra
from genrenet.utils.hardware import cores

USUAL = {"scores": "activations", "embeddings": "embeddings"}
"""Names of outputs in Essentia's ONNX files, which differ from those in its JSON."""


def open_onnx(rest: str, trust: bool = False) -> OnnxModel:
    """Open an ONNX file.

    Raises
    ------
    AdapterError
        There is none, it is damaged, or it does not match its description.
    """
    file = Path(rest).expanduser()
    card = read_card(file)
    return OnnxModel(_Session(file), card)


class _Session:
    """A session of ONNX Runtime, which several threads and copies of a model may share."""

    def __init__(self, file: Path) -> None:
        self.name = printable(file)
        runtime = import_extra(
            "onnxruntime", f"'onnx:{printable(file)}'", error=AdapterError, preferred="research"
        )
        options = runtime.SessionOptions()
        options.intra_op_num_threads = cores()
        options.log_severity_level = 3
        cuda = ["CUDAExecutionProvider"] if torch.cuda.is_available() else []
        known = runtime.get_available_providers()
        providers = [one for one in (*cuda, "CPUExecutionProvider") if one in known]
        try:
            self.session = runtime.InferenceSession(file, options, providers=providers)
        except Exception as error:  # the runtime raises many types of errors for invalid bytes
            raise AdapterError(
                f"'{self.name}' is not an ONNX file that can be run",
                found=" ".join(str(error).split())[:200],
            ) from error
        self.inputs: list[Any] = self.session.get_inputs()
        self.outputs: list[Any] = self.session.get_outputs()

    def __deepcopy__(self, _: Any) -> _Session:
        return self

    def run(self, names: Sequence[str], given: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        try:
            return [np.asarray(one) for one in self.session.run(list(names), given)]
        except Exception as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
            raise NetworkError(
                f"'{self.name}' cannot take {shapes}", found=" ".join(str(error).split())[:200]
            ) from error


class OnnxModel(Backbone):
    """A model in an ONNX file.

    Parameters
    ----------
    session : _Session
    card : OnnxCard

    Raises
    ------
    AdapterError
        The file does not match its description.
    """

    def __init__(self, session: _Session, card: OnnxCard) -> None:
        super().__init__()
        self.session, self.card = session, card
        self.register_buffer("_place", torch.empty(0), persistent=False)  # to know the device
        self.sample_rate, self.labels = card.sample_rate, card.labels
        self.activation = "softmax" if card.activation == "softmax" else "sigmoid"
        given = self._input()
        self.input, self.rank = str(given.name), len(given.shape)
        found: FrontEnd = as_frontend(self.make_frontend())
        if found.sample_rate != card.sample_rate:
            raise self._wrong(
                "sample_rate", f"{card.sample_rate} Hz", f"{found.sample_rate} Hz, the front end's"
            )
        self.bins = found.n_mels
        shape = list(given.shape)
        fixed = type(shape[0]) is int
        self.batch_frames = shape[0] if fixed and shape[0] > 1 else None
        self.batch = shape[0] if fixed else None
        self.time_first = self._time_first(shape)
        across = (shape[-1] if self.time_first else shape[-2]) if self.rank > 2 else 1
        if type(across) is int and across != self.bins:
            raise self._wrong("frontend", f"an input of {shape}", f"{self.bins} bins")
        self.patch = self._patch(shape)
        self.frame_seconds = self._seconds(found)
        self.scored = "logits" if "logits" in card.outputs else "scores"
        self.score_name = self._output(self.scored, card.outputs.get(self.scored))
        names = card.outputs.get("embeddings") or []
        names = [names] if isinstance(names, str) else names
        self.embedding_names = [str(self._output("embeddings", name)) for name in names]
        self._probe(found)

    def _wrong(self, what: str, found: str, wanted: str) -> AdapterError:
        return AdapterError(
            f"'{self.session.name}' differs from its description: {what}",
            found=found,
            wanted=wanted,
            remedy="correct the YAML file: see docs/backbones.md",
        )

    # --- what the file is -------------------------------------------------------------------------

    def make_frontend(self) -> nn.Module:
        """Return the front end that the card names."""
        named = self.card.frontend
        if named == "waveform":
            return Waveform(self.sample_rate, level="keep")
        if named == "musicnn":
            return LogMel(**MusiCNN.frontend, level="keep", backend="fft")
        settings = {"name": named} if isinstance(named, str) else dict(named)
        name = settings.pop("name", None)
        if not isinstance(name, str):
            raise self._wrong("frontend", repr(named), "waveform, musicnn, or a name with settings")
        if name == "LogMel":
            return LogMel(**{"backend": "fft", "level": "keep", **settings})
        return build_frontend({"name": name, "settings": settings}, self.session.name)

    def _input(self) -> Any:
        inputs = {one.name: one for one in self.session.inputs}
        name = self.card.input or (next(iter(inputs)) if len(inputs) == 1 else None)
        if name not in inputs or len(inputs) > 1:
            raise self._wrong("input", ", ".join(inputs), name or "one input")
        if inputs[name].type != "tensor(float)":
            raise self._wrong("input", inputs[name].type, "tensor(float)")
        return inputs[name]

    def _time_first(self, shape: list[Any]) -> bool:
        if self.card.time_first is not None:
            return self.card.time_first
        if self.bins == 1 or self.bins not in shape[1:]:
            return False
        return bool(shape[-1] == self.bins)

    def _patch(self, shape: list[Any]) -> int | None:
        """Return the time steps in a frame: as fixed in the file, or as the description says."""
        along = shape[-2] if self.time_first else shape[-1]
        if type(along) is not int:
            return self.card.patch
        if self.card.patch not in (None, along):
            raise self._wrong("patch", f"{along} in the model", str(self.card.patch))
        return along

    def _seconds(self, frontend: FrontEnd) -> float:
        """Return the length of the shortest frame that yields the patch."""
        if self.patch is None:
            return self.card.seconds or Backbone.frame_seconds
        if isinstance(frontend, LogMel):
            return (self.patch - 1) * frontend.hop_length / self.sample_rate
        if self.bins == 1:
            return self.patch / self.sample_rate
        if self.card.seconds is None:
            raise self._wrong("seconds", "none", "the length of a frame")
        return self.card.seconds

    def _output(self, what: str, name: Any) -> str | None:
        """Return an output of the file: by its name, by its usual name, or by its shape."""
        names = [one.name for one in self.session.outputs]
        if name is None or name in names:
            return None if name is None else str(name)
        if (usual := USUAL.get(what)) in names and len(self.card.shapes) > 0:
            return usual
        wanted = self.card.shapes.get(str(name)) or [None]
        alike = [one.name for one in self.session.outputs if list(one.shape)[-1:] == wanted[-1:]]
        peers = [key for key, shape in self.card.shapes.items() if shape[-1:] == wanted[-1:]]
        if len(alike) != len(peers) or name not in peers:
            raise self._wrong(f"the output {name!r} for {what}", ", ".join(names), str(name))
        return str(alike[peers.index(name)])

    def _probe(self, frontend: FrontEnd) -> None:
        """Run the model once on noise to find output lengths, and whether outputs are scores."""
        samples = torch.rand(1, round(self.frame_seconds * self.sample_rate)) * 0.2 - 0.1
        with torch.no_grad():
            scores, embeddings = self._run(frontend(samples))
        if scores is not None:
            if scores.shape[1] != len(self.labels) and self.labels:
                raise self._wrong("labels", f"{scores.shape[1]} outputs", f"{len(self.labels)}")
            sums = (scores.sum(dim=1) - 1).abs() > 1e-3 if self.activation == "softmax" else None
            if self.scored == "scores" and (
                not bool(((scores >= 0) & (scores <= 1)).all()) or (sums is not None and sums.any())
            ):
                raise self._wrong(
                    "scores", "values that are none", f"what {self.activation} gives, or logits"
                )
            self.labels = self.labels if len(self.labels) > 1 else ()
        elif self.labels:
            raise self._wrong("labels", "no output with their scores", "outputs: {scores: NAME}")
        sizes = {one.shape[1] for one in embeddings}
        if len(sizes) > 1:
            raise self._wrong("embeddings", f"lengths {sorted(sizes)}", "one length")
        if not embeddings and scores is None:
            raise self._wrong("outputs", "none", "scores, logits or embeddings")
        self.size = sizes.pop() if sizes else scores.shape[1]  # type: ignore[union-attr]
        self.layer_names = self.embedding_names or [str(self.score_name)]

    # --- running it -------------------------------------------------------------------------------

    @torch.compiler.disable
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Run the model; see `Backbone.forward`."""
        scores, embeddings = self._run(x)
        logits = None
        if scores is not None and self.labels:
            logits = scores
            if self.scored == "scores":
                softmax = self.activation == "softmax"
                logits = scores.clamp_min(1e-12).log() if softmax else scores.logit(eps=1e-7)
        layers = torch.stack(embeddings or [scores], dim=1)  # type: ignore[list-item]
        return layers.to(x.device), None if logits is None else logits.to(x.device)

    def _run(self, x: Tensor) -> tuple[Tensor | None, list[Tensor]]:
        steps = x.shape[-1]
        if self.patch not in (None, steps):
            raise NetworkError(
                f"'{self.session.name}' needs frames of another length",
                found=f"{steps} steps of time",
                wanted=f"{self.patch}: frames of {self.frame_seconds:g} s",
                remedy=f"pass --data.frame_seconds {self.frame_seconds:g}",
            )
        x = ((x.detach().float() - self.card.mean) / self.card.std).cpu()
        x = x.transpose(1, 2) if self.time_first else x
        x = x[:, 0] if self.rank == 2 else x[:, None] if self.rank == 4 else x
        names = [*([self.score_name] if self.score_name else []), *self.embedding_names]
        parts = [self._at_once(some, names) for some in x.split(self.batch or len(x))]
        joined = [torch.cat(rows) for rows in zip(*parts, strict=True)]
        scores = joined.pop(0) if self.score_name else None
        return scores, joined

    def _at_once(self, x: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Return the outputs for frames, padded to the batch size that the file fixes."""
        count = len(x)
        if self.batch and count < self.batch:
            x = torch.cat([x, x.new_zeros(self.batch - count, *x.shape[1:])])
        found = self.session.run(names, {self.input: np.ascontiguousarray(x.numpy())})
        rows = [torch.from_numpy(one[:count].astype(np.float32)) for one in found]
        # All axes between frames and features are time, or tokens.
        return [one.reshape(count, -1, one.shape[-1]).mean(dim=1) for one in rows]
