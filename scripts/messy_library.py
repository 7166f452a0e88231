#!/usr/bin/env python3
"""Make a realistic library: many formats, odd names, duplicates, and many files without music.

    python scripts/messy_library.py --music ../shared/data/emotify --out /tmp/library --songs 2000

The songs of ``--music`` (a folder, optionally with a ``tracks.csv`` of artists, albums and titles)
are encoded in ten formats and tagged; links to them, with other names in other folders, make up the
number of songs. FFmpeg is needed, and espeak-ng for podcasts with speech.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FORMATS = {
    "mp3": ["-c:a", "libmp3lame", "-q:a", "4"],
    "ogg": ["-c:a", "libvorbis", "-q:a", "3"],
    "flac": ["-c:a", "flac"],
    "m4a": ["-c:a", "aac", "-b:a", "128k"],
    "opus": ["-c:a", "libopus", "-b:a", "96k"],
    "wav": ["-c:a", "pcm_s16le"],
    "aiff": ["-c:a", "pcm_s16be", "-write_id3v2", "1"],
    "wma": ["-c:a", "wmav2", "-b:a", "128k"],
    "wv": ["-c:a", "wavpack"],
    "tta": ["-c:a", "tta"],
}
GENRES = (None, None, "Other", "Unknown", "Rock", "Indie Rock", "Baroque", "(255)", "Misc", "Pop")
"""Genre tags of the files, in turn."""

ODD = (
    "{title}",
    "{number:02d} - {title}",
    "{artist} - {title}",
    "Track {number:02d}",
    "{title} (live)  ",
    "#{number} {title}",
    "{title} 100% %41",
    "-{title}",
    "“{title}” \u2013 Ünïcödé ☃",
    "e\u0301te\u0301 {title}",
    '{title}\'s "best" & [more]; $HOME `x`',
    "{title}\nsecond line",
    ("x" * 180) + " {number}",
)
"""Names of files; those after the first four are used for one song in twenty."""

_PLAIN, _RARE = 4, 20


def main() -> int:
    """Make the library, and print its content."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--music", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument("--songs", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--encoded", type=int, default=300, help="different files, at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of songs, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg is needed, and is not installed")
    options.out.mkdir(parents=True)
    rng = random.Random(options.seed)
    tracks = list(_tracks(options.music))
    rng.shuffle(tracks)
    tracks = tracks[: options.encoded]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = list(
            pool.map(
                lambda pair: _encode(options.out, pair[0], pair[1], options.seconds),
                enumerate(tracks),
            )
        )
    for number in range(len(files), options.songs):
        _link(options.out, number, files[number % len(files)], tracks[number % len(tracks)], rng)
    clutter = _clutter(options.out, files)
    print(f"{options.out}: {max(len(files), options.songs)} songs, {len(files)} of them encoded")
    print(f"{clutter} other files: hidden, pictures, damaged, silent, spoken")
    return 0


def _tracks(folder: Path) -> Iterator[dict[str, str]]:
    """Yield path, artist, album and title of songs."""
    table = folder / "tracks.csv"
    if table.is_file():
        with open(table, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield {**row, "path": os.fspath(folder / row["path"])}
        return
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower().lstrip(".") in FORMATS:
            yield {"path": os.fspath(path), "artist": path.parent.name, "title": path.stem}


def _encode(out: Path, number: int, track: dict[str, str], seconds: float) -> Path:
    """Encode a song as ``Artist/Album/NN Title.suffix``."""
    suffix = [*FORMATS][number % len(FORMATS)]
    artist, album = _plain(track.get("artist", "")), _plain(track.get("album", ""))
    folder = out / (artist or "Unknown Artist") / (album or "Unknown Album")
    folder.mkdir(parents=True, exist_ok=True)
    title = _plain(track.get("title", "")) or f"Song {number}"
    file = folder / f"{number % 20 + 1:02d} {title}.{suffix}"
    tags = {name: track.get(name, "") for name in ("artist", "album", "title")}
    genre = GENRES[number // len(FORMATS) % len(GENRES)]
    if genre is not None:
        tags["genre"] = genre
    if number % 7 == 0:
        tags = {}
    pairs = [part for name, text in tags.items() for part in ("-metadata", f"{name}={text}")]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", track["path"], "-t", str(seconds)]
    command += ["-map", "0:a", "-map_metadata", "-1", *pairs, *FORMATS[suffix], os.fspath(file)]
    subprocess.run(command, check=True)
    return file


def _link(out: Path, number: int, file: Path, track: dict[str, str], rng: random.Random) -> None:
    """Link a song under another name elsewhere: the same bytes, as in a duplicate album."""
    folder = out / rng.choice(["Compilations", "new", "Backup/old disk", "2019/07", "CDs/CD 1"])
    folder /= f"{number // 50:03d}"
    folder.mkdir(parents=True, exist_ok=True)
    pattern = rng.choice(ODD if rng.randrange(_RARE) == 0 else ODD[:_PLAIN])
    name = pattern.format(
        number=number,
        title=_plain(track.get("title", "")) or "song",
        artist=_plain(track.get("artist", "")) or "somebody",
    )
    name = name.encode()[:200].decode(errors="ignore")
    link = folder / f"{name}{file.suffix}"
    if os.path.lexists(link):
        link = folder / f"{number} {name}"[:180]
        link = link.with_name(link.name + file.suffix)
    if rng.randrange(10):
        os.link(file, link)
    else:
        link.symlink_to(os.path.relpath(file, folder))


def _clutter(out: Path, files: list[Path]) -> int:
    """Add files that are not songs, and return their number."""
    made = 0
    for folder in sorted({file.parent for file in files})[::3]:
        for name, content in {
            "cover.jpg": b"\xff\xd8\xff\xe0 no picture",
            ".DS_Store": b"\0" * 100,
            "Thumbs.db": b"\0" * 100,
            "._01 Track.mp3": b"\0\5\x16\7" + b"\0" * 78,
            "notes.txt": b"bought in 1998",
        }.items():
            (folder / name).write_bytes(content)
            made += 1
    odd = out / "odd"
    odd.mkdir()
    (odd / "only text.mp3").write_text("this is no sound")
    (odd / "empty.flac").touch()
    whole = files[0].read_bytes()
    (odd / f"half copied{files[0].suffix}").write_bytes(whole[: len(whole) // 2])
    (odd / "broken link.mp3").symlink_to("nowhere.mp3")
    (odd / "loop").symlink_to("..")
    (odd / "song.mp3.part").write_bytes(whole[:5000])
    made += 6
    silence = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "anullsrc=r=44100:cl=stereo",
    ]
    subprocess.run([*silence, "-t", "40", os.fspath(odd / "silence.mp3")], check=True)
    tone = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=440:duration=40"]
    subprocess.run([*tone, os.fspath(odd / "test tone.ogg")], check=True)
    made += 2
    if shutil.which("espeak-ng"):
        podcasts = out / "Podcasts" / "Talking"
        podcasts.mkdir(parents=True)
        text = " ".join(["Welcome to this programme about gardens, weather and trains."] * 40)
        for number in range(1, 6):
            speech = podcasts / f"episode {number}.wav"
            subprocess.run(
                ["espeak-ng", "-s", str(120 + 10 * number), "-w", speech, text], check=True
            )
            made += 1
    return made


def _plain(text: str) -> str:
    """Return a text as a valid file name."""
    return "".join("_" if letter in '/\\:*?"<>|\0' else letter for letter in text).strip(" .")[:80]


if __name__ == "__main__":
    sys.exit(main())
