"""The common part of all methods that plugins add: a name, settings, and lookup by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from genrenet.utils.errors import GenrenetError
from genrenet.utils.suggest import did_you_mean

M = TypeVar("M")


@dataclass(frozen=True)
class Method:
    """A named factory of estimators; each kind of method derives from it.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        Description in one line.
    estimator : callable
        Returns an estimator; its typed keyword parameters are the method's settings. A parameter
        ``random_state`` receives the seed.

    Attributes
    ----------
    word : str
        Name of this kind of method in messages.
    error : type
        Error class of this kind.
    """

    name: str
    summary: str
    estimator: Callable[..., Any]

    word: ClassVar[str] = "method"
    error: ClassVar[type[GenrenetError]] = GenrenetError

    def __post_init__(self) -> None:
        if not callable(self.estimator):
            raise self.error(
                f"the {self.word} '{self.name}' has no estimator",
                found=repr(self.estimator),
                wanted="a class or a function that makes an estimator",
            )

    def parameters(self) -> dict[str, Any]:
        """Return settings with their defaults; without one if the caller must give a value."""
        return parameters_of(self.estimator)

    def make(self, seed: int = 0, **settings: Any) -> Any:
        """Create an unfitted estimator.

        Parameters
        ----------
        seed : int
            Passed as ``random_state``, if there is such a parameter.
        **settings
            Settings of the method.

        Raises
        ------
        GenrenetError
            Of the class ``error``: an unknown setting, or an invalid value.
        """
        known = self.parameters()
        if unknown := [name for name in settings if name not in known]:
            raise self.error(
                f"the {self.word} '{self.name}' has no setting {', '.join(map(repr, unknown))}",
                wanted=", ".join(known) or "none",
                remedy=did_you_mean(unknown[0], known),
            )
        if "random_state" in known:
            settings = {"random_state": seed, **settings}
        try:
            return self.estimator(**settings)
        except (TypeError, ValueError) as error:
            raise self.error(f"the {self.word} '{self.name}' cannot be made: {error}") from error


def parameters_of(make: Callable[..., Any]) -> dict[str, Any]:
    """Return parameters with their defaults; None for one whose value the caller must give."""
    given = inspect.signature(make).parameters.values()
    return {p.name: None if p.default is p.empty else p.default for p in given}


def find_method(known: Mapping[str, M], name: str, kind: type[Method]) -> M:
    """Return a method by name.

    Parameters
    ----------
    known : mapping of str to Method
        All methods of the kind.
    name : str
    kind : type
        Kind of the methods: it defines their name in messages, and the error class.

    Raises
    ------
    GenrenetError
        Of the class ``kind.error``: unknown name; the message lists the known ones and similar
        names.
    """
    if name not in known:
        near = did_you_mean(name, known)
        raise kind.error(
            f"no {kind.word} '{name}'",
            wanted=f"one of {', '.join(known) or 'none: no plugin adds any'}",
            remedy="; ".join(part for part in (near, "see 'genrenet plugins'") if part),
        )
    return known[name]
