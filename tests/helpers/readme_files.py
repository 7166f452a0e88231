"""The files in the README's commands."""

import shutil

import numpy as np
import soundfile

from tests.helpers.small_training import TINY
from tests.helpers.tones import RATE, tone


def write_readme_files(music, folder):
    """A folder with what the README's commands name."""
    shutil.copytree(music, folder / "Music")
    soundfile.write(folder / "song.mp3", tone(900, 4, seed=7), RATE, format="MP3")
    mix = np.concatenate([tone(hz, 30, seed=1) for hz in (150, 4000)])
    soundfile.write(folder / "mix.ogg", mix, RATE)
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "old.m3u8").write_text("#EXTM3U\nMusic/bass/bass-0.wav\n")
    users = ("anna", "ben", "cid")
    rows = [(user, n * k % 11, n + 1) for k, user in enumerate(users, 1) for n in range(6)]
    plays = [f"{user},song{item},{count}" for user, item, count in rows]
    (folder / "plays.csv").write_text("\n".join(["user,item,plays", *plays]) + "\n")
