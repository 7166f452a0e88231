"""Look up protocols by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from genrenet.data.splits import SplitError
from genrenet.evaluation.protocols.kinds import Fold, ProtocolKind
from genrenet.evaluation.protocols.subsets import Subset, draw
from genrenet.plugins.manager import BUILT_IN, contributions
from genrenet.utils.errors import GenrenetError
from genrenet.utils.suggest import did_you_mean


def kinds() -> dict[str, ProtocolKind]:
    """Return all kinds of protocols that plugins add, by name."""
    return {name: entry.item for name, entry in contributions("register_protocols").items()}


@dataclass(frozen=True)
class Protocol:
    """A protocol of evaluation with its parameters.

    Attributes
    ----------
    name : str
        The name by which a `ProtocolKind` is selected, and, after an ``@``, the size of the
        training set.
    seeds : tuple of int
        One repetition each, with other folds and draws (or another initialisation of the models).
    """

    name: str
    seeds: tuple[int, ...]

    @property
    def base(self) -> str:
        """The name of the protocol with all training songs."""
        return self.name.partition("@")[0]

    @property
    def subset(self) -> Subset | None:
        """The size of the training set; None for all songs."""
        _, given, size = self.name.partition("@")
        return Subset.parse(size) if given else None

    @property
    def kind(self) -> ProtocolKind:
        """The kind that makes its folds."""
        known = kinds()
        found = (kind for kind in known.values() if kind.arguments(self.base) is not None)
        kind = next(found, None)
        if kind is None:
            raise SplitError(
                "unknown protocol",
                found=repr(self.base),
                wanted=f"{', '.join(known)} (those with a number of folds take any from 2)",
                remedy=did_you_mean(self.base, known),
            )
        return kind

    @property
    def meaning(self) -> str:
        """What its figures mean, as text."""
        subset = self.subset
        return self.kind.meaning + (f" {subset.meaning}" if subset else "")

    @property
    def lenient(self) -> bool:
        """Whether songs of one artist may be in both the training and the test set."""
        return self.kind.lenient

    def folds(self, table: pd.DataFrame, seed: int) -> list[Fold]:
        """Return the folds of one seed; each song is tested at most once.

        Parameters
        ----------
        table : DataFrame
            With `track_id`, `path`, `genre`, `artist` and, for "column", `split`.
        seed : int >= 0
            Seed of the folds.

        Returns
        -------
        list of Fold
            With validation songs wherever possible.

        Raises
        ------
        SplitError
            The songs do not allow it; the message names them and the remedy. Or the plugin of the
            protocol failed.
        """
        kind, subset = self.kind, self.subset
        entry = contributions("register_protocols")[kind.name]
        try:
            found = kind.carry_out(self.base, table, seed)
        except GenrenetError:
            raise
        except Exception as error:  # a third-party protocol may raise anything
            if entry.plugin in BUILT_IN:
                raise
            raise SplitError(
                f"the protocol '{kind.name}' of {entry.package} failed",
                found=f"{type(error).__name__}: {error}",
                remedy=f"fix the plugin '{entry.plugin}'",
            ) from error
        if subset is None:
            return found
        return [draw(table, fold, subset, seed, number) for number, fold in enumerate(found)]


def protocols(names: str | Sequence[str], n_seeds: int) -> list[Protocol]:
    """Return protocols from their names, a list or joined by commas.

    Raises
    ------
    SplitError
        An unknown name, an invalid size, or no seed.
    """
    if n_seeds < 1:
        raise SplitError("number of seeds", found=str(n_seeds), wanted="at least 1")
    listed = names.split(",") if isinstance(names, str) else names
    found = [Protocol(name.strip(), tuple(range(n_seeds))) for name in listed]
    for protocol in found:
        _ = protocol.meaning  # looks up its kind and its size
    return list(dict.fromkeys(found))


def why_they_differ(names: Sequence[Protocol]) -> str:
    """Return a sentence on the difference between lenient and strict protocols; empty unless both
    kinds are used.
    """
    lenient = list(dict.fromkeys(p.base for p in names if p.lenient))
    strict = list(dict.fromkeys(p.base for p in names if not p.lenient))
    if not lenient or not strict:
        return ""
    former, latter = " and ".join(lenient), " and ".join(strict)
    return (
        f"{former} and {latter} ask different questions. Under {former} a method meets artists, "
        f"albums and recordings again that it has learnt from, and remembering them pays; under "
        f"{latter} it does not, and what remains is what a new artist's song will get. The "
        "difference is that memory, and the number of songs that each leaves to learn from."
    )
