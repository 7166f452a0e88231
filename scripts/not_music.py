"""Synthesise sounds that are not music: noise, tones, hum, clicks, and speech by espeak-ng.

`train_genres.py` trains on some kinds and voices, and is tested on others.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import chirp, lfilter

RATE = 22_050
VOICES = {
    "train": ("en", "en-us+f3", "de", "fr+f2", "es+m3", "it", "pt+f4", "nl+m5", "pl", "sv+f1"),
    "test": ("en+m7", "en-us+f5", "de+f4", "fr", "cs", "fi+m2"),
}
TEXTS = (
    "The train to the coast leaves at seven from platform four, and stops at every village.",
    "Mix the flour with two eggs, add the milk slowly, and leave the dough to rest for an hour.",
    "Measurements were taken every ten minutes for three days, indoors and outdoors alike.",
    "Please hold the line, your call will be answered by the next person who is free.",
    "In the north it stays cloudy with some rain, while the south has sun until the evening.",
)


def coloured_noise(n: int, power: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls with the given power of the frequency: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.maximum(1.0, np.arange(len(spectrum))) ** (power / 2)
    found = np.fft.irfft(spectrum, n)
    return found / np.abs(found).max()


def sounds(part: str, seconds: float, seed: int) -> dict[str, NDArray[np.float64]]:
    """Sounds by name, with a peak of 1; ``test`` has other frequencies and kinds."""
    rng, n = np.random.default_rng(seed), round(seconds * RATE)
    t = np.arange(n) / RATE
    test = part == "test"
    found = {}
    for hz in (440.0, 1000.0, 150.0) if test else (60, 110, 233, 330, 523, 784, 1480, 3000, 6000):
        found[f"sine-{hz:g}"] = np.sin(2 * np.pi * hz * t)
    for power in (0.0, 1.0) if test else (-0.5, 0.3, 0.7, 1.3, 1.7, 2.0):
        found[f"noise-{power:g}"] = coloured_noise(n, power, rng)
    for hz in (50,) if test else (60, 100, 120):
        found[f"hum-{hz}"] = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 12))
    for rate in (2,) if test else (1, 4, 9):
        clicks = (np.arange(n) % (RATE // rate) < 30).astype(float)
        found[f"clicks-{rate}"] = lfilter([1.0], [1.0, -0.9], clicks)
    ends = ((100, 5000),) if test else ((50, 8000), (3000, 200), (400, 900))
    for first, last in ends:
        found[f"sweep-{first}-{last}"] = chirp(t, first, seconds, last, method="logarithmic")
    bursts = coloured_noise(n, 1.0, rng) * (np.sin(2 * np.pi * (0.7 if test else 1.3) * t) > 0)
    found["bursts"] = bursts
    tremolo = np.sin(2 * np.pi * (880 if test else 500) * t) * (1 + np.sin(2 * np.pi * 6 * t)) / 2
    found["tremolo"] = tremolo
    return {name: wave / np.abs(wave).max() for name, wave in found.items()}


def write_sounds(folder: Path, part: str, seconds: float, seed: int) -> list[Path]:
    """Write sounds and speech as WAV files of varied loudness; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, paths = np.random.default_rng(seed), []
    for name, wave in sounds(part, seconds, seed).items():
        path = folder / f"{name}.wav"
        soundfile.write(path, wave * 10 ** (-rng.uniform(3, 25) / 20), RATE)
        paths.append(path)
    for number, voice in enumerate(VOICES[part]):
        path = folder / f"speech-{voice}.wav"
        words = " ".join(np.roll(TEXTS, number)) * 2
        subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), words], check=True)
        speech, rate = soundfile.read(path)
        begin = round(rng.uniform(0, 3) * rate)
        soundfile.write(path, speech[begin : begin + round(seconds * rate)], rate)
        paths.append(path)
    return paths
