"""The registry of published models: their names, files, addresses and licences.

A model is identified by the SHA-256 of the file that its authors published. Plugins add models
through the hook ``register_backbones``, as the package does; nothing is downloaded before it is
used. A file whose SHA-256 is unknown is never downloaded: the user has to provide it, and is
responsible for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genrenet.plugins.manager import contributions
from genrenet.utils.errors import GenrenetError

if TYPE_CHECKING:
    from genrenet.models.model import GenreModel

    Convert = Callable[[Path], GenreModel]


class RegistryError(GenrenetError):
    """A name that is not in the registry, or an entry that cannot be added to it."""


@dataclass(frozen=True)
class SourceFile:
    """A file that a model can be made from.

    Parameters
    ----------
    filename : str
        Name of the published file.
    sha256 : str or None
        64 lower-case hexadecimal digits; None if no trusted source states them. Any file is
        accepted as this one then, so ``convert`` must reject all others.
    size : int > 0 or None
        Bytes; None if unknown.
    address : str
        Where it is published: an http, https or file address.
    convert : callable
        Returns the classifier for the file's path, which has been checked against ``sha256``.
    """

    filename: str
    sha256: str | None
    size: int | None
    address: str
    convert: Convert


@dataclass(frozen=True)
class PublishedModel:
    """A published model that this package can read.

    Parameters
    ----------
    name : str
        Lower-case letters, digits, dots, underscores and hyphens; also the imported file's name.
    title : str
        Description in one line.
    filename, sha256, size, address, convert
        The file that is downloaded: see `SourceFile`.
    licence : str
        Of the weights, as stated by their authors.
    citation : str
        The work to cite.
    labels : tuple of str
        Names of the outputs, in order.
    package : str, optional
        A requirement such as ``musicnn==0.1.0``: the file is a wheel that pip downloads from the
        user's package index, without installing it.
    alternatives : tuple of SourceFile
        Other files of the same model, which are never downloaded but accepted from the user.

    Raises
    ------
    RegistryError
        A name that is not a valid file name, or a checksum that is not a SHA-256 or has no size.
    """

    name: str
    title: str
    filename: str
    sha256: str | None
    size: int | None
    address: str
    licence: str
    citation: str
    labels: tuple[str, ...]
    convert: Convert
    package: str | None = None
    alternatives: tuple[SourceFile, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", self.name):
            raise RegistryError(
                "a published model's name",
                found=repr(self.name),
                wanted="lower-case letters, digits, '.', '_' and '-'",
            )
        for file in self.files:
            named = file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            whole = file.sha256 is None or file.size is not None
            if not named or not whole or Path(file.filename).name != file.filename:
                raise RegistryError(
                    f"a file of the published model '{self.name}'",
                    found=f"name {file.filename!r}, SHA-256 {file.sha256!r}, size {file.size}",
                    wanted="a name without a folder, 64 lower-case hexadecimal digits and a size, "
                    "or None for digits that are not known",
                )

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All files that it can be made from, the one that is downloaded first."""
        own = SourceFile(self.filename, self.sha256, self.size, self.address, self.convert)
        return (own, *self.alternatives)

    def file(self, sha256: object) -> SourceFile | None:
        """Return the file with a checksum, or else one whose checksum is unknown, or else None."""
        if not isinstance(sha256, str):
            return None
        found = (file for known in (sha256, None) for file in self.files if file.sha256 == known)
        return next(found, None)


_MODELS: dict[str, PublishedModel] = {}
"""Models added by the running program."""


def register(model: PublishedModel) -> None:
    """Register a model while the program runs; plugins use the hook ``register_backbones``.

    Parameters
    ----------
    model : PublishedModel

    Raises
    ------
    RegistryError
        Its name is taken.

    Examples
    --------
    >>> register(PublishedModel("my-backbone", ...))  # doctest: +SKIP
    """
    if known := published_models().get(model.name):
        raise RegistryError(
            f"the published model '{model.name}' is registered already",
            found=known.title,
            remedy="give the new one another name",
        )
    _MODELS[model.name] = model


def published_models() -> dict[str, PublishedModel]:
    """Return all models by name: the package's own, those of plugins, and those of `register`."""
    added = contributions("register_backbones")
    return {**{name: entry.item for name, entry in added.items()}, **_MODELS}


def published(name: str) -> PublishedModel:
    """Return a model of the registry.

    Raises
    ------
    RegistryError
        There is none of that name; the known ones are listed.
    """
    known = published_models()
    if name not in known:
        raise RegistryError(f"no published model '{name}'", wanted=f"one of {', '.join(known)}")
    return known[name]
