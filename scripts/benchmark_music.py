"""Music for benchmarks: songs of a folder, or synthesised ones, and one song of any length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

RATE = 22_050


def songs(
    folder: Path | None,
    count: int,
    temporary: Path,
    *,
    mp3s: int | None = None,
    seconds: float = 60.0,
) -> list[str]:
    """Return some songs, first MP3s, then others, evenly picked.

    Parameters
    ----------
    folder : path, optional
        Where songs are searched, at any depth; without it songs are synthesised, every other one an
        MP3, the rest Ogg Vorbis.
    count : int > 0
        Number of songs, if there are enough.
    temporary : path
        Folder for synthesised songs.
    mp3s : int, optional
        Maximum number of MP3s from a folder; no limit by default.
    seconds : float > 0
        Length of synthesised songs.

    Returns
    -------
    list of str
    """
    from genrenet import audio

    if folder is None:
        return [_synthesised(temporary, number, seconds) for number in range(count)]
    paths = sorted(str(path) for path in folder.rglob("*") if audio.is_audio_path(path))
    chosen = evenly([path for path in paths if is_mp3(path)], count if mp3s is None else mp3s)
    others = [path for path in paths if not is_mp3(path)]
    return sorted(chosen + evenly(others, count - len(chosen)))


def is_mp3(path: str) -> bool:
    """Return whether a path has the suffix of an MP3."""
    return path.lower().endswith(".mp3")


def evenly(items: Sequence[str], count: int) -> list[str]:
    """Return at most ``count`` of some items, evenly picked."""
    count = min(count, len(items))
    return [items[i] for i in np.linspace(0, len(items) - 1, count).astype(int)] if count else []


def _synthesised(folder: Path, number: int, seconds: float) -> str:
    import soundfile

    from genrenet.data.synthesis import GENRES, synthesise_song

    path = folder / f"song-{number:04d}.{'ogg' if number % 2 else 'mp3'}"
    if not path.exists():
        song = synthesise_song(GENRES[number % len(GENRES)], number, 0, seconds, RATE)
        # Vorbis is written in small blocks: libsndfile's encoder overflows its stack on large ones.
        with soundfile.SoundFile(path, "w", RATE, 1) as file:
            for start in range(0, len(song), RATE):
                file.write(song[start : start + RATE])
    return str(path)


def long_song(source: str, path: Path, seconds: float) -> Path:
    """Repeat an MP3, by copying its packets, up to a length.

    Parameters
    ----------
    source : str
        An MP3.
    path : path
        Target file.
    seconds : float > 0
        Length, to a packet.

    Returns
    -------
    path
    """
    import av

    with av.open(str(path), "w", format="mp3") as output:
        with av.open(source) as song:
            stream = output.add_stream_from_template(song.streams.audio[0])
        clock = 0
        end = clock + 1
        while clock < end:
            with av.open(source) as song:
                for packet in song.demux(audio=0):
                    base = packet.time_base
                    if packet.dts is None or base is None or not packet.duration:
                        continue  # the end of the file
                    end = round(seconds / base)
                    if clock >= end:
                        break
                    packet.pts = packet.dts = clock
                    clock += packet.duration
                    packet.stream = stream
                    output.mux(packet)
    return path
