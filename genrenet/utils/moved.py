"""Former names of modules: they can still be imported, with a warning for each name used.

Configurations and fitted baselines contain import paths. The finder comes after all others, for
modules that none has found, so that it delays no other imports.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "genrenet": {
        "augmentation": "training.augmentation",
        "cache": "utils.cache utils.file_stamp",
        "catalog": "data.catalog",
        "channel": "utils.queue",
        "checkpoints": "models.checkpoints",
        "checkpoints.fetching": "models.checkpoints.download",
        "checkpoints.importing": "models.checkpoints.imported",
        "checkpoints.keras": "models.checkpoints.convert.keras",
        "checkpoints.musicnn": "models.checkpoints.convert.musicnn",
        "checkpoints.published": "models.checkpoints.built_in",
        "checkpoints.tensorbundle": "models.checkpoints.convert.tensorbundle",
        "chunking": "data.litdata.writer",
        "chunks": "data.litdata.cache",
        "classifier": "training.module models.model",
        "configs": "training.configs",
        "cutting": "inference.frame_reader",
        "datamodule": "data.datamodule data.collection data.batches",
        "decoding": "data.decoded_audio",
        "description": "models.description",
        "errors": "utils.errors",
        "evaluation.classical": "evaluation.baseline_methods",
        "evaluation.comparing": "evaluation.significance",
        "evaluation.comparison_page": "evaluation.report.run_page",
        "evaluation.contenders": "evaluation.methods",
        "evaluation.harness": "evaluation.runner",
        "evaluation.kept": "evaluation.stored_json",
        "evaluation.leaks": "evaluation.leakage",
        "evaluation.networks": "evaluation.network_methods",
        "evaluation.page": "evaluation.report.html",
        "evaluation.side_by_side": "evaluation.run_difference",
        "evaluation.tables": "evaluation.report.ranking",
        "evaluation.writing": "evaluation.report.run_files",
        "exporting": "models.checkpoints.export",
        "features.patterns": "features.block_level",
        "figures": "utils.figures",
        "figures.judging": "utils.figures.evaluation",
        "finetuning": "training.finetuning",
        "finite": "utils.finite",
        "frames": "data.frames",
        "frontend": "models.frontend",
        "jsontext": "utils.strict_json",
        "library.following": "library.changes",
        "library.seen": "utils.file_stamp",
        "library.team": "library.processes",
        "losses": "models.outputs",
        "machine": "utils.hardware",
        "measuring": "training.metric_logging",
        "mel": "models.mel",
        "methods": "plugins.named",
        "metrics": "training.metrics",
        "monitoring": "training.monitoring",
        "networks": "models.networks",
        "networks.folding": "models.folding",
        "norms": "training.batch_norm",
        "optimising": "models.optimised",
        "parameter_groups": "training.parameter_groups",
        "pipeline": "inference.pipeline",
        "playlists.choosing": "playlists.selection",
        "playlists.places": "playlists.paths",
        "playlists.supply": "playlists.candidates",
        "playlists.wishes": "playlists.requests",
        "probing": "models.signal_response",
        "progress": "utils.progress",
        "quoting": "utils.open_quotes",
        "rebuilding": "models.registry",
        "recommend.drawing": "utils.figures.evaluation",
        "recommend.judging": "recommend.evaluation",
        "recommend.layouts": "recommend.columns",
        "recommend.listens": "recommend.listenbrainz",
        "recommend.outside": "recommend.query_songs",
        "schedules": "training.schedules",
        "sections": "inference.sections",
        "song_result": "inference.result",
        "splits": "data.splits",
        "store": "data.decoded_store",
        "store_index": "data.store_index",
        "store_space": "data.store_space",
        "streamed": "data.litdata.reader",
        "streaming": "inference.song_reader",
        "synthesis": "data.synthesis",
    },
    "genrenet_plugins": {
        "content_neighbours": "recommenders.content_neighbours",
        "euclidean_knn": "baselines.euclidean_knn",
        "feed_forward": "baselines.feed_forward",
        "gaussian_kmeans": "baselines.gaussian_kmeans",
        "gaussian_rows": "baselines.gaussian_rows",
        "gaussian_table": "baselines.gaussian_table",
        "gaussians": "baselines.gaussians",
        "hybrid": "recommenders.hybrid",
        "kl_knn": "baselines.kl_knn",
        "latent_factors": "recommenders.latent_factors",
        "local_scaling": "baselines.local_scaling",
        "neighbourhoods": "recommenders.neighbourhoods",
        "play_weights": "recommenders.play_weights",
        "popularity": "recommenders.popularity",
        "svm": "baselines.svm",
        "trees": "baselines.trees",
    },
}
"""By package: the present modules with the names of a former module, the first one first."""


def new_modules(former: str) -> list[str]:
    """Return full names of the modules with the names of a former one; empty if there is none.

    Examples
    --------
    >>> new_modules("genrenet.networks.cnn"), new_modules("json")
    (['genrenet.models.networks.cnn'], [])
    """
    package, _, module = former.partition(".")
    moved, rest = MOVED.get(package, {}), ""
    while module and module not in moved:
        module, _, last = module.rpartition(".")
        rest = f".{last}{rest}"
    return [f"{package}.{place}{rest}" for place in moved.get(module, "").split()]


def new_name(path: str) -> str:
    """Return the full name of a present class for its former name in a file.

    Examples
    --------
    >>> new_name("genrenet_plugins.svm.GenreSVM"), new_name("json.JSONDecoder")
    ('genrenet_plugins.baselines.svm.GenreSVM', 'json.JSONDecoder')
    """
    module, _, name = path.rpartition(".")
    return next((f"{new}.{name}" for new in new_modules(module)), path)


def names_of(
    former: str, modules: Sequence[str], names: Sequence[str] | None = None
) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a former module.

    Parameters
    ----------
    former : str
        Its name.
    modules : sequence of str
        Those that now have its names.
    names : sequence of str, optional
        The names that it had; by default all names of the modules.
    """

    def __getattr__(name: str) -> Any:
        if name in names if names is not None else not name.startswith("__"):
            for module in modules:
                if hasattr(found := import_module(module), name):
                    text = f"{former}.{name} has moved to {module}.{name}"
                    warnings.warn(text, DeprecationWarning, stacklevel=2)
                    return getattr(found, name)
        raise AttributeError(f"module '{former}' has no attribute '{name}'")

    return __getattr__


class _Finder(MetaPathFinder, Loader):
    """Finds former modules: empty ones, whose names are those of other modules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if new_modules(fullname) else None

    def exec_module(self, module: ModuleType) -> None:
        names = new_modules(module.__name__)
        for name in names:
            import_module(name)  # a module that never existed cannot be imported
        module.__getattr__ = names_of(module.__name__, names)  # type: ignore[method-assign]


def install() -> None:
    """Make former names importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
