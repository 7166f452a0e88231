"""Music made by code: a small, deterministic corpus for trying, testing and teaching the package.

Eight genres are described as *data* (`STYLES`): tempo, metre, scale, chords, swing, who plays what
pattern, drums; small functions turn a description into sound. Genres share voices and overlap in
tempo, while key, loudness, brightness, room and hiss belong to the *artist*: a model that leans on
those looks better on a random split than on an artist-disjoint one.

Conventions: pitches are MIDI note numbers (69 is 440 Hz). A pattern is one bar of any number of
steps: ``x`` an accent, ``o`` a soft stroke (the chord's fifth in a bass), ``.`` a rest.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import numpy.typing as npt
import platformdirs
import scipy.fft
import soundfile
from mutagen import MutagenError, flac

from genrenet.errors import GenrenetError, printable

Sound = npt.NDArray[np.float32]

_VERSION = 1  # raise it whenever a song would sound different: caches then start afresh
_MARKER = "corpus.json"
Progress = Callable[[int, int], None] | None
_ARTISTS, _DURATIONS = 1000, 1001  # in a random seed, where a genre's index would stand
_LEAST = {"seconds": 0.1, "sample_rate": 8000, "artists": 1, "songs": 1}


class SynthesisError(GenrenetError):
    """A corpus cannot be made as asked: unknown genre, number out of range, folder in use."""


@dataclass(frozen=True)
class Voice:
    """A timbre. What `shape` holds depends on `kind`.

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
    """What one player does: `role` is "bass", "chord", "arpeggio", "tune" or "drum"."""

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


def _pluck(voice: Voice, hz: float, n: int, rate: int, rng: np.random.Generator) -> Sound:
    """Karplus & Strong (1983) in closed form: lap k is the burst through their loop k times."""
    period = max(round(rate / hz), 4)
    burst = np.fft.rfft(rng.uniform(-1, 1, period))
    burst[0] = 0
    # The loop averages two neighbours: a gain of cos(pi f) at f cycles per sample.
    loss = np.cos(np.pi * np.fft.rfftfreq(period)).clip(0) * 0.5 ** (1 / (hz * voice.decay))
    laps = np.arange(math.ceil(n * hz / rate) + 2)[:, None]
    wave = np.fft.irfft(burst * loss**laps, period).ravel()  # in tune only after interpolation
    at = np.arange(n) * (hz * period / rate)
    return np.asarray(np.interp(at, np.arange(wave.size), wave), "f4")


def _additive(voice: Voice, hz: float, t: Sound, rate: int) -> Sound:
    """Harmonics by sin((k+1)x) = 2 cos(x) sin(kx) - sin((k-1)x): two transcendentals in all."""
    wave = np.zeros_like(t)
    fade = np.exp(-voice.damping * t) if voice.damping else np.ones(1, "f4")
    for cents in sorted({-voice.detune / 2, voice.detune / 2}):
        f = hz * 2 ** (cents / 1200)
        x = np.float32(2 * np.pi * f) * t
        before, now, twice = np.zeros_like(t), np.sin(x), 2 * np.cos(x)
        level = fade
        for k, amplitude in enumerate(voice.shape, start=1):
            if k * f < 0.45 * rate:  # higher ones would alias
                wave += np.float32(amplitude) * level * now
            before, now = now, twice * now - before
            level = level * fade
    return wave


def _drum(voice: Voice, t: Sound, rate: int, rng: np.random.Generator) -> Sound:
    """A falling sine and a band of noise; every song tunes its drums anew."""
    tuning, (level, hz, fall, low, high) = rng.uniform(0.87, 1.15), voice.shape
    f = np.fft.rfftfreq(t.size, tuning / rate)
    band = 1 / (1 + (low / f.clip(1)) ** 4) / (1 + (f / high) ** 4)
    spectrum = scipy.fft.rfft(rng.standard_normal(t.size, dtype="f4"))
    noise = scipy.fft.irfft(spectrum * band, t.size)
    pitch = hz * tuning * 2 ** (fall * np.exp(-t / 0.03))
    wave = level * np.sin(np.cumsum(pitch) * (2 * np.pi / rate))
    return np.asarray(wave + voice.breath * noise / np.abs(noise).max(), "f4")


def _note(voice: Voice, pitch: int, seconds: float, rate: int, rng: np.random.Generator) -> Sound:
    """One stroke of a voice, peak 1."""
    hz = 440 * 2 ** ((pitch - 69) / 12)
    n = scipy.fft.next_fast_len(int(seconds * rate) + 8, real=True)
    t = np.arange(n, dtype="f4") / np.float32(rate)
    fade = np.exp(t / np.float32(-voice.decay))
    if voice.kind == "pluck":
        wave = _pluck(voice, hz, t.size, rate, rng)
    elif voice.kind == "fm":
        x, (ratio, index) = np.float32(2 * np.pi * hz) * t, voice.shape
        wave = fade * np.sin(x + index * fade * np.sin(ratio * x))
    elif voice.kind == "drum":
        wave = fade * _drum(voice, t, rate, rng)
    else:
        breath = np.float32(voice.breath) * rng.standard_normal(t.size, dtype="f4")
        wave = fade * _additive(voice, hz, t, rate) + breath
    rise, fall = t / np.float32(voice.attack), (t[-1] - t) / np.float32(0.15 * t[-1])
    wave *= np.minimum(np.minimum(rise, fall), 1)
    return np.asarray(wave / max(float(np.abs(wave).max()), 1e-9))


def _play(
    style: GenreStyle, part: Part, chords: Sequence[int], key: int, rng: np.random.Generator
) -> list[tuple[float, int, float]]:
    """What a part plays: (beats from the song's start, pitch, strength) per note."""
    patterns = part.patterns.split()
    # A tune is two phrases of four bars, A A B A: patterns and leaps recur, chords need not.
    choice, leaps = rng.integers(len(patterns), size=8), rng.normal(0, 3.5, (8, 16))
    gamut = [p for p in range(part.low, part.low + 18) if (p - key) % 12 in style.tune_scale]
    silent = rng.random(len(chords) // 4 + 1) < (0 if part.always else 0.25)
    notes, last = [], part.low + 7
    for bar, degree in enumerate(chords):
        if silent[bar // 4]:
            continue
        place = bar % 4 + 4 * (bar // 4 % 4 == 2) if part.role == "tune" else 0
        chord = [style.scale[(degree + third) % len(style.scale)] + key for third in (0, 2, 4)]
        tones = [part.low + (tone - part.low) % 12 for tone in chord]
        pattern = patterns[choice[place]]
        strokes = [step for step, mark in enumerate(pattern) if mark != "."]
        for i, step in enumerate(strokes):
            beat, rest = divmod(step * style.beats / len(pattern), 1)
            early, late = 2 * style.swing * rest, 1 - 2 * (1 - style.swing) * (1 - rest)
            at = bar * style.beats + beat + (early if rest < 0.5 else late)
            soft = pattern[step] == "o"
            force = (0.6 if soft else 1) * rng.uniform(0.8, 1)
            if part.role == "chord":
                notes += [(at, tone, force / 2) for tone in tones]
            elif part.role == "bass":
                notes.append((at, tones[2 * soft], max(force, 0.8)))
            elif part.role == "arpeggio":
                notes.append((at, tones[i % 3] + 12 * (i % 6 > 2), force))
            elif part.role == "drum":
                notes.append((at, part.low, force))
            else:  # a tune, whose bars begin on the chord
                fitting = [p for p in gamut if step or any((p - tone) % 12 == 0 for tone in chord)]
                aim = last + leaps[place, i]
                last = min(fitting or gamut, key=lambda p: abs(p - aim))
                notes.append((at, last, force))
    return notes


def _record(song: Sound, rate: int, artist: np.random.Generator, rng: np.random.Generator) -> Sound:
    """The artist's studio: brightness and reverberation in one product of spectra, hiss, level."""
    tilt, hiss = artist.uniform(-3.5, 2.5), artist.uniform(-65, -38)  # dB per octave, dB RMS
    wet, room = artist.uniform(0.02, 0.8), artist.uniform(0.05, 0.4)  # energy ratio, seconds to 1/e
    level = artist.uniform(-25, -14) + rng.normal(0, 1)  # dB RMS
    tail = np.arange(int(4 * room * rate), dtype="f4")
    echo = artist.standard_normal(tail.size, dtype="f4") * np.exp(tail / np.float32(-room * rate))
    echo *= np.float32(math.sqrt(wet / float(echo @ echo)))
    echo[0] = 1  # the direct sound
    size = scipy.fft.next_fast_len(song.size + tail.size, real=True)
    spectrum = scipy.fft.rfft(song, size) * scipy.fft.rfft(echo, size)
    octaves = np.log2(np.linspace(0, rate / 2, spectrum.size, dtype="f4").clip(60, 8000) / 1000)
    spectrum *= np.exp(octaves * np.float32(tilt * math.log(10) / 20))
    song = scipy.fft.irfft(spectrum, size)[: song.size]
    song /= max(float(np.sqrt(np.mean(song**2))), 1e-9)
    song += np.float32(10 ** (hiss / 20)) * rng.standard_normal(song.size, dtype="f4")
    return np.asarray(np.tanh(song * np.float32(10 ** (level / 20))))  # rounds peaks, clips none


def _check(genres: Sequence[str], **numbers: float) -> None:
    """Refuse unknown genres, and numbers beyond their limits."""
    for genre in genres:
        if genre not in STYLES:
            wanted = "one of " + ", ".join(GENRES)
            raise SynthesisError("no such genre to synthesise", found=repr(genre), wanted=wanted)
    for name, value in numbers.items():
        least = _LEAST.get(name, 0)
        if not least <= value < math.inf:
            wanted = f"a number of at least {least}"
            raise SynthesisError(f"{name} is out of range", found=f"{value}", wanted=wanted)


def synthesise_song(
    genre: str, artist: int, song: int, seconds: float = 30, sample_rate: int = 22050, seed: int = 0
) -> Sound:
    """Compose and render one song.

    Parameters
    ----------
    genre : str
        One of `GENRES`.
    artist, song : int >= 0 [scalar]
        Which artist's which song. Favoured key, tempo and voices, brightness, reverberation, hiss
        and loudness follow the artist, whatever the genre.
    seconds : float >= 0.1 [scalar]
        Duration. A longer song is another piece, not the same one played on.
    sample_rate : int >= 8000 [scalar]
        Samples per second.
    seed : int >= 0 [scalar]
        Another seed is another world of artists and songs.

    Returns
    -------
    np.ndarray [shape=(round(seconds * sample_rate),), dtype=float32]
        Mono, in [-1, 1]. The same arguments give the same samples on one machine; another's sines
        and transforms may differ in their last bits.

    Raises
    ------
    SynthesisError
        If the genre is unknown or a number is out of range.
    """
    _check([genre], artist=artist, song=song, seconds=seconds, sample_rate=sample_rate, seed=seed)
    style, rng = STYLES[genre], np.random.default_rng([seed, GENRES.index(genre), artist, song])
    manner = np.random.default_rng([seed, _ARTISTS, artist, 0])
    favourite_key, favourite_pace, taste = manner.integers(12), manner.random(), manner.random()
    (slow, fast), pace = style.tempo, np.clip(favourite_pace + rng.normal(0, 0.12), 0, 1)
    beat = 60 / (slow + (fast - slow) * pace)  # seconds
    key = int(favourite_key + rng.choice([0, 0, 5, 7]))
    degrees = style.chords[rng.integers(len(style.chords))]
    bars = math.ceil(seconds / (beat * style.beats))
    chords = [int(degrees[bar % len(degrees)]) for bar in range(bars)]
    out = np.zeros(round(seconds * sample_rate), "f4")
    drums = (Part("drum", name, pattern, 60, 0, level) for name, pattern, level in style.drums)
    for part in (*style.parts, *drums):
        names = part.voices.split(", ")
        voice = VOICES[names[int((taste if rng.random() < 0.7 else rng.random()) * len(names))]]
        level = part.level * 10 ** (rng.normal(0, 2) / 20)
        length = part.hold * beat or 4 * voice.decay
        sounds: dict[int, Sound] = {}  # a sampler: a song renders every pitch once
        for at, pitch, force in _play(style, part, chords, key, rng):
            if pitch not in sounds:
                sounds[pitch] = _note(voice, pitch, length, sample_rate, rng)
            start = max(round((at * beat + rng.normal(0, style.loose)) * sample_rate), 0)
            sound = sounds[pitch][: max(out.size - start, 0)]
            out[start : start + sound.size] += np.float32(level * force) * sound
    return _record(out, sample_rate, manner, rng)


def _names(artist: int, song: int, seed: int) -> tuple[str, str]:
    """An artist's name and a song's title; an odd factor gives 2**24 artists as many names."""
    syllables = "badefogijakolemunoparisatuvowiza"
    number = ((artist + 1) * 10_368_889 + seed * 7919) % 2**24
    name = "".join(syllables[2 * int(d, 16) :][:2] for d in f"{number:06x}")
    hue = ("Silver", "Quiet", "Golden", "Northern", "Paper")[(number + song) % 5]
    thing = ("River", "Street", "Morning", "Engine", "Letter")[(number // 5 + song * 2) % 5]
    return f"{name[:6]} {name[6:]}".title(), f"{hue} {thing} No. {song + 1}"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary path beside another; what is put there gets its name only once it is whole."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if part.exists():
            os.replace(part, path)
    except (OSError, soundfile.SoundFileError, MutagenError) as error:
        what, remedy = f"cannot write {printable(path)}", "choose a place with room and permission"
        raise SynthesisError(what, found=str(error), remedy=remedy) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def synthesise_corpus(
    folder: str | os.PathLike[str],
    *,
    genres: Sequence[str] = GENRES,
    artists: int = 6,
    songs: int = 3,
    seconds: float = 32.0,
    sample_rate: int = 22_050,
    seed: int = 0,
    progress: Progress = None,
) -> Path:
    """Write a corpus of tagged 16-bit FLAC files, ``<genre>/<artist> - <title>.flac``.

    Called again after an interruption, it goes on where it stopped: a file gets its name only when
    it is whole, and is then kept.

    Parameters
    ----------
    folder : path
        Where to; made if missing. It must be empty (but for hidden files) or hold this very corpus.
    genres : sequence of str
        Which of `GENRES`. A song is the same whatever other songs are asked for.
    artists, songs : int >= 1 [scalar]
        Artists per genre, none of whom works in two, and songs per artist.
    seconds : float >= 0.1 [scalar]
        Mean duration; songs differ from it by up to 5 %.
    sample_rate, seed
        As in `synthesise_song`.
    progress : callable, optional
        Called as ``progress(done, total)`` after every song.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SynthesisError
        If a setting is out of range, or the folder holds something else or cannot be written.
    """
    numbers = {"artists": artists, "songs": songs, "seconds": float(seconds)}
    numbers |= {"sample_rate": sample_rate, "seed": seed}
    _check(genres or [""], **numbers)
    chosen = [genre for genre in GENRES if genre in genres]
    settings, folder = json.dumps({"version": _VERSION, "genres": chosen, **numbers}), Path(folder)
    with _whole(folder / _MARKER) as part:
        found = ", ".join(printable(name) for name in os.listdir(folder) if name[0] != ".")
        if _MARKER in os.listdir(folder):
            found = (folder / _MARKER).read_text("utf-8", "replace")
        if not found:
            part.write_text(settings, "utf-8")
        elif found != settings:
            what, wanted = f"cannot put a corpus in {printable(folder)}", f"nothing or {settings}"
            remedy = "name another folder or delete this one"
            raise SynthesisError(what, found=found[:200], wanted=wanted, remedy=remedy)
    # An artist's number names its genre as well, so no two genres share an artist.
    numbered = [GENRES.index(genre) + len(GENRES) * a for genre in chosen for a in range(artists)]
    plan = [(artist, song) for artist in numbered for song in range(songs)]
    for done, (artist, song) in enumerate(plan, start=1):
        genre, (name, title) = GENRES[artist % len(GENRES)], _names(artist, song, seed)
        path = folder / genre / f"{name} - {title}.flac"
        if not path.exists():
            stretch = np.random.default_rng([seed, _DURATIONS, artist, song]).uniform(0.95, 1.05)
            length = max(seconds * stretch, _LEAST["seconds"])
            sound = synthesise_song(genre, artist, song, length, sample_rate, seed)
            with _whole(path) as part:
                soundfile.write(part, sound, sample_rate, "PCM_16", format="FLAC")
                tags = flac.FLAC(part)
                tags.update({"artist": name, "album": f"This Is {name}", "title": title})
                tags.save()
        if progress is not None:
            progress(done, len(plan))
    return folder


def default_corpus(
    artists: int = 6, songs: int = 3, seconds: float = 32.0, progress: Progress = None
) -> Path:
    """Return the corpus kept in the user's cache, making what of it is missing.

    The cache is the platform's own for "genrenet", or the folder that the environment variable
    ``GENRENET_CACHE`` names. A lock lets several processes ask at once: one makes, the others wait.

    Parameters
    ----------
    artists, songs, seconds, progress
        As in `synthesise_corpus`; every size has a folder of its own.

    Returns
    -------
    Path
        The corpus's folder: one folder of songs per genre.

    Raises
    ------
    SynthesisError
        If a size is out of range or the cache cannot be written.
    """
    cache = os.environ.get("GENRENET_CACHE") or platformdirs.user_cache_path("genrenet")
    name = f"synthetic-v{_VERSION}-{artists}x{songs}x{float(seconds)}s"
    folder = Path(cache) / name
    with _whole(folder):  # for its errors: acquiring writes the lock's file
        lock = filelock.FileLock(folder.with_name(f"{name}.lock")).acquire()
    with lock:
        return synthesise_corpus(
            folder, artists=artists, songs=songs, seconds=seconds, progress=progress
        )
