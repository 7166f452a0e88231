"""Splits into training, validation and test songs, made before songs are cut into frames.

A split assigns every song to one part: "train", "validation" or "test". The meaning of an accuracy
depends on how the split was made, so every split has a name that says so and is reported with every
figure. Where artists are known the splits are made by artist: otherwise a network recognises voices
and studios instead of genres, and a random split rewards it for that.

Every function takes a catalog's table (`genrenet.data.catalog`: columns `track_id`, `genre`,
`artist`, `path`) and a seed, and returns the same split for the same songs and seed, whatever the
order of rows. Two spellings of an artist that differ in case or spacing are one artist; songs whose
artist is unknown ('') each count as an artist of their own. Rows with one value in the column
`song` are segments of one song, and are in the same part.

Sources
-------
Artists on both sides: E. Pampalk, A. Flexer, G. Widmer, "Improvements of audio-based music
similarity and genre classification", ISMIR 2005. Fault-filtered GTZAN: C. Kereliuk, B. L. Sturm,
J. Larsen, "Deep learning and music adversaries", IEEE Transactions on Multimedia 17 (11), 2015;
its faults: B. L. Sturm, "The GTZAN dataset", arXiv:1306.1461.
"""

from __future__ import annotations

from genrenet.data.splits.base import (
    FRACTIONS,
    PARTS,
    Split,
    SplitError,
    artist_groups,
    artist_key,
    song_groups,
    song_names,
)
from genrenet.data.splits.given import (
    KINDS,
    by_column,
    fault_filtered,
    make_split,
    read_split,
    write_split,
)
from genrenet.data.splits.leaks import Leakage, leakage, leakages
from genrenet.data.splits.making import (
    artist_disjoint,
    k_fold,
    seventy_thirty,
    stratified,
    with_validation,
)

__all__ = [
    "FRACTIONS",
    "KINDS",
    "PARTS",
    "Leakage",
    "Split",
    "SplitError",
    "artist_disjoint",
    "artist_groups",
    "artist_key",
    "by_column",
    "fault_filtered",
    "k_fold",
    "leakage",
    "leakages",
    "make_split",
    "read_split",
    "seventy_thirty",
    "song_groups",
    "song_names",
    "stratified",
    "with_validation",
    "write_split",
]
