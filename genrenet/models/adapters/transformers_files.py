"""Files of the adapter ``hf``: where a model of Hugging Face's transformers is, and what it is.

This module does not import torch, so that listing the models on this machine is fast.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from genrenet.models.adapters.registry import AdapterError, Card
from genrenet.utils.cache import offline
from genrenet.utils.errors import printable
from genrenet.utils.extras import import_extra

PATTERNS = ("*.json", "*.safetensors", "*.py", "README.md")
"""Files that are downloaded; PyTorch's own weights only if there are no safetensors."""

SETTINGS = ("config.json", "preprocessor_config.json")
CARD = "README.md"
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
    config, about = read_json(folder / SETTINGS[0]), _header(folder / CARD)
    licence = about.get("license") or ""
    if licence == "other":
        licence = about.get("license_name") or licence
    kind = ", ".join(map(str, config.get("architectures") or [])) or config.get("model_type")
    return Card(
        title=f"{kind or 'an encoder'} of transformers",
        licence=", ".join(map(str, licence)) if isinstance(licence, list) else str(licence),
        labels=labels_of(config),
        address="" if folder == Path(rest).expanduser() else f"https://huggingface.co/{rest}",
    )


def _header(card: Path) -> dict[str, Any]:
    try:
        _, header, _ = re.split(r"^---\s*$", card.read_text("utf-8"), maxsplit=2, flags=re.M)
        found = yaml.safe_load(header)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is no such file."""
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"'{printable(file)}' cannot be read", found=str(error)) from error
    return found if isinstance(found, dict) else {}


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the labels of a classifier's outputs; none for a model trained without labels."""
    kinds = [str(kind) for kind in config.get("architectures") or []]
    names = config.get("id2label") or {}
    if not any(kind.endswith(CLASSIFIER) for kind in kinds) or not isinstance(names, dict):
        return ()
    return tuple(str(names[key]) for key in sorted(names, key=int))
