"""The default model's invariance to level, offset, phase, and what follows the song."""

import numpy as np
import pytest
import soundfile

from genrenet import audio
from genrenet.inference.classify import open_method, score_songs

RATE = 22_050


@pytest.fixture(scope="module")
def model():
    return open_method("emotify-cnn", "cpu", "32")


@pytest.fixture(scope="module")
def song(shared_data):
    """A minute of a song, and the song's file."""
    return audio.load(sorted((shared_data / "whole-songs").glob("*.mp3"))[0], RATE, 30.0, 60.0)


def scored(model, path, wave, **settings):
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    (found,) = score_songs([str(path)], model, trim=0.0, **settings)
    assert found.error is None
    return found


CHANGES = {
    "quiet": lambda wave: wave * np.float32(0.01),
    "16-bit scale": lambda wave: wave * np.float32(32_768),
    "offset": lambda wave: wave + np.float32(0.2),
    "zeros behind": lambda wave: np.append(wave, np.zeros(180 * RATE, np.float32)),
    "offset behind": lambda wave: np.append(wave, np.full(180 * RATE, 0.2, np.float32)),
    "zeros in front": lambda wave: np.append(np.zeros(60 * RATE, np.float32), wave),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_answer_is_that_of_the_song(change, model, song, tmp_path):
    wanted = scored(model, tmp_path / "song.wav", song, frames="all")
    found = scored(model, tmp_path / "changed.wav", change(song), frames="all")
    # A block of silence before the first sound shifts the frames by less than half a second.
    assert found.scores == pytest.approx(wanted.scores, abs=0.05)
    assert found.genre == wanted.genre
    for frames, count in ((None, 5), (3, 3)):
        few = scored(model, tmp_path / "changed.wav", change(song), frames=frames)
        assert few.frames == count
        assert few.genre == wanted.genre


@pytest.mark.parametrize("seconds", [3.0, 5.0])
def test_short_sound_is_not_padded(seconds, model, song, tmp_path):
    short = song[: round(seconds * RATE)]
    found = scored(model, tmp_path / "short.wav", short)
    tiled = scored(model, tmp_path / "tiled.wav", np.tile(short, 4)[: round(7.28 * RATE)])
    assert found.frames == 1
    assert found.scores == pytest.approx(tiled.scores, abs=0.05)
