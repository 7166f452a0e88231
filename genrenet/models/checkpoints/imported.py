"""Published models in the package's own format: converted once, kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from genrenet.models.checkpoints.download import FetchError, fetch
from genrenet.models.checkpoints.header import CheckpointError, read_header
from genrenet.models.checkpoints.registry import (
    PublishedModel,
    SourceFile,
    published,
    published_models,
)
from genrenet.utils.cache import CacheError, cache_folder, cache_root, sha256_of
from genrenet.utils.errors import printable
from genrenet.utils.progress import progress_bar


def imported_checkpoint(name: str) -> Path | None:
    """Return the path of an imported published model; None if it has not been imported.

    Parameters
    ----------
    name : str
        Name in the registry.

    Returns
    -------
    Path or None
        None also if the file is damaged, or was made from a file that the registry has since
        replaced: it is made again on the next use.

    Raises
    ------
    RegistryError
        No such model.
    """
    path = cache_root() / "checkpoints" / f"{published(name).name}.ckpt"
    return None if _origin(path, published(name)) is None else path


def _origin(path: Path, model: PublishedModel) -> str | None:
    """Return the SHA-256 of the source file of a checkpoint, if it belongs to the model."""
    try:
        source = read_header(path, whole=True)["genrenet"].get("source")
    except CheckpointError:
        return None
    sha256 = source.get("sha256") if isinstance(source, dict) else None
    return sha256 if isinstance(sha256, str) and model.file(sha256) is not None else None


def import_checkpoint(name: str, source: str | os.PathLike[str] | None = None) -> Path:
    """Import a published model as a checkpoint of this package.

    Parameters
    ----------
    name : str
        Name in the registry.
    source : path, optional
        The user's own copy of the published file; nothing is downloaded then. By default the file
        is downloaded. A model that was imported from the same file before is not converted again.

    Returns
    -------
    Path
        The checkpoint, in the cache's folder ``checkpoints``.

    Raises
    ------
    RegistryError
        No such model.
    FetchError
        The file cannot be downloaded, or differs from the published one.
    CacheError
        The cache's folder cannot be written.

    Examples
    --------
    >>> import_checkpoint("msd-crnn")  # doctest: +SKIP
    PosixPath('/home/me/.cache/genrenet/checkpoints/msd-crnn.ckpt')
    """
    model = published(name)
    known = imported_checkpoint(name)
    if source is None and known is not None:
        return known
    folder = cache_folder("checkpoints")
    target = folder / f"{name}.ckpt"
    try:
        with FileLock(folder / f".{name}.lock"), progress_bar(f"fetching {name}") as show:
            before = _origin(target, model)  # another process may have imported it in the meantime
            if source is None and before is not None:
                return target
            file = fetch(model, Path(source) if source is not None else None, show)
            with _reading(file):
                sha256 = sha256_of(file)
            origin = model.file(sha256)
            if origin is None:
                raise CheckpointError(f"'{printable(file)}' changed while it was being read")
            if before != sha256:
                _convert(model, origin, file, sha256, target)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return target


def _convert(
    model: PublishedModel, origin: SourceFile, file: Path, sha256: str, target: Path
) -> None:
    from genrenet.models.checkpoints.files import write_checkpoint

    with _reading(file):
        classifier = origin.convert(file)
    if tuple(classifier.labels) != model.labels:
        raise CheckpointError(
            f"the conversion of {model.name} gives other labels than its entry",
            found=", ".join(classifier.labels),
            wanted=", ".join(model.labels),
        )
    classifier.provenance["source"] = {
        "name": model.name,
        "title": model.title,
        "sha256": sha256,
        "licence": model.licence,
        "citation": model.citation,
        "address": origin.address,
    }
    try:
        write_checkpoint(classifier, target)
    except CheckpointError as error:
        raise _unwritable(target.parent, error) from error


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Report a published file that cannot be read by its name: the cache is not at fault."""
    try:
        yield
    except OSError as error:
        raise FetchError(
            f"cannot read '{printable(file)}'",
            found=error.strerror or str(error),
            remedy="check that the file can be read to its end, and try again",
        ) from error


def _unwritable(folder: Path, error: Exception) -> CacheError:
    return CacheError(
        f"cannot write into the cache folder '{printable(folder)}'",
        found=str(error),
        remedy="free some space, or set GENRENET_CACHE to a writable folder",
    )


def remove_checkpoint(name: str) -> list[Path]:
    """Delete an imported model, and its source file unless another model needs that.

    A download that could not be converted is deleted too.

    Parameters
    ----------
    name : str
        Name in the registry.

    Returns
    -------
    list of Path
        The files that were deleted.

    Raises
    ------
    RegistryError
        No such model.
    CheckpointError
        It is neither imported nor downloaded.
    CacheError
        The cache's folder cannot be written.
    """
    model = published(name)
    target = cache_root() / "checkpoints" / f"{name}.ckpt"
    doomed = [target] if target.is_file() else []
    download = cache_root() / "downloads" / model.filename
    sharing = [m.name for m in published_models().values() if m.filename == model.filename]
    if download.is_file() and not any(
        imported_checkpoint(other) for other in sharing if other != name
    ):
        doomed.append(download)
    if not doomed:
        raise CheckpointError(f"{name} is not imported: there is nothing to remove")
    try:
        for file in doomed:
            file.unlink()
    except OSError as error:
        raise _unwritable(target.parent, error) from error
    return doomed
