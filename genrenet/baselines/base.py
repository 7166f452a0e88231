"""What a baseline is, and which ones there are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from genrenet.errors import GenrenetError
from genrenet.plugins import contributions


class BaselineError(GenrenetError):
    """A baseline that does not exist, or that cannot do what it is asked to."""


@dataclass(frozen=True)
class Baseline:
    """A method that learns genres from one row of features a song.

    Parameters
    ----------
    name : str
        How it is called on the command line.
    summary : str
        What it is, in a line.
    estimator : callable
        Makes a scikit-learn classifier; its typed keyword parameters are the method's settings.
        A parameter ``random_state`` gets the seed.
    features : str
        What it eats where nothing else is asked for: names of features, joined by ``+``.
    kind : {"vectors", "gaussians"}
        What its rows are: any numbers, or Gaussians (the mean, then the covariance row by row).
    grid : mapping of str to sequence
        Settings to choose among inside the training songs.
    trusted : sequence of str
        Full names of types, beyond scikit-learn's and numpy's own, that its files may hold.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> Baseline("naive-bayes", "Gaussian naive Bayes", GaussianNB, "five").parameters()
    {'priors': None, 'var_smoothing': 1e-09}
    """

    name: str
    summary: str
    estimator: Callable[..., Any]
    features: str
    kind: Literal["vectors", "gaussians"] = "vectors"
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    trusted: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not callable(self.estimator):
            raise BaselineError(
                f"the baseline '{self.name}' has no estimator",
                found=repr(self.estimator),
                wanted="a class or a function that makes a scikit-learn classifier",
            )

    def parameters(self) -> dict[str, Any]:
        """Settings with their defaults; without one where the caller must give a value."""
        given = inspect.signature(self.estimator).parameters.values()
        empty = inspect.Parameter.empty
        return {p.name: None if p.default is empty else p.default for p in given}

    def make(self, seed: int = 0, **settings: Any) -> Any:
        """Make an estimator that is not fitted.

        Parameters
        ----------
        seed : int
            Goes to ``random_state``, where there is such a parameter.
        **settings
            Of the method.

        Raises
        ------
        BaselineError
            A setting that the method does not have, or a value it does not take.
        """
        known = self.parameters()
        if unknown := [name for name in settings if name not in known]:
            raise BaselineError(
                f"the baseline '{self.name}' has no setting {', '.join(map(repr, unknown))}",
                wanted=", ".join(known) or "none",
            )
        if "random_state" in known:
            settings = {"random_state": seed, **settings}
        try:
            return self.estimator(**settings)
        except (TypeError, ValueError) as error:
            raise BaselineError(f"the baseline '{self.name}' cannot be made: {error}") from error


def baselines() -> dict[str, Baseline]:
    """All baselines by name."""
    found = contributions("register_baselines")
    return {name: entry.item for name, entry in found.items()}


def origin(name: str) -> str:
    """Package and version that a baseline comes from."""
    return contributions("register_baselines")[name].package


def baseline(name: str) -> Baseline:
    """A baseline by name.

    Raises
    ------
    BaselineError
        There is none of that name; the known ones are listed.
    """
    known = baselines()
    if name not in known:
        raise BaselineError(
            f"no baseline '{name}'",
            wanted=f"one of {', '.join(known) or 'none: no plugin adds any'}",
            remedy="see 'genrenet plugins'",
        )
    return known[name]
