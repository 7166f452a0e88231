"""Common parts of the tests of collections: small files and short views of a catalog."""

import os

import mutagen.flac
import numpy as np
import soundfile

RATE = 8000


def song(path, seconds=0.25, value=None, seed=0):
    """Write a little noise (or a constant) as WAV, FLAC or AU; the suffix decides."""
    path = os.fspath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * RATE))
    if value is not None:
        samples[:] = value
    suffix = os.path.splitext(path)[1].lower()
    # Through a file object: the format is given, and any bytes may be in the name.
    with open(path, "wb") as file:
        form = {".wav": "WAV", ".flac": "FLAC", ".au": "AU"}.get(suffix, "WAV")
        soundfile.write(file, samples.astype(np.float32), RATE, format=form)
    return path


def tagged(path, **tags):
    file = mutagen.flac.FLAC(song(path))
    for name, value in tags.items():
        file[name] = value
    file.save()


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def kinds(catalog):
    return [problem.kind for problem in catalog.problems]


def ids(catalog):
    return catalog.table["track_id"].tolist()


def two_genres(root):
    """A folder of two genres with three songs each."""
    for genre in ("blues", "metal"):
        for number in range(3):
            song(root / genre / f"{number}.wav", seed=number)
    return root
