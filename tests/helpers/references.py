"""Clips for comparing features, and the reference that needs a special import."""

from __future__ import annotations

import functools
import warnings
from types import ModuleType

import numpy as np
import pytest

from genrenet import audio
from genrenet.data.synthesis import GENRES, synthesise_song
from tests.helpers.shared_music import shared_data_folder
from tests.helpers.tones import tone

RATE = 22_050
CLIPS = ("blues", "metal", "pop", "mp3", "chord", "song")


@functools.cache
def clip(name: str) -> np.ndarray:
    """Samples of a clip at 22,050 Hz, float32; real music skips where there is none."""
    if name == "chord":
        return tone(220.0, 3.0, rate=RATE) + 0.5 * tone(1318.5, 3.0, seed=1, rate=RATE)
    if name == "song":
        return synthesise_song(GENRES[0], 0, 0, 6.0, RATE)
    shared_data = shared_data_folder()
    if not shared_data.is_dir():
        pytest.skip(f"no music in {shared_data} (set GENRENET_TEST_DATA)")
    if name == "mp3":
        return audio.load(shared_data / "clips" / "bensound-dubstep.mp3", RATE, 5.0, 10.0)
    folder = shared_data / "gtzan-excerpts" / "genres" / name
    return audio.load(min(folder.glob("*.wav")), RATE)


@functools.cache
def py_audio_analysis() -> tuple[ModuleType, ModuleType]:
    """Its short-term and mid-term modules, whose imports warn of what Python has dropped since."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            pytest.importorskip("pyAudioAnalysis.ShortTermFeatures"),
            pytest.importorskip("pyAudioAnalysis.MidTermFeatures"),
        )
