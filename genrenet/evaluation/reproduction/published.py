"""The four confusion matrices that Haggblade, Hong and Kao (2011) published.

The counts are in ``published.csv`` as printed, and `published_tables` arranges them with true
genres as rows and predicted genres as columns, like every other matrix of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pandas as pd

from genrenet.evaluation.metrics import wilson_interval

SOURCE = 'Haggblade, Hong and Kao (2011), "Music Genre Classification"'
GENRES = ("classical", "jazz", "metal", "pop")
MODELS = {
    "svm": "svm-dag",
    "k-means": "gaussian-kmeans",
    "knn": "kl-knn",
    "neural network": "mlp",
}
"""The report's methods, and the corresponding ones of this package."""

SHORT = {"svm": "SVM", "knn": "kNN"}
TITLES = {
    "svm": "Support vector machines as a decision graph",
    "k-means": "k-means of Gaussians",
    "knn": "k nearest neighbours by KL divergence",
    "neural network": "Feed-forward neural network",
}
CLAIMED = {"neural network": 0.96}
"""Accuracies in the report's text that are not in its tables."""


@dataclass(frozen=True)
class PublishedTable:
    """A table of the report.

    Attributes
    ----------
    number : int
    method : str
        Name in the report.
    matrix : list of list of int, shape (4, 4)
        Rows are the true genres, columns the predicted ones, both in the order of `GENRES`.
    remarks : tuple of str
        Contradictions in the report.
    """

    number: int
    method: str
    matrix: list[list[int]]
    remarks: tuple[str, ...]

    @property
    def title(self) -> str:
        """The method in words."""
        return TITLES[self.method]

    @property
    def name(self) -> str:
        """Number and method, as short text."""
        return f"{self.number}: {SHORT.get(self.method, self.method)}"

    @property
    def n(self) -> int:
        """Number of test songs."""
        return sum(map(sum, self.matrix))

    @property
    def right(self) -> int:
        """Number of songs on the diagonal."""
        return sum(self.matrix[place][place] for place in range(len(GENRES)))

    @property
    def accuracy(self) -> float:
        """Share of songs on the diagonal."""
        return self.right / self.n

    @property
    def ci95(self) -> tuple[float, float]:
        """Wilson's interval of the accuracy."""
        return wilson_interval(self.right, self.n)


def published_tables() -> list[PublishedTable]:
    """Return Tables 1 to 4 of the report.

    Notes
    -----
    Each table is headed "rows predicted, columns actual". There were 30 test songs of every genre,
    so whichever side sums to the same number for every genre is the true one: in the table of
    k-means these are the rows, contrary to its heading.
    """
    with (resources.files(__package__) / "published.csv").open(encoding="utf-8") as file:
        rows = pd.read_csv(file, comment="#")
    sums = rows.groupby("table")["songs"].sum()
    usual = int(sums.mode().iloc[0])
    found = []
    for number, cells in rows.groupby("table"):
        method = str(cells["method"].iloc[0])
        printed = cells.pivot_table(
            values="songs", index="predicted", columns="actual", aggfunc="sum"
        )
        printed = printed.loc[list(GENRES), list(GENRES)]
        turned = _same(printed.sum(axis=1)) and not _same(printed.sum())
        matrix = (printed if turned else printed.T).to_numpy().tolist()
        table = PublishedTable(int(str(number)), method, matrix, ())
        remarks = []
        if turned:
            remarks.append(
                f"The columns of Table {number}, headed as the true genres, add up to "
                f"{_listed(printed.sum().to_dict())} songs; its rows add up to "
                f"{int(printed.sum(axis=1).iloc[0])} of each genre, as the columns of the other "
                "tables do. Its rows are therefore taken as the true genres."
            )
        if table.n != usual:
            remarks.append(
                f"Table {number} is about {table.n} songs ("
                f"{_listed({genre: sum(row) for genre, row in zip(GENRES, matrix, strict=True)})})"
                f", the other tables about {usual}: this method was tested on other songs."
            )
        if (claimed := CLAIMED.get(method)) is not None:
            remarks.append(
                f"The report's text gives {100 * claimed:.0f} % for the {method}; its Table "
                f"{number} has {table.right} of {table.n}, {100 * table.accuracy:.1f} %."
            )
        found.append(PublishedTable(table.number, method, matrix, tuple(remarks)))
    return found


def _same(sums: pd.Series) -> bool:
    return len(set(sums)) == 1


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {genre}" for genre, count in counts.items())
