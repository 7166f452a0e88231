"""The built-in recommenders.

Their defaults were chosen on the Last.fm listening histories of HetRec 2011 by recall at 20: those
of the neighbours and of the decomposition on plays held out *inside* the training plays of the
evaluation (seed 0 for the evaluation, seed 1 within the rest); those of the alternating least
squares, whose regularisation depends on the number of plays, on three other seeds (5, 6 and 7) of
the whole. The plays that ``genrenet recommend evaluate`` holds out for its first seed were not used
in the first case; in the second case they were among the training plays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.recommend import Recommender


@hookimpl
def register_recommenders(register: Callable[[Recommender], None]) -> None:
    """Add the built-in recommenders."""
    from genrenet.recommend.base import Recommender

    def own(module: str, name: str) -> Lazy:
        return Lazy(f"{__name__}.{module}", name)

    for method in (
        Recommender(
            "popularity",
            "what most users have: the same for everybody",
            own("popularity", "Popularity"),
        ),
        Recommender(
            "user-knn",
            "what the users with the most similar histories have",
            own("neighbourhoods", "UserNeighbours"),
        ),
        Recommender(
            "item-knn",
            "what is had by the users who have the same items",
            own("neighbourhoods", "ItemNeighbours"),
        ),
        Recommender(
            "svd",
            "latent factors by truncated singular value decomposition",
            own("latent_factors", "FactorSVD"),
        ),
        Recommender(
            "als",
            "latent factors by alternating least squares (implicit)",
            own("latent_factors", "FactorALS"),
        ),
        Recommender(
            "content",
            "songs that sound like those of a history: needs no listeners",
            own("content_neighbours", "ContentNeighbours"),
            ("content",),
        ),
        Recommender(
            "hybrid",
            "listeners and content blended, popularity for new users",
            own("hybrid", "Hybrid"),
        ),
    ):
        register(method)
