"""The built-in recommenders.

Their defaults were chosen on the Last.fm listening of HetRec 2011 by recall at 20: those of the
neighbours and of the decomposition on plays held out *inside* the training plays of the
evaluation (seed 0 for the evaluation, seed 1 within the rest); those of the alternating least
squares, whose regularisation depends on how many plays there are, on three other seeds (5, 6 and 7)
of the whole. The plays that ``genrenet recommend evaluate`` holds out for its first seed
decided nothing in the first way; in the second way they were part of what was learnt from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.recommend import Recommender


@hookimpl
def register_recommenders(register: Callable[[Recommender], None]) -> None:
    """Add the built-in recommenders."""
    from genrenet_plugins.recommenders.content_neighbours import ContentNeighbours
    from genrenet_plugins.recommenders.hybrid import Hybrid
    from genrenet_plugins.recommenders.latent_factors import FactorALS, FactorSVD
    from genrenet_plugins.recommenders.neighbourhoods import ItemNeighbours, UserNeighbours
    from genrenet_plugins.recommenders.popularity import Popularity

    from genrenet.recommend import Recommender

    for method in (
        Recommender("popularity", "what most users have: the same for everybody", Popularity),
        Recommender("user-knn", "what the users with the most similar histories have",
                    UserNeighbours),
        Recommender("item-knn", "what is had by the users who have the same items",
                    ItemNeighbours),
        Recommender("svd", "latent factors by truncated singular value decomposition", FactorSVD),
        Recommender("als", "latent factors by alternating least squares (implicit)", FactorALS),
        Recommender("content", "songs that sound like those of a history: needs no listeners",
                    ContentNeighbours, ("content",)),
        Recommender("hybrid", "listeners and content blended, popularity for new users", Hybrid),
    ):  # fmt: skip
        register(method)
