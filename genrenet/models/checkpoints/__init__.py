"""Checkpoints: files of this package, published weights, and those shipped with it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from genrenet.models.checkpoints.download import FetchError, fetch
from genrenet.models.checkpoints.files import CheckpointError, read_checkpoint, write_checkpoint
from genrenet.models.checkpoints.imported import (
    import_checkpoint,
    imported_checkpoint,
    remove_checkpoint,
)
from genrenet.models.checkpoints.opening import (
    DEFAULT_CHECKPOINT,
    export_checkpoint,
    find_checkpoint,
    models_with_label,
    open_checkpoint,
    shipped_checkpoints,
)
from genrenet.models.checkpoints.registry import (
    PublishedModel,
    RegistryError,
    SourceFile,
    published,
    published_models,
    register,
)
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.model import GenreModel

__all__ = [
    "DEFAULT_CHECKPOINT",
    "CheckpointError",
    "CheckpointMismatchError",
    "FetchError",
    "PublishedModel",
    "RegistryError",
    "SourceFile",
    "export_checkpoint",
    "fetch",
    "find_checkpoint",
    "import_checkpoint",
    "imported_checkpoint",
    "load_model",
    "models_with_label",
    "open_checkpoint",
    "published",
    "published_models",
    "read_checkpoint",
    "register",
    "remove_checkpoint",
    "shipped_checkpoints",
    "write_checkpoint",
]


def load_model(name_or_path: str | os.PathLike[str], trust: Sequence[str] = ()) -> GenreModel:
    """Classifier of a checkpoint, in eval mode on the CPU.

    Parameters
    ----------
    name_or_path : str or path
        A ``.ckpt`` file, or the name of a shipped checkpoint or of a published model (see
        ``genrenet checkpoints list``). A published model is fetched on first use, from where its
        authors published it, and kept in the user's cache.
    trust : sequence of str
        Packages whose networks and front ends may be imported and built because the file names
        them. What genrenet, its plugins, the environment variable ``GENRENET_TRUST`` or the
        program's own imports bring is built anyway.

    Returns
    -------
    GenreModel
        With ``labels``, ``frames``, ``scores`` and ``scores_of_logmel``.

    Raises
    ------
    CheckpointError
        No such file or name, or a file that cannot be used; see `open_checkpoint`.
    CheckpointMismatchError
        The weights do not fit the settings that the checkpoint names.
    FetchError, CacheError
        A published model cannot be fetched or kept; see `import_checkpoint`.

    Examples
    --------
    >>> model = load_model("runs/cnn/version_0/checkpoints/best.ckpt")  # doctest: +SKIP
    >>> model = load_model("msd-crnn")  # doctest: +SKIP
    >>> model.scores(torch.zeros(1, model.frames.n_samples))  # doctest: +SKIP
    """
    return open_checkpoint(find_checkpoint(name_or_path), trust)
