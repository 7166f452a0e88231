"""Which songs a model learns from and which judge it; made on songs, before they are cut to frames.

A split gives every song one part: "train", "validation" or "test". How it was made decides what an
accuracy means, so every split has a name that says so and stands beside every number. Where
artists are known the splits are made by artist: a network told to find genres happily learns voices
and studios instead, and shuffled splits reward it for that.

Every function takes a catalog's table (`genrenet.data.catalog`: columns `track_id`, `genre`,
`artist`, `path`) and a seed, and gives the same split for the same songs and seed, whatever the
rows' order. Two spellings of an artist that differ in case or spacing are one artist; songs whose
artist is unknown ('') each count as an artist of their own. Rows with one value in the column
`song` are segments of one song, and share its part.

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
