"""What a baseline is, and which ones there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from genrenet.plugins.manager import contributions
from genrenet.plugins.named import Method, find_method
from genrenet.utils.errors import GenrenetError


class BaselineError(GenrenetError):
    """A baseline that does not exist, or that cannot do what it is asked to."""


@dataclass(frozen=True)
class Baseline(Method):
    """A classical method: from one feature vector per song to genres.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    estimator : callable
        Makes a scikit-learn classifier; its typed keyword parameters are the method's settings.
        A parameter ``random_state`` gets the seed.
    features : str
        Names of its default features, joined by ``+``.
    kind : {"vectors", "gaussians"}
        What its rows are: any numbers, or Gaussians (the mean, then the covariance row by row).
    grid : mapping of str to sequence
        Settings to choose from, within the training songs.
    trusted : sequence of str
        Full names of types, beyond scikit-learn's and numpy's own, that its files may hold.
    multi_label : {"each", "sets", "native", "no"}
        How it is trained where songs have several genres; see `genrenet.baselines.multi_label`.

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
    """Return package and version that a baseline comes from."""
    return contributions("register_baselines")[name].package


def baseline(name: str) -> Baseline:
    """Return a baseline by name.

    Raises
    ------
    BaselineError
        There is none of that name; the known ones are listed.
    """
    return find_method(baselines(), name, Baseline)
