"""What a recommender is, and which ones there are.

Conventions
-----------
A recommender's estimator has scikit-learn's ``get_params`` and two methods:

``fit(plays, content=None)``
    ``plays`` is a CSR matrix of float32, a row a user and a column an item: how often, above zero
    wherever there is an entry. ``content`` is an array of float32 with a row an item, of length one
    and such that inner products are similarities, or zeros where nothing is known of the item (see
    `genrenet.recommend.content`); None where nothing is known of any. Returns itself.
``score(histories)``
    ``histories`` is a matrix like ``plays`` of any users, also of ones that were not in it: they
    are placed by what they have listened to, without another fit. Returns an array of float32, a
    row a user and a column an item. Higher is better; zero, and whatever is below it or not finite,
    says that the item is not worth naming to this user.

An estimator that works differently for some users may have ``sources(histories)``: a word a user
for what its scores rest on.
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
    """A method that says what a listener may want to hear next.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    estimator : callable
        Makes an estimator as described above; its typed keyword parameters are the method's
        settings. A parameter ``random_state`` gets the seed.
    needs : tuple of {"plays", "content"}
        What it cannot do without. It gets all there is.

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
