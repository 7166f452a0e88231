"""The definition of a recommender, and the list of registered ones.

Conventions
-----------
A recommender's estimator has scikit-learn's ``get_params`` and two methods:

``fit(plays, content=None)``
    ``plays`` is a CSR matrix of float32, a row per user and a column per item: the number of plays,
    above zero for every entry. ``content`` is an array of float32 with a row per item, of length
    one and such that inner products are similarities, or zeros if nothing is known about the item
    (see `genrenet.recommend.content`); None if nothing is known about any. Returns itself.
``score(histories)``
    ``histories`` is a matrix like ``plays`` for any users, also those not in it: they are
    represented by their plays, without refitting. Returns an array of float32, a row per user and a
    column per item. Higher is better; an item with a score that is zero, negative or not finite is
    not recommended to this user.

An estimator that works differently for some users may have ``sources(histories)``: a word per user
for the basis of its scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from genrenet.plugins.manager import contributions
from genrenet.plugins.named import Method, find_method
from genrenet.recommend.errors import RecommendError
from genrenet.utils.errors import GenrenetError

KNOWLEDGE = ("plays", "content")


@dataclass(frozen=True)
class Recommender(Method):
    """A method that recommends items to users; plugins may add some.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    estimator : callable
        Returns an estimator as described above; its typed keyword parameters are the method's
        settings. A parameter ``random_state`` receives the seed.
    needs : tuple of {"plays", "content"}
        Required data. It receives all that are available.

    Examples
    --------
    >>> recommender("user-knn").parameters()["n_neighbors"] > 0
    True
    """

    needs: tuple[str, ...] = ("plays",)

    word: ClassVar[str] = "recommender"
    error: ClassVar[type[GenrenetError]] = RecommendError

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.needs or set(self.needs) - set(KNOWLEDGE):
            raise RecommendError(
                f"the recommender '{self.name}' has unknown needs",
                found=repr(self.needs),
                wanted=f"some of {KNOWLEDGE}",
            )


def recommenders() -> dict[str, Recommender]:
    """Return all recommenders by name."""
    found = contributions("register_recommenders")
    return {name: entry.item for name, entry in found.items()}


def recommender(name: str) -> Recommender:
    """Return a recommender by name.

    Raises
    ------
    RecommendError
        There is none of that name; the known ones are listed.
    """
    return find_method(recommenders(), name, Recommender)
