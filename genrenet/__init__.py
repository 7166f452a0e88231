"""genrenet: what genre is this, and which method is really better?

>>> import genrenet
>>> genrenet.classify(["song.mp3"], checkpoint="best.ckpt")  # doctest: +SKIP
>>> genrenet.load_model("emotify-cnn").labels
['classical', 'electronic', 'pop', 'rock']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from genrenet.version import __version__

if TYPE_CHECKING:
    from genrenet.data.catalog import read_catalog
    from genrenet.data.datamodule import GenreDataModule
    from genrenet.evaluation.api import evaluate
    from genrenet.inference.classify import classify
    from genrenet.inference.result import SongResult
    from genrenet.models.checkpoints import load_model
    from genrenet.models.model import GenreModel
    from genrenet.plugins.manager import hookimpl
    from genrenet.training.module import GenreClassifier
    from genrenet.utils.errors import GenrenetError

__all__ = [
    "GenreClassifier",
    "GenreDataModule",
    "GenreModel",
    "GenrenetError",
    "SongResult",
    "__version__",
    "classify",
    "evaluate",
    "hookimpl",
    "load_model",
    "read_catalog",
]

_MODULES = {
    "GenreClassifier": "training.module",
    "GenreDataModule": "data.datamodule",
    "GenreModel": "models.model",
    "GenrenetError": "utils.errors",
    "SongResult": "inference.result",
    "classify": "inference.classify",
    "evaluate": "evaluation.api",
    "hookimpl": "plugins.manager",
    "load_model": "models.checkpoints",
    "read_catalog": "data.catalog",
}
"""Where each name is; a module is imported when its name is first asked for."""


def __getattr__(name: str) -> Any:
    """Import what is asked for: torch takes seconds, and not everything needs it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'genrenet' has no attribute '{name}'")
    found = getattr(import_module(f"genrenet.{_MODULES[name]}"), name)
    # `genrenet.classify` is a function, whatever modules of that name are imported later.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Names of the public interface, imported or not."""
    return sorted({*globals(), *__all__})
