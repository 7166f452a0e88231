"""Render a song: samples from a genre's description and an artist's characteristics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.fft

from genrenet.data.synthesis.styles import GENRES, STYLES, VOICES, GenreStyle, Part, Voice, check

Sound = npt.NDArray[np.float32]
_ARTISTS = 1000  # used in a random seed in the position of a genre's index


def _pluck(voice: Voice, hz: float, n: int, rate: int, rng: np.random.Generator) -> Sound:
    """Karplus & Strong (1983) in closed form: lap k is the burst filtered k times by their loop."""
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
    """Return a falling sine and a band of noise; every song tunes its drums differently."""
    tuning, (level, hz, fall, low, high) = rng.uniform(0.87, 1.15), voice.shape
    f = np.fft.rfftfreq(t.size, tuning / rate)
    band = 1 / (1 + (low / f.clip(1)) ** 4) / (1 + (f / high) ** 4)
    spectrum = scipy.fft.rfft(rng.standard_normal(t.size, dtype="f4"))
    noise = scipy.fft.irfft(spectrum * band, t.size)
    pitch = hz * tuning * 2 ** (fall * np.exp(-t / 0.03))
    wave = level * np.sin(np.cumsum(pitch) * (2 * np.pi / rate))
    return np.asarray(wave + voice.breath * noise / np.abs(noise).max(), "f4")


def _note(voice: Voice, pitch: int, seconds: float, rate: int, rng: np.random.Generator) -> Sound:
    """Return one stroke of a voice, peak 1."""
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
    """Return the notes of a part: (beats from the song's start, pitch, strength) each."""
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
    """Apply the artist's studio: brightness and reverberation as one product of spectra, hiss,
    level.
    """
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


def synthesise_song(
    genre: str, artist: int, song: int, seconds: float = 30, sample_rate: int = 22050, seed: int = 0
) -> Sound:
    """Compose and render one song.

    Parameters
    ----------
    genre : str
        One of `GENRES`.
    artist, song : int >= 0 [scalar]
        Number of the artist and of the artist's song. Preferred key, tempo and voices, brightness,
        reverberation, hiss and loudness depend on the artist, whatever the genre.
    seconds : float >= 0.1 [scalar]
        Duration. A longer song is a different piece, not an extended one.
    sample_rate : int >= 8000 [scalar]
        Samples per second.
    seed : int >= 0 [scalar]
        Another seed gives other artists and songs.

    Returns
    -------
    np.ndarray [shape=(round(seconds * sample_rate),), dtype=float32]
        Mono, in [-1, 1]. The same arguments give the same samples on one machine; on another
        machine they may differ in their last bits.

    Raises
    ------
    SynthesisError
        If the genre is unknown or a number is out of range.
    """
    check([genre], artist=artist, song=song, seconds=seconds, sample_rate=sample_rate, seed=seed)
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
