"""Synthesised music: a small, deterministic corpus for trying, testing and teaching the package.

Eight genres are described as *data* (`STYLES`): tempo, metre, scale, chords, swing, instruments
with patterns, drums; small functions render a description. Genres share voices and overlap in
tempo, while key, loudness, brightness, reverberation and hiss depend on the *artist*: a model that
relies on those scores better on a random split than on an artist-disjoint one.

Conventions: pitches are MIDI note numbers (69 is 440 Hz). A pattern is one bar of any number of
steps: ``x`` an accent, ``o`` a soft stroke (the chord's fifth in a bass), ``.`` a rest.
"""

from __future__ import annotations

from genrenet.data.synthesis.corpus import default_corpus, synthesise_corpus
from genrenet.data.synthesis.playing import synthesise_song
from genrenet.data.synthesis.styles import GENRES, STYLES, VOICES, SynthesisError

__all__ = [
    "GENRES",
    "STYLES",
    "VOICES",
    "SynthesisError",
    "default_corpus",
    "synthesise_corpus",
    "synthesise_song",
]
