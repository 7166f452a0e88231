"""genrenet: what genre is this, and which method is really better?

>>> import genrenet
>>> genrenet.classify(["song.mp3"], checkpoint="best.ckpt")  # doctest: +SKIP
>>> model = genrenet.load_checkpoint("best.ckpt")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genrenet.version import __version__

if TYPE_CHECKING:
    from genrenet.models.checkpoints import load_checkpoint
    from genrenet.inference.classify import classify

__all__ = ["__version__", "classify", "load_checkpoint"]


def __getattr__(name: str) -> Any:
    """Import torch only when something that needs it is asked for."""
    if name == "classify":
        from genrenet.inference.classify import classify

        return classify
    if name == "load_checkpoint":
        from genrenet.models.checkpoints import load_checkpoint

        return load_checkpoint
    raise AttributeError(f"module 'genrenet' has no attribute '{name}'")
