"""The published tables, with rows of true genres, and the report's contradictions."""

import pytest

from genrenet.evaluation.reproduction.published import GENRES, MODELS, published_tables
from genrenet.evaluation.runner import contenders
from genrenet.training.configs import experiment

TABLES = {table.method: table for table in published_tables()}


def test_each_table_has_a_method_of_ours():
    assert [table.number for table in TABLES.values()] == [1, 2, 3, 4]
    assert len(contenders(MODELS.values())) == 4


def test_the_experiment_has_the_same_figures():
    published = experiment("four-genres")["reference"]
    assert [round(table.accuracy, 3) for table in TABLES.values()] == [
        one["accuracy"] for one in published
    ]


@pytest.mark.parametrize(
    ("method", "right", "n"),
    [("svm", 104, 120), ("k-means", 96, 120), ("knn", 97, 120), ("neural network", 58, 64)],
)
def test_counts(method, right, n):
    table = TABLES[method]
    assert (table.right, table.n) == (right, n)
    low, high = table.ci95
    assert low < table.accuracy < high


@pytest.mark.parametrize("method", ["svm", "k-means", "knn"])
def test_rows_are_true_genres_of_thirty_songs(method):
    assert [sum(row) for row in TABLES[method].matrix] == [30] * 4


def test_cells_are_where_the_report_has_them():
    # SVM, as printed: of the songs called classical, four were jazz.
    jazz, classical = GENRES.index("jazz"), GENRES.index("classical")
    assert TABLES["svm"].matrix[jazz][classical] == 4
    # k-means, whose heading is wrong: 16 classical songs were called jazz.
    assert TABLES["k-means"].matrix[classical][jazz] == 16


def test_contradictions_are_told():
    assert not TABLES["svm"].remarks
    assert not TABLES["knn"].remarks
    (heading,) = TABLES["k-means"].remarks
    assert "44 jazz" in heading
    fewer, claim = TABLES["neural network"].remarks
    assert "64 songs" in fewer
    assert "96 %" in claim
    assert "58 of 64, 90.6 %" in claim
