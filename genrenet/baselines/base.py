"""The definition of a baseline, and the list of registered ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from genrenet.plugins.manager import contributions
from genrenet.plugins.named import Method, find_method
from genrenet.utils.errors import GenrenetError


class BaselineError(GenrenetError):
    """A baseline that does not exist, or that does not support a request."""


@dataclass(frozen=True)
class Baseline(Method):
    """A classical method that predicts genres from one feature vector per song; plugins may add
    some.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    estimator : callable
        Returns a scikit-learn classifier; its typed keyword parameters are the method's settings. A
        parameter ``random_state`` receives the seed.
    features : str
        Names of its default features, joined by ``+``.
    kind : {"vectors", "gaussians"}
        Type of its rows: arbitrary numbers, or Gaussians (the mean, then the covariance row by
        row).
    grid : mapping of str to sequence
        Settings to choose from, on the training songs.
    trusted : sequence of str
        Full names of types, besides scikit-learn's and numpy's own, that its files may contain.
    multi_label : {"each", "sets", "native", "no"}
        How it is trained if songs have several genres; see `genrenet.baselines.multi_label`.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> Baseline("naive-bayes", "Gaussian naive Bayes", GaussianNB, "spectral-stats").parameters()
    {'priors': None, 'var_smoothing': 1e-09}
    """

    features: str
    kind: Literal["vectors", "gaussians"] = "vectors"
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    trusted: Sequence[str] = ()
    multi_label: Literal["each", "sets", "native", "no"] = "each"

    word: ClassVar[str] = "baseline"
    error: ClassVar[type[GenrenetError]] = BaselineError

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in ("vectors", "gaussians") or not isinstance(self.grid, Mapping):
            raise BaselineError(
                f"the baseline '{self.name}'",
                found=f"kind {self.kind!r} and grid {self.grid!r}",
                wanted="kind 'vectors' or 'gaussians', and a dictionary of values by setting",
            )
        if self.multi_label not in ("each", "sets", "native", "no"):
            raise BaselineError(
                f"the baseline '{self.name}'",
                found=f"multi_label {self.multi_label!r}",
                wanted="each, sets, native or no",
            )


def baselines() -> dict[str, Baseline]:
    """Return all baselines by name."""
    found = contributions("register_baselines")
    return {name: entry.item for name, entry in found.items()}


def origin(name: str) -> str:
    """Return the package and version of a baseline."""
    return contributions("register_baselines")[name].package


def baseline(name: str) -> Baseline:
    """Return a baseline by name.

    Raises
    ------
    BaselineError
        There is none of that name; the known ones are listed.
    """
    return find_method(baselines(), name, Baseline)
