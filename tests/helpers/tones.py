"""Short sounds made from sines, at the sample rate of the models."""

import numpy as np

RATE = 12_000
"""Sample rate in Hz."""


def tone(hz: float, seconds: float, *, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Return a sine in a little noise; another seed has another phase and noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
    return (wave + 0.02 * rng.standard_normal(len(time))).astype(np.float32)
