"""Adapters by scheme, and references to what they open, such as ``onnx:FILE``.

Conventions
-----------
A *reference* is a scheme, a colon, and an argument of the scheme's adapter: a file, a folder, or a
name on a hub. Plugins add schemes through the hook ``register_adapters``. The target of a reference
is identified by the content of its files, never by their names or locations.

The location that each content was last opened from is recorded in the cache's folder ``backbones``.
A checkpoint stores only the file name and content of its backbone, as paths are private; the record
leads back to the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.models.checkpoints.header import CheckpointError
from genrenet.models.registry import TRUST
from genrenet.plugins.manager import contributions
from genrenet.utils.cache import CacheError, cache_folder, cache_root, sha256_of
from genrenet.utils.errors import GenrenetError, printable

if TYPE_CHECKING:
    from genrenet.models.adapters.backbone import Backbone

REMOTE_CODE = "remote-code"
"""Entry of ``GENRENET_TRUST`` or ``trust`` that trusts the code of all references; a single one is
trusted by its own name. ``--trust-remote-code`` sets it."""


class AdapterError(CheckpointError):
    """A reference that cannot be opened, or not with the installed packages and trusted code."""


@dataclass(frozen=True)
class Card:
    """Data of a backbone that are known without opening it.

    Attributes
    ----------
    title, citation, address : str
        Empty where unknown.
    licence : str
        Of the weights, as stated by their authors; empty if unknown.
    labels : tuple of str
        Names of the outputs; none for an encoder.
    """

    title: str = ""
    licence: str = ""
    labels: tuple[str, ...] = ()
    citation: str = ""
    address: str = ""


@dataclass(frozen=True)
class Adapter:
    """How to open backbones of one scheme.

    Parameters
    ----------
    name : str
        The scheme: two or more letters.
    summary : str
        What it opens, in one line.
    open : callable
        Returns the `Backbone` for the text behind the colon. Its second argument says whether code
        that comes with the weights may be run.
    files : callable
        Returns the files that the result of `open` depends on, always in the same order; downloads
        them where the scheme downloads.
    card : callable, optional
        Returns the `Card`, without downloading anything.
    """

    name: str
    summary: str
    open: Callable[[str, bool], Backbone]
    files: Callable[[str], Sequence[Path]]
    card: Callable[[str], Card] = lambda rest: Card()


def adapters() -> dict[str, Adapter]:
    """Return all adapters by scheme."""
    return {name: entry.item for name, entry in contributions("register_adapters").items()}


def is_reference(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is a reference: a known scheme, a colon, and more."""
    scheme, colon, rest = os.fspath(name).partition(":")
    return bool(colon and rest and len(scheme) > 1) and scheme in adapters()


def split(reference: str | os.PathLike[str]) -> tuple[Adapter, str]:
    """Return the adapter of a reference, and the text after the colon.

    Raises
    ------
    AdapterError
        No such scheme.
    """
    scheme, _, rest = os.fspath(reference).partition(":")
    known = adapters()
    if scheme not in known or not rest:
        raise AdapterError(
            f"no adapter opens '{printable(reference)}'",
            wanted=" or ".join(f"{name}:..." for name in known) or "a plugin that adds one",
            remedy="see 'genrenet plugins --kind adapter'",
        )
    return known[scheme], rest


def card_of(reference: str | os.PathLike[str]) -> Card:
    """Return the card of a reference; nothing is downloaded or opened."""
    adapter, rest = split(reference)
    return adapter.card(rest)


def content_id(reference: str | os.PathLike[str]) -> str:
    """Return the SHA-256 that identifies the content of a reference: 64 hexadecimal digits.

    Raises
    ------
    AdapterError
        There are no such files.
    """
    adapter, rest = split(reference)
    try:
        stamps = [(os.fspath(file), file.stat()) for file in adapter.files(rest)]
        parts = [_sha256(name, stamp.st_size, stamp.st_mtime_ns) for name, stamp in stamps]
    except OSError as error:
        raise AdapterError(
            f"cannot read '{printable(reference)}'", found=error.strerror or str(error)
        ) from error
    return hashlib.sha256("".join(parts).encode()).hexdigest()


@cache
def _sha256(name: str, size: int, changed: int) -> str:
    return sha256_of(name)


def trusts(reference: str, trust: Iterable[str] = ()) -> bool:
    """Return whether code that comes with a reference's weights may be run."""
    named = {name.strip() for name in os.environ.get(TRUST, "").split(",")}
    return bool({reference, REMOTE_CODE} & {*named, *trust})


def stored_name(reference: str) -> str:
    """Return a reference as checkpoints store it: without the folder of a file."""
    adapter, rest = split(reference)
    path = Path(rest).expanduser()
    return f"{adapter.name}:{path.resolve().name}" if path.exists() else reference


def note(reference: str, sha256: str) -> None:
    """Record where a content was opened from; skipped if the cache cannot be written."""
    adapter, rest = split(reference)
    path = Path(rest).expanduser()
    name = f"{adapter.name}:{path.resolve()}" if path.exists() else reference
    with contextlib.suppress(CacheError, OSError):
        file = cache_folder("backbones") / f"{sha256}.json"
        text = json.dumps({"name": name})
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")


def seen() -> dict[str, str]:
    """Return the opened references whose files still exist, with their SHA-256.

    Whether the content is still the same is not checked.
    """
    found = {}
    for file in sorted((cache_root() / "backbones").glob("*.json")):
        name = _noted(file)
        if name and is_reference(name):
            found[name] = file.stem
    return found


def _noted(file: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(file.read_text("utf-8"))["name"])
    return ""


def located(name: str, sha256: str) -> str:
    """Return the reference of a content that a checkpoint names.

    Parameters
    ----------
    name : str
        See `stored_name`.
    sha256 : str
        See `content_id`.

    Raises
    ------
    AdapterError
        It is not found, or its content differs.
    """
    noted = _noted(cache_root() / "backbones" / f"{sha256}.json")
    found, reason = "", ""
    for candidate in dict.fromkeys([noted, name]):
        try:
            found = content_id(candidate) if candidate else found
        except GenrenetError as error:
            reason = str(error)
            continue
        if found == sha256:
            return candidate
    raise AdapterError(
        f"the backbone '{printable(name)}' that a checkpoint was trained on is not here",
        found=f"another content with SHA-256 {found}" if found else reason,
        wanted=f"the content with SHA-256 {sha256}",
        remedy=f"open it once from where it is: genrenet checkpoints info {name.partition(':')[0]}"
        ":PATH",
    )
