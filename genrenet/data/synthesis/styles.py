"""Eight genres as data, and the voices that play them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genrenet.utils.errors import GenrenetError

LEAST = {"seconds": 0.1, "sample_rate": 8000, "artists": 1, "songs": 1}


class SynthesisError(GenrenetError):
    """A corpus cannot be made as requested: unknown genre, number out of range, folder in use."""


@dataclass(frozen=True)
class Voice:
    """A timbre. The meaning of `shape` depends on `kind`.

    "additive": levels of the harmonics; "fm" (Chowning 1973): frequency ratio and index; "pluck"
    (Karplus & Strong 1983): nothing; "drum": level, final frequency and fall in octaves of a sine,
    then the edges in Hz of a band of noise whose level is `breath`.
    """

    kind: str
    attack: float  # seconds to full level
    decay: float  # seconds to 1/e ("pluck": half-life of the slowest partial)
    shape: tuple[float, ...] = ()
    breath: float = 0.0  # level of noise in it
    damping: float = 0.0  # "additive": 1/s of further decay per harmonic, a closing filter
    detune: float = 0.0  # "additive": cents between two copies, as of two players


@dataclass(frozen=True)
class Part:
    """The part of one player: `role` is "bass", "chord", "arpeggio", "tune" or "drum"."""

    role: str
    voices: str  # names in VOICES; every artist has a favourite
    patterns: str  # a song keeps to one of them, but a tune changes with every bar of a phrase
    low: int  # lowest pitch of the register
    hold: float  # beats that a note sounds
    level: float = 1.0
    always: bool = True  # otherwise silent in a quarter of its sections of four bars


@dataclass(frozen=True)
class GenreStyle:
    """A genre as data."""

    tempo: tuple[float, float]  # beats per minute, slowest and fastest
    beats: int  # in a bar
    scale: tuple[int, ...]  # semitones above the tonic; chords are stacks of its thirds
    tune_scale: tuple[int, ...]
    chords: tuple[str, ...]  # progressions: a scale degree from 0 for every bar
    parts: tuple[Part, ...]
    drums: tuple[tuple[str, str, float], ...]  # name in VOICES, pattern, level
    swing: float = 0.5  # where in a beat its second half begins: 0.67 would be triplets
    loose: float = 0.008  # seconds, standard deviation of the players' timing


_SAW = tuple(1 / k for k in range(1, 17))
_PULSE = tuple(math.sin(k * math.pi / 4) / k for k in range(1, 16))  # up a quarter of the time
VOICES: dict[str, Voice] = {
    "pad": Voice("additive", 0.7, 12, (1, 0.5, 0.35, 0.2, 0.12, 0.08), detune=9),
    "strings": Voice("additive", 0.1, 6, _SAW[:10], 0.01, detune=7),
    "organ": Voice("additive", 0.01, 20, (1, 0.8, 0.5, 0.5, 0, 0.3, 0, 0.25)),
    "reed": Voice("additive", 0.03, 10, (1, 0.7, 0.6, 0.35, 0.3, 0.2, 0.12), 0.01, detune=14),
    "flute": Voice("additive", 0.05, 6, (1, 0.35, 0.12, 0.05), 0.06),
    "piano": Voice("additive", 0.004, 0.9, (1, 0.7, 0.5, 0.35, 0.25, 0.2, 0.1, 0.1), damping=0.9),
    "mellow": Voice("additive", 0.008, 0.8, (1, 0.5, 0.25, 0.1), damping=1.5),
    "acid": Voice("additive", 0.003, 0.5, _SAW, damping=2.5),
    "saw": Voice("additive", 0.004, 2, _SAW[:12], damping=0.4, detune=12),
    "square": Voice("additive", 0.002, 1.5, tuple(k % 2 / k for k in range(1, 16))),
    "pulse": Voice("additive", 0.002, 1, _PULSE),
    "bell": Voice("fm", 0.003, 1.2, (3.5, 2.0)),
    "glass": Voice("fm", 0.4, 5, (2.0, 1.0)),
    "brass": Voice("fm", 0.04, 3, (1.0, 3.0)),
    "tuba": Voice("fm", 0.03, 1.5, (1.0, 1.5)),
    "guitar": Voice("pluck", 0.001, 1.2),
    "nylon": Voice("pluck", 0.004, 0.5),
    "kick": Voice("drum", 0.001, 0.14, (1, 48, 2, 500, 4000), 0.05),
    "bass drum": Voice("drum", 0.001, 0.18, (1, 62, 0.4, 60, 600), 0.1),
    "snare": Voice("drum", 0.001, 0.08, (0.4, 180, 0.3, 300, 9000), 0.7),
    "rim": Voice("drum", 0.001, 0.02, (0.5, 420, 0.1, 1200, 5000), 0.5),
    "brush": Voice("drum", 0.02, 0.07, (0, 0, 0, 1500, 9000), 1),
    "clap": Voice("drum", 0.004, 0.09, (0, 0, 0, 800, 5000), 1),
    "hat": Voice("drum", 0.001, 0.03, (0, 0, 0, 5500, 11_000), 1),
    "open hat": Voice("drum", 0.001, 0.11, (0, 0, 0, 5000, 11_000), 1),
    "chip": Voice("drum", 0.001, 0.03, (0, 0, 0, 1000, 10_500), 1),
    "wash": Voice("drum", 1.0, 2.0, (0, 0, 0, 200, 2500), 1),
}

_MAJOR, _LYDIAN, _MIXED = (0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 6, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10)
_MINOR, _DORIAN = (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10)
_FIVE, _BLUE = (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10)
# fmt: off
STYLES: dict[str, GenreStyle] = {
    "ambient": GenreStyle((58, 96), 4, _LYDIAN, _FIVE, ("0140", "0514", "0021"), (
        Part("chord", "pad, glass, strings, organ", "x... x.o.", 52, 4.4),
        Part("tune", "bell, flute, piano, nylon", "x....... ..x...o. x..o", 67, 2.5, 0.6, False),
        Part("bass", "pad, organ", "x...", 36, 4.2, 0.7, False),
    ), (("wash", "x...", 0.25), ("rim", "...o....", 0.15)), loose=0.03),
    "blues": GenreStyle((72, 126), 4, _MIXED, _BLUE, ("000033004304", "030033004300"), (
        Part("arpeggio", "mellow, nylon, tuba", "x..x..x..x.. x.ox..x.ox..", 38, 0.9),
        Part("chord", "piano, organ, guitar", "..o..x..o..x x.o...x.o...", 53, 0.5, 0.6, False),
        Part("tune", "guitar, reed, brass", "x.ox..o..... x..x.ox.....", 60, 0.8, 0.9, False),
    ), (("hat", "x.ox.ox.ox.o", 0.5), ("snare", ".x.x", 0.5), ("kick", "x.....x..o..", 0.7))),
    "chiptune": GenreStyle((112, 168), 4, _MAJOR, _MAJOR, ("0453", "5304", "0344"), (
        Part("arpeggio", "square, pulse", "xoxoxoxoxoxoxoxo xooxooxooxooxoxo", 60, 0.22, 0.6),
        Part("tune", "pulse, square, saw", "x.x.o.x. x...x.o. x..o....", 67, 0.5, 0.8, False),
        Part("bass", "square, acid", "x.xxo.ox x.x.x.o.", 36, 0.3, 0.8),
    ), (("chip", "..o.x.o...o.x.oo", 0.5), ("kick", "x.......x.x.....", 0.5)), loose=0.0),
    "folk": GenreStyle((84, 136), 4, _MAJOR, _FIVE, ("0304", "0453", "0034"), (
        Part("chord", "guitar, nylon, piano", "x.xoox.o x.o.xoxo x.xo.oxo", 52, 1.2),
        Part("tune", "flute, reed, strings, piano", "x.o.x.oo x..ox.o. xoox", 67, 0.8, 0.6, False),
        Part("bass", "nylon, mellow", "x...o... x...o.o.", 40, 1.0, 0.7, False),
    ), (("brush", "..x...x.", 0.25),), swing=0.54, loose=0.014),
    "march": GenreStyle((100, 132), 2, _MAJOR, _MAJOR, ("00444400", "0340", "0514"), (
        Part("bass", "tuba, mellow", "x...o...", 36, 0.6),
        Part("chord", "brass, reed, strings", "..x...x. ..x...xo", 55, 0.35, 0.6),
        Part("tune", "brass, flute, reed, strings", "x..ox... xoxo x.....o.", 67, 0.7, 0.9, False),
    ), (("snare", "x.oox.oo", 0.4), ("bass drum", "x...o...", 0.7))),
    "reggae": GenreStyle((68, 98), 4, _DORIAN, _DORIAN, ("0303", "0656", "0034"), (
        Part("chord", "organ, guitar, piano", "..x...x...x...x. ..xo..x...xo..x.", 57, 0.25),
        Part("bass", "mellow, acid", "x.....x.x..o.... ....x.x.o...x..x", 33, 0.7, 1.2),
        Part("tune", "organ, brass, flute", "x.o.x... ..x.ox.. x.......", 62, 0.8, 0.6, False),
    ), (("kick", "..x.", 0.9), ("rim", "....x..o", 0.6), ("hat", "xoxoxoxo", 0.3)), swing=0.55),
    "techno": GenreStyle((116, 142), 4, _MINOR, _MINOR, ("0000", "0056", "0006"), (
        Part("bass", "acid, mellow, square", "..x...x...x...xo x.xx.xx.x.xx.xxo", 33, 0.25),
        Part("chord", "saw, pad, organ", "...x..x....x..x. .x.x..x. x", 57, 0.4, 0.5, False),
        Part("arpeggio", "pulse, bell, acid", "xxoxxoxo x..x..x..x..x.x.", 64, 0.25, 0.4, False),
    ), (("kick", "xxxx", 1.1), ("open hat", ".x.x.x.x", 0.4), ("clap", ".x.x", 0.4)), loose=0.0),
    "waltz": GenreStyle((132, 186), 3, _MAJOR, _MAJOR, ("0044", "0514", "0340"), (
        Part("bass", "strings, mellow, nylon", "x..", 38, 1.0),
        Part("chord", "strings, reed, piano, guitar", ".xx .xo", 55, 0.6, 0.6),
        Part("tune", "strings, flute, piano, reed", "x...o. x.. xoo x..oo.", 65, 1.4, 0.9, False),
    ), (("brush", ".xx", 0.15),), loose=0.012),
}
# fmt: on
GENRES: tuple[str, ...] = tuple(STYLES)


def check(genres: Sequence[str], **numbers: float) -> None:
    """Raise an error for unknown genres, and numbers out of range."""
    for genre in genres:
        if genre not in STYLES:
            wanted = "one of " + ", ".join(GENRES)
            raise SynthesisError("no such genre to synthesise", found=repr(genre), wanted=wanted)
    for name, value in numbers.items():
        least = LEAST.get(name, 0)
        if not least <= value < math.inf:
            wanted = f"a number of at least {least}"
            raise SynthesisError(f"{name} is out of range", found=f"{value}", wanted=wanted)
