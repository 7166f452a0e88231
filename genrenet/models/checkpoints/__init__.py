"""Checkpoints: files of this package, published weights, and those shipped with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.models.checkpoints.default import default_checkpoint as default_checkpoint
    from genrenet.models.checkpoints.download import FetchError as FetchError, fetch as fetch
    from genrenet.models.checkpoints.files import (
        CheckpointError as CheckpointError,
        CheckpointMismatchError as CheckpointMismatchError,
        read_checkpoint as read_checkpoint,
        write_checkpoint as write_checkpoint,
    )
    from genrenet.models.checkpoints.finding import (
        DEFAULT_CHECKPOINT as DEFAULT_CHECKPOINT,
        find_checkpoint as find_checkpoint,
        models_with_label as models_with_label,
        shipped_checkpoints as shipped_checkpoints,
    )
    from genrenet.models.checkpoints.imported import (
        import_checkpoint as import_checkpoint,
        imported_checkpoint as imported_checkpoint,
        remove_checkpoint as remove_checkpoint,
    )
    from genrenet.models.checkpoints.opening import (
        export_checkpoint as export_checkpoint,
        load_model as load_model,
        open_checkpoint as open_checkpoint,
    )
    from genrenet.models.checkpoints.registry import (
        PublishedModel as PublishedModel,
        RegistryError as RegistryError,
        SourceFile as SourceFile,
        published as published,
        published_models as published_models,
        register as register,
    )

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "default": ["default_checkpoint"],
        "download": ["FetchError", "fetch"],
        "files": [
            "CheckpointError",
            "CheckpointMismatchError",
            "read_checkpoint",
            "write_checkpoint",
        ],
        "finding": [
            "DEFAULT_CHECKPOINT",
            "find_checkpoint",
            "models_with_label",
            "shipped_checkpoints",
        ],
        "imported": ["import_checkpoint", "imported_checkpoint", "remove_checkpoint"],
        "opening": ["export_checkpoint", "load_model", "open_checkpoint"],
        "registry": [
            "PublishedModel",
            "RegistryError",
            "SourceFile",
            "published",
            "published_models",
            "register",
        ],
    },
)
