"""genrenet: what genre is this, and which method is really better?

>>> import genrenet
>>> genrenet.classify(["song.mp3"], checkpoint="best.ckpt")  # doctest: +SKIP
>>> genrenet.load_model("emotify-cnn").labels
['classical', 'electronic', 'pop', 'rock']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils import moved
from genrenet.utils.lazy import exports
from genrenet.version import __version__ as __version__

if TYPE_CHECKING:
    from genrenet.data.catalog import read_catalog as read_catalog
    from genrenet.data.datamodule import GenreDataModule as GenreDataModule
    from genrenet.evaluation.api import evaluate as evaluate
    from genrenet.inference.classify import classify as classify
    from genrenet.inference.result import SongResult as SongResult
    from genrenet.models.checkpoints import load_model as load_model
    from genrenet.models.model import GenreModel as GenreModel
    from genrenet.plugins.manager import hookimpl as hookimpl
    from genrenet.training.module import GenreClassifier as GenreClassifier
    from genrenet.utils.errors import GenrenetError as GenrenetError

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "data.catalog": ["read_catalog"],
        "data.datamodule": ["GenreDataModule"],
        "evaluation.api": ["evaluate"],
        "inference.classify": ["classify"],
        "inference.result": ["SongResult"],
        "models.checkpoints": ["load_model"],
        "models.model": ["GenreModel"],
        "plugins.manager": ["hookimpl"],
        "training.module": ["GenreClassifier"],
        "utils.errors": ["GenrenetError"],
        "version": ["__version__"],
    },
)

moved.install()
