"""Facts about checkpoints for listings: location, training data, backbones."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from genrenet.models.adapters import card_of, is_reference, seen
from genrenet.models.checkpoints import (
    PublishedModel,
    imported_checkpoint,
    published,
    published_models,
)
from genrenet.models.checkpoints.header import HEAD, backbones, read_header
from genrenet.models.checkpoints.licences import commercial
from genrenet.utils.errors import GenrenetError, printable


def shipped_row(name: str, path: Path) -> dict[str, Any]:
    """Return the entry of a shipped checkpoint in the list of models."""
    entries = read_header(path)
    needs = _needs(entries, printable(path))
    description = entries["genrenet"]
    source = description.get("source") or {}
    what = f"{description['network']['name']}, trained on {description.get('dataset', 'songs')}"
    licence = str(source.get("licence", description.get("licence", "")))
    return {
        "name": name,
        "what": source.get("title") or what,
        "labels": len(description["labels"]),
        "licence": licence,
        "commercial": commercial(licence),
        "state": _state("shipped", needs),
        "needs": " and ".join(needs) or None,
    }


def _needs(entries: dict[str, Any], name: str) -> list[str]:
    """Return the names of the backbones that complete a checkpoint's file."""
    needs = [str(one["name"]) for one in backbones(entries, name)]
    if any(map(is_reference, needs)):
        return needs
    if needs and not all(key.startswith(HEAD) for key in entries["state_dict"]):
        # Whether the file is complete could only be checked by building the network with torch.
        from genrenet.models.checkpoints.files import build_model
        from genrenet.models.checkpoints.opening import missing_weights

        if not missing_weights(entries, build_model(entries, name)):
            return []
    return needs


def _state(where: str, needs: list[str]) -> str:
    """Return whether a checkpoint and the backbones that it needs are available."""
    known, told = published_models(), []
    for name in needs:
        here = "imported" if name in known and imported_checkpoint(name) else "not yet"
        how = f"opened by the adapter {name.partition(':')[0]}" if is_reference(name) else "unknown"
        told.append(f"{printable(name)} ({here if name in known else how})")
    return f"{where}, needs {' and '.join(told)}" if told else where


def published_state(model: PublishedModel) -> str:
    """Return whether a published model is imported, or could be downloaded."""
    if imported_checkpoint(model.name):
        return "imported"
    return "not yet" if model.sha256 else "not yet, needs --from FILE"


def published_facts(name: str) -> dict[str, Any]:
    """Return the registry's data of a model that is not imported: more would need a download."""
    model = published(name)
    return {
        "name": name,
        "state": published_state(model),
        "title": model.title,
        "labels": list(model.labels),
        "source": {
            "name": name,
            "sha256": model.sha256,
            "bytes": model.size,
            "licence": model.licence,
            "citation": model.citation,
            "address": model.address,
        },
    }


def seen_rows() -> list[dict[str, Any]]:
    """Return models opened by adapters that still exist, for the list of models."""
    rows = []
    for name in seen():
        with suppress(GenrenetError):
            card = card_of(name)
            rows.append(
                {
                    "name": printable(name),
                    "what": card.title,
                    "labels": len(card.labels),
                    "licence": card.licence,
                    "commercial": commercial(card.licence),
                    "state": "here, opened by its adapter",
                    "needs": None,
                }
            )
    return rows


def reference_facts(reference: str) -> dict[str, Any]:
    """Return the facts about a backbone of an adapter; it is opened."""
    from genrenet.models.checkpoints import load_model

    model, card = load_model(reference), card_of(reference)
    network: Any = model.network
    return {
        "name": printable(reference),
        "state": f"opened by the adapter {reference.partition(':')[0]}",
        "title": card.title,
        "labels": list(model.labels),
        "layers": list(network.encoder.layer_names),
        "embedding": network.embedding_size,
        "frames": model.frames.as_dict(),
        "sha256": network.settings["sha256"],
        "licence": card.licence or "unknown",
        "commercial": commercial(card.licence),
        "citation": card.citation,
        "address": card.address,
    }


def facts(path: Path, state: str) -> dict[str, Any]:
    """Return the facts in a checkpoint's file."""
    from genrenet.models.checkpoints import read_checkpoint
    from genrenet.models.checkpoints.files import build_model

    entries = read_checkpoint(path)
    model = build_model(entries, printable(path))
    description = model.description()
    card = path.with_suffix(".md")
    needs = _needs(entries, printable(path))
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return {
        "name": path.stem,
        "state": _state(state, needs),
        "path": printable(path.absolute()),
        "parameters": sum(sizes.values()),
        "parameters_in_file": sum(sizes[name] for name in sizes if name in entries["state_dict"]),
        "needs": " and ".join(needs) or None,
        **{key: value for key, value in description.items() if key not in ("format", "versions")},
        "versions": entries["genrenet"].get("versions", {}),
        "card": card.read_text("utf-8") if state == "shipped" and card.is_file() else None,
    }
