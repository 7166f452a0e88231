"""Columns whose values reveal the genre, and measured features."""

import numpy as np
import pandas as pd
import pytest

from genrenet.evaluation.label_copies import label_copies, too_good

N = 120
CODES = np.arange(N) // 40
GENRES = pd.Series(np.array(["jazz", "pop", "rock"])[CODES])
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=N)
SHUFFLED = RANDOM.permutation(N)


def found(column, genres=GENRES, songs=None):
    """Why one column beside a measurement is no feature; None if it is one."""
    matrix = np.column_stack([np.asarray(column, float), NOISE[: len(genres)]])
    refused = label_copies(matrix, ["column", "noise"], genres, songs)
    assert "noise" not in refused
    return refused.get("column")


WRONG = CODES.copy()
WRONG[0] = 2


@pytest.mark.parametrize(
    "column",
    [
        CODES,
        -3.5 * CODES,
        CODES == 1,
        CODES & 1,
        np.where(np.arange(N) == 5, np.nan, CODES),
        WRONG,
        pd.Series(NOISE).groupby(CODES).transform("mean"),
    ],
)
def test_the_genre_in_other_words(column):
    assert "one value in each genre" in found(column)


def test_names_within_genres():
    assert "genres, artists or folders" in found(CODES * 10 + np.arange(N) % 8)


@pytest.mark.parametrize(
    "column",
    [np.arange(N), np.arange(N)[::-1], SHUFFLED, 3 * np.arange(N) + 7, 2**40 + 977 * SHUFFLED**2],
)
def test_numbers_of_rows_and_hashes(column):
    assert found(column) == "it numbers the rows or names them"


@pytest.mark.parametrize(
    "column",
    [
        NOISE,
        CODES + 0.1 * NOISE,  # good, but measured
        np.zeros(N),
        np.full(N, np.nan),
        np.arange(N) % 4,  # few values, in all genres
        np.where(np.arange(N) % 4 == 0, CODES, (CODES + 1) % 3 * (np.arange(N) % 2)),
    ],
)
def test_measurements_stay(column):
    assert found(column) is None


def test_rows_without_a_genre_are_passed_over():
    genres = GENRES.mask(np.arange(N) % 3 == 0, "")
    column = np.where(genres == "", NOISE, CODES)
    assert "one value in each genre" in found(column, genres)


def test_segments_of_one_song_share_values_without_naming_genres():
    songs = pd.Series(np.arange(N) // 10)
    column = NOISE[songs]  # one value for each of the twelve songs
    assert found(column) is not None
    assert found(column, songs=songs) is None


def test_columns_that_tell_all_genres_apart_are_reported():
    two_alike = np.minimum(CODES, 1)
    matrix = np.column_stack([CODES + 0.1 * np.tanh(NOISE), NOISE, two_alike])

    def reported(rows):
        return [*too_good(matrix[rows], ["apart", "noise", "alike"], GENRES[rows])]

    assert reported(SHUFFLED) == ["apart"]
    assert reported(SHUFFLED[CODES[SHUFFLED] < 2]) == []  # two genres may well be apart
    assert reported(SHUFFLED[SHUFFLED % 40 < 9]) == []  # so few songs may be by chance


def test_a_constant_column_tells_no_genres_apart_in_a_table_sorted_by_genre():
    matrix = np.column_stack([np.full(N, 5.0), CODES + 0.1 * np.abs(np.tanh(NOISE))])
    assert list(too_good(matrix, ["constant", "told"], GENRES)) == ["told"]
