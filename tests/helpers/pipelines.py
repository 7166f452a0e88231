"""Plans of a pipeline, and work whose rows identify the frames."""

import soundfile
import torch

from genrenet.data.frames import FrameSettings
from genrenet.inference.pipeline import Plan
from genrenet.inference.song_reader import SongFrames
from tests.helpers.tones import RATE

SETTINGS = FrameSettings(1.5, 0.0, RATE)
TINY = FrameSettings(0.5, 0.0, RATE)
ONE = Plan(1, 1, 1, 1, together=False)
PLANS = {
    "one": ONE,
    "few": Plan(2, 2, 1, 3, together=False),
    "many": Plan(5, 4, 1, 2, together=False),
    "card": Plan(3, 1, 2, 4, together=True),
    "wide card": Plan(2, 1, 1, 32, together=True),
}


def songs_of(paths, how, settings=TINY):
    return [SongFrames(path, settings, how.piece_frames) for path in paths]


def loudness(frames):
    """A network of which every row is known: the frame's first samples, and its power."""
    return torch.cat([frames[:, :3], frames.square().sum(dim=1, keepdim=True)], dim=1)


def known(path):
    wave = soundfile.read(path, dtype="float32")[0]
    return loudness(torch.from_numpy(wave.reshape(-1, TINY.n_samples)))
