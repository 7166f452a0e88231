"""The adapter ``hf``: encoders of samples in the formats of Hugging Face's transformers.

A model on the hub is downloaded once, and read from the hub's cache from then on; a folder written
by ``save_pretrained`` is read in place. Models with code of their own run only where that code is
trusted. Weights are read as safetensors, or as PyTorch's files without running code in them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from genrenet.models.adapters.backbone import Backbone
from genrenet.models.adapters.registry import REMOTE_CODE, AdapterError, Card
from genrenet.models.registry import TRUST
from genrenet.utils.cache import offline
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra

PATTERNS = ("*.json", "*.safetensors", "*.py", "README.md")
"""Files that are downloaded; PyTorch's own weights only if there are no safetensors."""

SETTINGS = ("config.json", "preprocessor_config.json")
CARD = "README.md"
RATE = 16_000
CLASSIFIER = "ForSequenceClassification"


def encoder_files(rest: str) -> list[Path]:
    """Return the files of a model: settings, code and weights."""
    folder = folder_of(rest)
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    code = [file for file in files if file.suffix == ".py"]
    settings = [file for file in files if file.name in SETTINGS]
    return [*settings, *code, *_weights(folder)]


def _weights(folder: Path) -> list[Path]:
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        if found := sorted(folder.glob(pattern)):
            return found
    return []


def folder_of(rest: str, *, fetch: bool = True) -> Path:
    """Return the folder of a model.

    Parameters
    ----------
    rest : str
        A folder, or a name on the hub, with ``@REVISION`` behind it for one of its versions.
    fetch : bool
        Download what is neither a folder nor in the hub's cache.

    Raises
    ------
    AdapterError
        There is none, or it cannot be downloaded.
    """
    path = Path(rest).expanduser()
    if path.is_dir():
        return _checked(path, rest)
    name, _, revision = rest.partition("@")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise AdapterError(
            f"no model 'hf:{printable(rest)}'", wanted="a folder that is there, or ORG/NAME"
        )
    hub = import_extra("huggingface_hub", f"'hf:{printable(rest)}'", error=AdapterError)
    asked = {"repo_id": name, "revision": revision or None}
    try:
        folder = Path(hub.snapshot_download(**asked, local_files_only=True))
        if (folder / SETTINGS[0]).is_file() and (_weights(folder) or not fetch):
            return folder
    except Exception as error:  # it is not in the cache
        found = error
        if not fetch:
            raise _unfetched(rest, error) from error
    try:
        if offline():
            raise OSError("--offline or GENRENET_OFFLINE, and it is not in the hub's cache")
        folder = Path(hub.snapshot_download(**asked, allow_patterns=[*PATTERNS]))
        if not _weights(folder):
            hub.snapshot_download(**asked, allow_patterns=["pytorch_model*.bin"])
    except Exception as error:  # of the network, the hub, or the disk
        found = error
        raise _unfetched(rest, found) from found
    return _checked(folder, rest)


def _unfetched(rest: str, error: Exception) -> AdapterError:
    reason = [line for line in str(error).splitlines() if line.strip()]
    return AdapterError(
        f"the model 'hf:{printable(rest)}' cannot be downloaded",
        found=reason[0] if reason else type(error).__name__,
        wanted="a name on the hub that can be reached, or a folder that is there",
        remedy="on another machine run 'hf download ORG/NAME --local-dir FOLDER', copy the folder, "
        "and pass hf:FOLDER",
    )


def _checked(folder: Path, rest: str) -> Path:
    if not (folder / SETTINGS[0]).is_file() or not _weights(folder):
        raise AdapterError(
            f"'hf:{printable(rest)}' is not a model of transformers",
            found=", ".join(sorted(file.name for file in folder.iterdir()))[:200] or "no files",
            wanted="config.json and model.safetensors, as save_pretrained writes them",
        )
    return folder


def encoder_card(rest: str) -> Card:
    """Return the data in a model's folder and in its model card's header, without downloading."""
    folder = folder_of(rest, fetch=False)
    config, about = _json(folder / SETTINGS[0]), _header(folder / CARD)
    licence = about.get("license") or ""
    if licence == "other":
        licence = about.get("license_name") or licence
    kind = ", ".join(map(str, config.get("architectures") or [])) or config.get("model_type")
    return Card(
        title=f"{kind or 'an encoder'} of transformers",
        licence=", ".join(map(str, licence)) if isinstance(licence, list) else str(licence),
        labels=_labels(config),
        address="" if folder == Path(rest).expanduser() else f"https://huggingface.co/{rest}",
    )


def _header(card: Path) -> dict[str, Any]:
    try:
        _, header, _ = re.split(r"^---\s*$", card.read_text("utf-8"), maxsplit=2, flags=re.M)
        found = yaml.safe_load(header)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"'{printable(file)}' cannot be read", found=str(error)) from error
    return found if isinstance(found, dict) else {}


def _labels(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the labels of a classifier's outputs; none for a model trained without labels."""
    kinds = [str(kind) for kind in config.get("architectures") or []]
    names = config.get("id2label") or {}
    if not any(kind.endswith(CLASSIFIER) for kind in kinds) or not isinstance(names, dict):
        return ()
    return tuple(str(names[key]) for key in sorted(names, key=int))


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
    config, features = (_json(folder / name) for name in SETTINGS)
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
    labels = _labels(config)
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
