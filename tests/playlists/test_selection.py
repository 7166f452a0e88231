"""Lengths, shares, shortages, and how far tags are read."""

import dataclasses
import shutil

import numpy as np
import pytest

from genrenet.library.songs import scanned_songs
from genrenet.playlists.candidates import LOOK_AHEAD, Supply, fitting
from genrenet.playlists.excluding import Exclusions
from genrenet.playlists.selection import choose
from tests.helpers.music_shelves import add_song, write_table


def supplies(songs, *genres, least=0.0, timed=True, exclude=()):
    return [
        Supply(songs, genre, fitting(songs, genre, least), Exclusions(exclude), timed=timed)
        for genre in genres
    ]


def seconds(group):
    return sum(song.duration for song in group)


def test_lengths_are_met_within_seconds(shelf):
    for length in np.linspace(900, 5000, 12):
        chosen = choose(supplies(shelf, "jazz"), {"jazz": 1}, length=length)
        total = seconds(chosen.groups["jazz"])
        assert total == pytest.approx(length, abs=3)
        assert chosen.left == pytest.approx(length - total, abs=1e-6)
        assert not chosen.short
        # The surest ones, but for those that were exchanged to meet the length.
        names = sorted(song.path for song in chosen.groups["jazz"])
        surest = shelf.take(fitting(shelf, "jazz", 0)).paths[: len(names)]
        assert len({*names} - {*surest}) <= 2


def test_a_length_below_all_songs_takes_the_nearest(shelf):
    chosen = choose(supplies(shelf, "jazz"), {"jazz": 1}, length=90)
    (song,) = chosen.groups["jazz"]
    rows = fitting(shelf, "jazz", 0)
    assert song.duration == shelf.duration[rows].min()
    # Nothing is nearer to so little than no song at all.
    assert not choose(supplies(shelf, "jazz"), {"jazz": 1}, length=20).groups["jazz"]


def test_shares_are_of_time_or_of_number(shelf):
    shares = {"jazz": 2.0, "blues": 1.0}
    timed = choose(supplies(shelf, *shares), shares, length=7200)
    assert sum(map(seconds, timed.groups.values())) == pytest.approx(7200, abs=3)
    assert seconds(timed.groups["jazz"]) == pytest.approx(4800, abs=400)
    counted = choose(supplies(shelf, *shares, timed=False), shares, count=12)
    assert [len(group) for group in counted.groups.values()] == [8, 4]
    surest = shelf.take(fitting(shelf, "blues", 0)[:4]).paths
    assert [song.path for song in counted.groups["blues"]] == surest


def test_where_one_genre_has_too_little_others_fill_up(shelf):
    shares = {"jazz": 1.0, "blues": 1.0}
    parts = [*supplies(shelf, "jazz", timed=False), *supplies(shelf, "blues", least=0.97)]
    chosen = choose(parts, shares, count=20)
    assert [len(group) for group in chosen.groups.values()] == [17, 3]
    assert not chosen.short
    assert chosen.notes == [
        "too few songs of 'blues': 3 songs of 10 songs; other genres fill up the rest"
    ]


def test_a_library_with_too_little_says_so(shelf):
    chosen = choose(supplies(shelf, "jazz", least=0.97), {"jazz": 1}, length=3600)
    assert len(chosen.groups["jazz"]) == 3
    assert chosen.short
    assert chosen.notes[0].startswith("the library has too few songs: ")
    assert chosen.notes[0].endswith(" of 1:00:00")
    everything = choose(supplies(shelf, "jazz"), {"jazz": 1})
    assert (len(everything.groups["jazz"]), everything.short, everything.notes) == (40, False, [])


def test_no_song_twice_and_none_of_unknown_length(tmp_path):
    add_song(tmp_path / "a.flac", seed=1, artist="A", title="One")
    add_song(tmp_path / "b.flac", seed=2, artist=" a", title="ONE")
    add_song(tmp_path / "c.flac", seed=3, artist="B", title="One")
    shutil.copy(tmp_path / "c.flac", tmp_path / "d.flac")
    (tmp_path / "e.flac").write_bytes(b"no tags, no length")
    told = {"a": 60.0, "b": 60.0, "c": None, "d": 60.0, "e": None}
    rows = {tmp_path / f"{name}.flac": ("jazz", 0.9, told[name]) for name in told}
    songs = scanned_songs(write_table(tmp_path / "t.parquet", rows))
    chosen = choose(supplies(songs, "jazz"), {"jazz": 1}, length=600)
    # What the table does not know, the file's header does.
    assert [song.duration for song in chosen.groups["jazz"]] == [60.0, pytest.approx(0.2)]
    assert chosen.notes[:2] == [
        "1 song passed over: of unknown length",
        "2 songs passed over: there twice",
    ]
    untimed = choose(supplies(songs, "jazz", timed=False), {"jazz": 1})
    assert [song.duration is None for song in untimed.groups["jazz"]] == [False, False, True]


def test_the_first_song_counts(shelf):
    parts = supplies(shelf, "jazz", "blues", timed=False)
    first = parts[1].song(int(fitting(shelf, "blues", 0)[30]))
    chosen = choose(parts, {"jazz": 1, "blues": 1}, count=4, first=first)
    assert [len(group) for group in chosen.groups.values()] == [2, 2]
    assert chosen.groups["blues"][0] == first
    timed = supplies(shelf, "blues")
    for length in (500, 1000, 1500):
        chosen = choose(timed, {"blues": 1}, length=length, first=first)
        assert chosen.groups["blues"][0] == first


def test_tags_are_read_only_of_songs_that_may_be_taken(shelf, tmp_path):
    many = 10 * LOOK_AHEAD
    paths = [*shelf.paths, *(str(tmp_path / f"{at}.flac") for at in range(many))]
    big = dataclasses.replace(
        shelf,
        paths=paths,
        genres=shelf.genres + ["jazz"] * many,
        confidence=np.append(shelf.confidence, np.full(many, 0.5)),
        scores=np.concatenate([shelf.scores, np.zeros((many, 3), np.float32)]),
        duration=np.append(shelf.duration, np.full(many, 200.0)),
        tags=shelf.tags + [None] * many,
    )
    part = supplies(big, "jazz")[0]
    chosen = choose([part], {"jazz": 1}, length=600)
    assert all(song.row < len(shelf) for song in chosen.groups["jazz"])
    read = len(part.ahead) + len(chosen.groups["jazz"])
    assert LOOK_AHEAD <= read <= 2 * LOOK_AHEAD


def test_excluded_songs_are_counted(shelf):
    parts = supplies(shelf, "jazz", timed=False, exclude=["*-0?.flac", "artist:Artist 4"])
    chosen = choose(parts, {"jazz": 1})
    assert len(chosen.groups["jazz"]) == 24
    assert chosen.notes == ["16 songs passed over: excluded"]


def test_which_songs_fit(shelf):
    assert (np.diff(shelf.confidence[fitting(shelf, "jazz", 0.0)]) <= 0).all()
    sure = fitting(shelf, "jazz", 0.9)
    assert {shelf.genres[row] for row in sure} == {"jazz"}
    assert len(sure) == 10
    assert len(fitting(shelf, "", 0.9)) == 20
    # 'rock' is nobody's first genre, but many an unsure song's second.
    assert len(fitting(shelf, "rock", 0.1)) == 0
    second = fitting(shelf, "rock", 0.102, by_score=True)
    assert len(second) == 40
    assert (shelf.scores[second, 2] >= 0.102).all()
