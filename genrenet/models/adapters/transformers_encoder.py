"""The adapter ``hf``: encoders of samples in the formats of Hugging Face's transformers.

A model on the hub is downloaded once, and read from the hub's cache from then on; a folder written
by ``save_pretrained`` is read in place. Models with code of their own run only where that code is
trusted. Weights are read as safetensors, or as PyTorch's files without running code in them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genrenet.models.adapters.backbone import Backbone
from genrenet.models.adapters.registry import REMOTE_CODE, AdapterError
from genrenet.models.adapters.transformers_files import (
    SETTINGS,
    folder_of,
    labels_of,
    read_json,
)
from genrenet.models.registry import TRUST
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra

RATE = 16_000


def open_encoder(rest: str, trust: bool = False) -> TransformersEncoder:
    """Open a model in the formats of transformers.

    Raises
    ------
    AdapterError
        The model cannot be downloaded or read, does not take samples, or needs code of its own that
        is not trusted.
    """
    transformers = import_extra("transformers", f"'hf:{printable(rest)}'", error=AdapterError)
    folder = folder_of(rest)
    config, features = (read_json(folder / name) for name in SETTINGS)
    foreign = _is_foreign(config, transformers)
    if foreign and not trust:
        raise AdapterError(
            f"'hf:{printable(rest)}' contains Python code that would be run",
            found=", ".join(sorted({*map(str, (config.get("auto_map") or {}).values())})),
            wanted="confirmation that you trust it",
            remedy=f"read its .py files, then pass --trust-remote-code, or set {TRUST}=hf:{rest} "
            f"(or {TRUST}={REMOTE_CODE} for all)",
        )
    if int(features.get("feature_size", 1)) != 1:
        raise AdapterError(
            f"'hf:{printable(rest)}' takes spectrograms of transformers",
            found=str(features.get("feature_extractor_type", "a feature extractor")),
            wanted="an encoder of samples, such as wav2vec 2.0, HuBERT, WavLM or MERT",
        )
    transformers.utils.logging.disable_progress_bar()
    labels = labels_of(config)
    kind = transformers.AutoModelForAudioClassification if labels else transformers.AutoModel
    try:
        model = kind.from_pretrained(
            folder, trust_remote_code=foreign, local_files_only=True, dtype=torch.float32
        )
        return TransformersEncoder(model, config, features, labels)
    except AdapterError:
        raise
    except Exception as error:  # whatever transformers, or the model's own code, does
        raise AdapterError(
            f"'hf:{printable(rest)}' cannot be opened",
            found=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            wanted="an encoder of samples that transformers knows",
        ) from error


def _is_foreign(config: dict[str, Any], transformers: Any) -> bool:
    """Return whether the model can only be built by code that comes with it."""
    mapping = transformers.models.auto.configuration_auto.CONFIG_MAPPING_NAMES
    return bool(config.get("auto_map")) and config.get("model_type") not in mapping


class TransformersEncoder(Backbone):
    """An encoder of samples: its input embedding and each of its layers, averaged over time.

    Parameters
    ----------
    model : PreTrainedModel
        With ``hidden_states``.
    config, features : dict
        ``config.json`` and ``preprocessor_config.json``.
    labels : sequence of str
        Of a classifier.
    """

    def __init__(
        self, model: Any, config: dict[str, Any], features: dict[str, Any], labels: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.model = model
        self.normalise = bool(features.get("do_normalize", False))
        rate = features.get("sampling_rate") or config.get("sampling_rate")
        self.sample_rate = int(rate or RATE)
        several = config.get("problem_type") == "multi_label_classification"
        self.labels, self.activation = labels, "sigmoid" if several else "softmax"
        for name, value in (("apply_spec_augment", False), ("layerdrop", 0.0)):
            if hasattr(model.config, name):  # the waveform is augmented by this package
                setattr(model.config, name, value)
        with torch.no_grad():
            layers, _ = self.eval()(torch.zeros(1, 1, self.sample_rate))
        self.size = layers.shape[2]
        self.layer_names = [f"layer{number}" for number in range(layers.shape[1])]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Run the encoder on samples of shape (batch, 1, samples); see `Backbone.forward`."""
        samples = x[:, 0]
        if self.normalise:
            mean = samples.mean(dim=-1, keepdim=True)
            spread = samples.var(dim=-1, keepdim=True, correction=0)
            samples = (samples - mean) / (spread + 1e-7).sqrt()
        found = self.model(samples, output_hidden_states=True)
        hidden = getattr(found, "hidden_states", None) or (found.last_hidden_state,)
        layers = torch.stack([one.float().mean(dim=1) for one in hidden], dim=1)
        return layers, found.logits.float() if self.labels else None
