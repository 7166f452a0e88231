"""Hooks through which third-party packages, and the built-in plugins, add objects.

A plugin is a module under the entry-point group ``genrenet``; its `genrenet.hookimpl` functions
take ``register`` and call it with each object they add. Nothing is imported before it is needed: a
hook is called when its kind of object is first requested.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet.plugins.manager import hookspec

if TYPE_CHECKING:
    from genrenet.baselines import Baseline
    from genrenet.data.catalog import Reader
    from genrenet.evaluation.metrics import Metric
    from genrenet.evaluation.protocols import ProtocolKind
    from genrenet.features import FeatureExtractor
    from genrenet.inference.scorers import ScorerFormat
    from genrenet.library.tag_formats import TagFormat
    from genrenet.models.adapters import Adapter
    from genrenet.models.checkpoints import PublishedModel
    from genrenet.models.registry import ModuleClass
    from genrenet.playlists import PlaylistFormat
    from genrenet.recommend import Recommender

    ModuleHook = Callable[["ModuleClass"], None]


class Hooks:
    """Any object that a plugin can add."""

    @hookspec
    def register_baselines(self, register: Callable[[Baseline], None]) -> None:
        """Add methods: ``register(Baseline("lda", "discriminant", LDA, "spectral-stats"))``."""

    @hookspec
    def register_features(self, register: Callable[[FeatureExtractor], None]) -> None:
        """Add features: ``register(FeatureExtractor("rms", "loudness", rms, ("rms",)))``."""

    @hookspec
    def register_catalogs(self, register: Callable[[Reader], None]) -> None:
        """Add readers of collections: ``register(Reader("jams", "JAMS", is_jams, read_jams))``."""

    @hookspec
    def register_backbones(self, register: Callable[[PublishedModel], None]) -> None:
        """Add published networks: ``register(PublishedModel("vgg", "VGGish", "vgg.pt", ...))``."""

    @hookspec
    def register_adapters(self, register: Callable[[Adapter], None]) -> None:
        """Open backbones by ``pt:...``: ``register(Adapter("pt", "weights", open, files))``."""

    @hookspec
    def register_networks(self, register: ModuleHook) -> None:
        """Name networks in checkpoints: ``register(ModuleClass("res", "residual", ResNet))``."""

    @hookspec
    def register_frontends(self, register: ModuleHook) -> None:
        """Name front ends in checkpoints: ``register(ModuleClass("cqt", "constant-Q", CQT))``."""

    @hookspec
    def register_recommenders(self, register: Callable[[Recommender], None]) -> None:
        """Add recommenders: ``register(Recommender("top", "the most played", Popularity))``."""

    @hookspec
    def register_playlist_formats(self, register: Callable[[PlaylistFormat], None]) -> None:
        """Add formats of playlists: ``register(PlaylistFormat(".names", "names", write))``."""

    @hookspec
    def register_tag_formats(self, register: Callable[[TagFormat], None]) -> None:
        """Add files whose genre can be written: ``register(TagFormat("au", "a note", Au))``."""

    @hookspec
    def register_metrics(self, register: Callable[[Metric], None]) -> None:
        """Add figures of decisions: ``register(Metric("kappa", "Kappa", "Cohen's", kappa))``."""

    @hookspec
    def register_protocols(self, register: Callable[[ProtocolKind], None]) -> None:
        """Add ways of dividing songs: ``register(ProtocolKind("halves", "...", "...", halve))``."""

    @hookspec
    def register_scorers(self, register: Callable[[ScorerFormat], None]) -> None:
        """Add files that name genres: ``register(ScorerFormat(".skops", "baseline", load))``."""
