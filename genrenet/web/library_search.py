"""Full-text search that ignores case and accents, and tolerates typing errors."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from genrenet.web.library_index import LibraryIndex, Rows
from genrenet.web.song_names import words

Scores = NDArray[np.float32]

EXACT, PREFIX, INSIDE = 1.0, 0.9, 0.6
"""Weights of a full match, a match at the beginning, and a match inside of a word."""

ARTIST, TITLE, ALBUM, PLACE = (np.float32(weight) for weight in (1.0, 0.95, 0.9, 0.5))
"""Weights of the fields in which a word is found."""

MOST_WORDS = 8
"""Maximum number of words in a search; the rest is ignored."""

MOST_MISSPELT = 4
"""Maximum number of words of a search that may all be misspelt."""


def errors_in(word: str) -> int:
    """Return how many letters of a word may be wrong, missing, added or swapped.

    Examples
    --------
    >>> [errors_in(word) for word in ("ac", "beat", "metallica", "rachmaninov")]
    [0, 1, 2, 3]
    """
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2 if len(word) < 10 else 3


FEW = 300
"""Maximum number of matching words for which the inverted index is faster than all texts."""


class Vocabulary:
    """All words of several fields, and their match with a search word.

    Parameters
    ----------
    words : iterable of str
        Unique words.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(words)
        self.rank = {word: rank for rank, word in enumerate(self.words)}
        lengths = np.array([len(word) for word in self.words], np.int64)
        # One text of all words, for substring matches.
        self._text = "\n".join(["", *self.words, ""])
        self._offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
        # Sorted by length: only words of similar length can be similar.
        self._by_length = np.argsort(lengths, kind="stable")
        self._lengths = lengths[self._by_length]
        self._ordered = [self.words[rank] for rank in self._by_length.tolist()]

    def fits(self, word: str, *, typos: bool = False) -> Scores:
        """Return how well each word matches another one, from 0 to 1, of shape (words,)."""
        found = np.zeros(len(self.words), np.float32)
        at = self._text.find(word) if len(word) >= 3 else -1
        while at >= 0:
            found[np.searchsorted(self._offsets, at, side="left") - 1] = INSIDE
            at = self._text.find(word, at + 1)
        first = bisect_left(self.words, word)
        found[first : bisect_left(self.words, word + "\U0010ffff")] = PREFIX
        if word in self.rank:
            found[first] = EXACT
        if typos and (allowed := errors_in(word)):
            self._with_errors(word, allowed, found)
        return found

    def _with_errors(self, word: str, allowed: int, found: Scores) -> None:
        start = int(np.searchsorted(self._lengths, len(word) - allowed))
        end = int(np.searchsorted(self._lengths, len(word) + allowed, side="right"))
        if start == end:
            return
        near = self._ordered[start:end]
        errors = cdist([word], near, scorer=OSA.distance, score_cutoff=allowed)[0]
        ranks = self._by_length[start:end][errors <= allowed]
        scores = 1.0 - errors[errors <= allowed] / np.float32(len(word) + 1)
        found[ranks] = np.maximum(found[ranks], scores)


class Field:
    """Which of many texts contain which words of a vocabulary."""

    def __init__(self, texts: Iterable[Sequence[str]], rank: dict[str, int]) -> None:
        ranks, counts = array("l"), array("l")
        for found in texts:
            ranks.extend(rank[word] for word in found)
            counts.append(len(found))
        self._ranks = np.array(ranks, np.int32)
        sizes = np.array(counts, np.int64)
        self.count = len(sizes)
        self._owners = np.flatnonzero(sizes).astype(np.int32)
        self._starts = (np.cumsum(sizes) - sizes)[self._owners]
        # Inverted index: the texts of each word.
        order = np.argsort(self._ranks, kind="stable")
        self._having = np.repeat(np.arange(self.count, dtype=np.int32), sizes)[order]
        self._words = np.searchsorted(self._ranks[order], np.arange(len(rank) + 1))

    def scores(self, fits: Scores) -> Scores:
        """Return the best match of each text's words, of shape (texts + 1,): the last is 0."""
        found = np.zeros(self.count + 1, np.float32)
        fitting = np.flatnonzero(fits)
        if len(fitting) <= FEW:
            for word in fitting[np.argsort(fits[fitting], kind="stable")].tolist():  # best last
                found[self._having[self._words[word] : self._words[word + 1]]] = fits[word]
        elif len(self._owners):
            found[self._owners] = np.maximum.reduceat(fits[self._ranks], self._starts)
        return found


class Found(NamedTuple):
    """The result of a search, the best first: songs by row, artists and albums by code."""

    songs: Rows
    artists: list[int]
    albums: list[int]
    typos: bool


class LibrarySearch:
    """Search in the artists, albums, titles and paths of a library.

    Parameters
    ----------
    index : LibraryIndex
    """

    def __init__(self, index: LibraryIndex) -> None:
        self.index = index
        folders = [path.rpartition("/") for path in index.paths.to_pylist()]
        known: dict[str, int] = {}
        codes = (known.setdefault(folder, len(known)) for folder, _, _ in folders)
        self._folders = np.fromiter(codes, np.int32, len(folders))
        texts = {
            "artist": [_with_joined(name) for name in index.artists.names],
            "album": [words(name) for name in index.albums.names],
            "title": [words(title) for title in index.titles.to_pylist()],
            "place": [words(folder) for folder in known],
        }
        # Words in a file's name besides its title.
        files = [words(name.rpartition(".")[0] or name) for _, _, name in folders]
        texts["file"] = [
            [word for word in file if word not in title]
            for file, title in zip(files, texts["title"], strict=True)
        ]
        self._words = Vocabulary({word for each in texts.values() for one in each for word in one})
        self._fields = {name: Field(each, self._words.rank) for name, each in texts.items()}

    def find(self, text: str) -> Found:
        """Return matches of all words of a text, exactly, inside of other words, or, if there are
        none, with typing errors; finally one of three or more may be missing.
        """
        asked = list(dict.fromkeys(words(text)))[:MOST_WORDS]
        if not asked or not len(self.index):
            return Found(np.zeros(0, np.int32), [], [], False)
        fits = [self._words.fits(word) for word in asked]
        unknown = [not fit.any() for fit in fits]
        by_word = [self._of(fit) for fit in fits]
        found = self._join(by_word)
        # First words that occur nowhere exactly; then any of a few may be misspelt.
        others = [not tried and len(asked) <= MOST_MISSPELT for tried in unknown]
        for suspect in (unknown, others):
            if len(found.songs) or not any(suspect):
                continue
            for place in np.flatnonzero(suspect).tolist():
                by_word[place] = self._of(self._words.fits(asked[place], typos=True))
            found = self._join(by_word)._replace(typos=True)
        if len(asked) > 2 and not len(found.songs):
            found = self._join(by_word, missing=1)._replace(typos=True)
        return found

    def _of(self, fit: Scores) -> tuple[Scores, Scores, Scores]:
        """Return the score of a word for each song, artist and album."""
        index = self.index
        if not fit.any():
            sizes = len(index), len(index.artists.names), len(index.albums.names)
            return _zeros(sizes[0]), _zeros(sizes[1]), _zeros(sizes[2])
        by = {name: field.scores(fit) for name, field in self._fields.items()}
        song = np.maximum(by["title"] * TITLE, by["file"] * PLACE)[:-1]
        # Few texts for many songs; a code of -1 selects the zero at the end.
        for name, weight, codes in (
            ("artist", ARTIST, index.artists.codes),
            ("album", ALBUM, index.albums.codes),
            ("place", PLACE, self._folders),
        ):
            if by[name].any():
                np.maximum(song, (by[name] * weight)[codes], out=song)
        album = np.maximum(by["album"][:-1], by["artist"][index.album_artists] * PLACE)
        return song, by["artist"][:-1], album

    def _join(self, by_word: Sequence[tuple[Scores, Scores, Scores]], *, missing: int = 0) -> Found:
        """Return the entries with all of the words, except as many as may be missing."""
        index, wanted = self.index, len(by_word) - missing
        totals, has = [], []
        for scores in zip(*by_word, strict=True):
            totals.append(sum(scores[1:], scores[0]))
            has.append(sum((each > 0).astype(np.int8) for each in scores) >= wanted)
        songs, artists, albums = totals
        has[0] &= index.primary == np.arange(len(index))
        # Equal scores are in the order of artists and albums.
        rows: Rows = index.orders["artist"][has[0][index.orders["artist"]]]
        order = np.argsort(-songs[rows], kind="stable")
        return Found(rows[order], _best(artists, has[1]), _best(albums, has[2]), typos=False)


def _zeros(size: int) -> Scores:
    return np.zeros(size, np.float32)


def _with_joined(name: str) -> list[str]:
    """Return the words of an artist, and a short name without its spaces too: "ac dc", "acdc"."""
    found = words(name)
    return [*found, "".join(found)] if 1 < len(found) <= 3 else found


def _best(scores: Scores, has: NDArray[np.bool_], most: int = 50) -> list[int]:
    codes = np.flatnonzero(has)
    found: list[int] = codes[np.argsort(-scores[codes], kind="stable")][:most].tolist()
    return found
