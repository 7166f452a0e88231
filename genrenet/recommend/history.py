"""Listening histories: users, items and numbers of plays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genrenet.recommend.errors import HistoryError
from genrenet.utils.errors import printable
from genrenet.utils.suggest import did_you_mean


@dataclass(frozen=True)
class History:
    """A listening history.

    Attributes
    ----------
    users, items : list of str
        Unique names, in order of first occurrence in the history.
    plays : scipy.sparse.csr_matrix of float32, shape (users, items)
        Numbers of plays; stored entries are above zero, and sorted.
    names : dict of str to str
        Displayed names of items; items that are missing here are displayed by their own name.
    skipped : list of str
        Rows that could not be used, one line each.
    notes : list of str
        Further notes on how the history was read.
    """

    users: list[str]
    items: list[str]
    plays: sparse.csr_matrix
    names: Mapping[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def _user_rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.users)}

    @cached_property
    def _item_columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self.items)}

    def user(self, name: str) -> int:
        """Return the row of a user.

        Raises
        ------
        HistoryError
            There is no such user; similar names are listed.
        """
        if name not in self._user_rows:
            raise HistoryError(
                f"no user '{printable(name)}' in the history",
                found=f"{len(self.users)} users",
                remedy=did_you_mean(name, self.users, 3)
                or "name one of them, or use --model hybrid",
            )
        return self._user_rows[name]

    def item(self, name: str) -> int:
        """Return the column of an item, by its own name or its displayed name.

        Raises
        ------
        HistoryError
            There is no such item; similar names are listed.
        """
        if name in self._item_columns:
            return self._item_columns[name]
        for item, called in self.names.items():
            if called == name and item in self._item_columns:
                return self._item_columns[item]
        raise HistoryError(
            f"no item '{printable(name)}' in the history",
            found=f"{len(self.items)} items",
            remedy=did_you_mean(name, [*self.items, *self.names.values()], 3),
        )

    def called(self, column: int) -> str:
        """Return the displayed name of an item."""
        name = self.items[column]
        return self.names.get(name, name)

    def one(self, columns: Iterable[int]) -> sparse.csr_matrix:
        """Return the history of one user with one play of some items, shape (1, items)."""
        row = np.zeros((1, len(self.items)), np.float32)
        row[0, list(columns)] = 1
        return sparse.csr_matrix(row)

    def with_items(self, items: Sequence[str]) -> History:
        """Return the same history with more items, without plays, appended."""
        new = [name for name in dict.fromkeys(items) if name not in self._item_columns]
        plays = self.plays.copy()
        plays.resize((len(self.users), len(self.items) + len(new)))
        return replace(self, items=[*self.items, *new], plays=plays)


def counted(
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    plays: NDArray[np.float64],
    shape: tuple[int, int],
) -> sparse.csr_matrix:
    """Return plays as a matrix; those of one user and item are summed.

    Parameters
    ----------
    users, items : ndarray of int64, shape (rows,)
        Row and column indices.
    plays : ndarray of float64, shape (rows,)
        0 or more; sums of 0 are not stored.
    shape : (int, int)
        Numbers of users and items.
    """
    table = sparse.coo_matrix((plays, (users, items)), shape=shape).tocsr()
    table.sum_duplicates()
    table.eliminate_zeros()
    table.sort_indices()
    found: sparse.csr_matrix = table.astype(np.float32)
    return found
