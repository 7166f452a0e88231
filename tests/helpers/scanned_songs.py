"""Small FLAC files, and their rows in a table of scanned songs."""

import os

import numpy as np
import soundfile as sf

from genrenet.library.genre_tags import write_genre
from genrenet.utils.errors import printable
from genrenet.utils.file_stamp import FileStamp


def add_song(path, genre=None):
    sf.write(os.fsencode(path), np.zeros(800, np.float32), 8000, format="FLAC")
    if genre:
        write_genre(str(path), genre)


def row(path, genre="rock", confidence=0.9, **more):
    song = {"path": printable(path), "genre": genre, "confidence": confidence, "score_rock": 0.9}
    return {**song, **FileStamp.now(os.fspath(path), sampled=True)._asdict(), **more}
