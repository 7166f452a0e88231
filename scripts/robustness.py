"""Robustness of accuracy for short, quiet and out-of-phase songs, and songs followed by silence.

Songs are changed, written as files and scored like any file, each by a model that was not trained
on songs of its artist. The result is the ratio to the accuracy on the unchanged songs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from genrenet import audio
from genrenet.audio.deforming import Deformation

Wave = NDArray[np.float32]

PER_GENRE = 12
"""Number of songs of each genre that are changed."""


CHANGES: dict[str, Callable[[Wave, int], Wave]] = {
    "unchanged": lambda wave, rate: wave,
    "5 s from the middle": Deformation.of("crop:5s").apply,
    "30 dB quieter": Deformation.of("gain:-30dB").apply,
    "channels out of phase": lambda wave, rate: np.stack([wave, -wave], axis=1),
    "followed by 180 s of zeros": lambda wave, rate: np.append(wave, np.zeros(180 * rate, "f4")),
    "an offset of 0.2": lambda wave, rate: wave + np.float32(0.2),
    "in the scale of 16 bits": lambda wave, rate: wave * np.float32(32768),
}
"""Changes of a mono song at its own rate."""


def sample(table: pd.DataFrame) -> NDArray[np.int64]:
    """Rows of `PER_GENRE` songs of each genre, evenly spread over the table."""
    rows = []
    for _, songs in table.reset_index(drop=True).groupby("genre"):
        rows += list(songs.index[np.linspace(0, len(songs) - 1, PER_GENRE).round().astype(int)])
    return np.array(sorted(rows))


def robustness(
    table: pd.DataFrame,
    decide: Callable[[int, list[str]], Sequence[str | None]],
    test_fold: NDArray[np.int64],
    changes: Sequence[str] = tuple(CHANGES),
) -> dict[str, dict[str, float]]:
    """Return accuracies on changed songs.

    Parameters
    ----------
    table : pandas.DataFrame
        With `path` and `genre`.
    decide : callable
        Function of the number of a fold and of paths of songs outside its training set that returns
        their genres.
    test_fold : ndarray of int, shape (songs,)
        The fold that each song is tested in.
    changes : sequence of str
        Some of `CHANGES`, including ``unchanged``.

    Returns
    -------
    dict
        By change: ``accuracy``, ``share`` (of the unchanged accuracy) and ``same`` (share of
        predictions equal to the unchanged ones).
    """
    rows = sample(table)
    genres = table["genre"].to_numpy()[rows]
    found: dict[str, NDArray[Any]] = {}
    for change in changes:
        said = np.full(len(rows), None, dtype=object)
        for fold in np.unique(test_fold[rows]):
            mine = np.flatnonzero(test_fold[rows] == fold)
            with tempfile.TemporaryDirectory() as folder:
                paths = [_written(table["path"].iloc[rows[i]], change, folder) for i in mine]
                said[mine] = decide(int(fold), paths)
        found[change] = said
        print(f"{change}: {np.mean(said == genres):.3f}", flush=True)
    usual = found["unchanged"]
    accuracy = float(np.mean(usual == genres))
    return {
        change: {
            "accuracy": float(np.mean(said == genres)),
            "share": float(np.mean(said == genres)) / accuracy,
            "same": float(np.mean(said == usual)),
        }
        for change, said in found.items()
    }


def _written(path: str, change: str, folder: str) -> str:
    rate = audio.probe(path).sample_rate
    file = str(Path(folder) / f"{Path(path).stem}.wav")
    soundfile.write(file, CHANGES[change](audio.load(path, None), rate), rate, subtype="FLOAT")
    return file


def robustness_section(result: Mapping[str, Mapping[str, float]]) -> str:
    """Return the text of a card's section from the result of `robustness`."""
    rows = "".join(
        f"| {change} | {row['accuracy']:.2f} | {row['share']:.2f} | {row['same']:.2f} |\n"
        for change, row in result.items()
    )
    n = 4 * PER_GENRE
    return (
        f"{n} of the songs ({PER_GENRE} per genre), each changed and then classified by the model "
        f"that was not trained on its artist. With {n} songs, differences under 0.1 mean little."
        "\n\n| song | accuracy | relative to unchanged | same prediction as unchanged |\n"
        f"|---|---|---|---|\n{rows}"
    )
