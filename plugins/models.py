"""The built-in networks, front ends and published models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.models.adapters import Adapter
    from genrenet.models.checkpoints import PublishedModel
    from genrenet.models.registry import ModuleClass

NETWORKS = "genrenet.models.networks"


@hookimpl
def register_networks(register: Callable[[ModuleClass], None]) -> None:
    """Add the built-in networks."""
    from genrenet.models.registry import ModuleClass

    for name, summary, module in (
        ("CNN", "convolutions over a whole frame (Choi et al., 2016)", "cnn"),
        ("CRNN", "convolutions and recurrent layers (Choi et al., 2017)", "crnn"),
        ("MusiCNN", "musically motivated convolutions (Pons and Serra, 2019)", "musicnn"),
        ("MobileNetV3", "inverted residual blocks (Schmid et al., 2023)", "mobilenet"),
    ):
        register(ModuleClass(name, summary, f"{NETWORKS}.{module}.{name}"))
    summary = "several networks on one waveform, under one head"
    register(ModuleClass("Fused", summary, "genrenet.models.fused.Fused"))
    summary = "a backbone of an adapter, under its own outputs or a new head"
    register(ModuleClass("Adapted", summary, "genrenet.models.adapters.network.Adapted"))


@hookimpl
def register_frontends(register: Callable[[ModuleClass], None]) -> None:
    """Add the built-in front ends."""
    from genrenet.models.registry import ModuleClass

    register(ModuleClass("LogMel", "log-mel spectrogram", "genrenet.models.frontend.LogMel"))
    summary = "log-mel spectrogram of Kaldi's kind, for MobileNetV3"
    register(ModuleClass("KaldiMel", summary, "genrenet.models.kaldi.KaldiMel"))
    summary = "the waveform itself, for Fused and encoders of samples"
    register(ModuleClass("Waveform", summary, "genrenet.models.fused.Waveform"))


@hookimpl
def register_adapters(register: Callable[[Adapter], None]) -> None:
    """Add the adapters of third-party backbones."""
    from genrenet.models.adapters import Adapter
    from genrenet.utils.lazy import Lazy

    for name, summary, module, files, parts in (
        (
            "hf",
            "encoders of transformers: hf:ORG/NAME of the hub, or hf:FOLDER",
            "transformers_encoder",
            "transformers_files",
            ("open_encoder", "encoder_files", "encoder_card"),
        ),
        (
            "onnx",
            "an ONNX file with YAML, or Essentia's JSON, beside it: onnx:FILE",
            "onnx_model",
            "onnx_card",
            ("open_onnx", "onnx_files", "onnx_card"),
        ),
    ):
        # Listing models does not import torch; opening them does.
        places = [f"genrenet.models.adapters.{place}" for place in (module, files, files)]
        register(Adapter(name, summary, *map(Lazy, places, parts)))


@hookimpl
def register_backbones(register: Callable[[PublishedModel], None]) -> None:
    """Add the published models of the package."""
    from genrenet.models.checkpoints.built_in import PUBLISHED

    for model in PUBLISHED:
        register(model)
