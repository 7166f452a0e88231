"""The part of the JSON API based on similarity: the map, similar songs, paths between songs."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from genrenet.library.song_paths import songs_between, towards
from genrenet.web.api import asked_number, service
from genrenet.web.errors import NoSuchSong, NotReady, RequestError
from genrenet.web.library_api import chosen_songs
from genrenet.web.neighbours import Neighbours, alike
from genrenet.web.song_points import MOST_NUMBERS, MOST_SONGS

map_api = flask.Blueprint("map_api", __name__, url_prefix="/api/library")


@map_api.get("/map")
def library_map() -> ResponseReturnValue:
    """Return all songs as points, or the progress of the map."""
    near = neighbours()
    near.map.begin()
    points = near.points()
    if points is None:
        return {**near.map.told(), "by": near.by}, 202
    return flask.Response(points, mimetype="application/octet-stream")


@map_api.post("/map/songs")
def map_songs() -> ResponseReturnValue:
    """Return the songs with some numbers of a map."""
    near, given = neighbours(), flask.request.get_json(silent=True)
    given = given if isinstance(given, dict) else {}
    numbers, wanted = given.get("numbers"), given.get("map")
    if isinstance(wanted, str) and wanted != near.map_id:  # it may have had more songs
        return {"error": "the library has changed: the map is another one"}, 409
    if (
        not isinstance(wanted, str)
        or not isinstance(numbers, list)
        or not all(type(number) is int and 0 <= number < len(near.numbers) for number in numbers)
    ):
        raise RequestError("map, numbers", wanted='JSON such as {"map": "...", "numbers": [0, 1]}')
    if len(numbers) > MOST_NUMBERS:
        raise RequestError("numbers", found=f"{len(numbers)}", wanted=f"{MOST_NUMBERS} at most")
    return {"songs": near.tracks(numbers)}


@map_api.get("/map/numbers")
def map_numbers() -> ResponseReturnValue:
    """Return the numbers on the map of the songs selected by `chosen_songs`."""
    near = neighbours()
    index, rows = chosen_songs()
    return {"map": near.map_id, "numbers": near.rows_of(index, rows)}


@map_api.get("/near")
def near_songs() -> ResponseReturnValue:
    """Return songs that are similar to some and dissimilar to others."""
    near, count = neighbours(), asked_number("count", 20, 1, MOST_SONGS)
    more, less = _rows(near, "more"), _rows(near, "less")
    if not more:
        raise RequestError("more", found="none", wanted="the path of a song")
    given = {*more, *less}
    vector = towards(near.sound.space.vectors, more, less)
    rows, cosines = near.sound.nearest(vector[None], count + len(given))
    found = [
        (row, alike(cosine))
        for row, cosine in zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
        if row not in given
    ][:count]
    songs = [
        {**song, "similarity": cosine}
        for song, (_, cosine) in zip(near.tracks([row for row, _ in found]), found, strict=True)
    ]
    wished = {"more": near.tracks(more), "less": near.tracks(less)}
    return {"map": near.map_id, "by": near.by, **wished, "songs": songs}


@map_api.get("/path")
def path() -> ResponseReturnValue:
    """Return a path of songs from one to another."""
    near, count = neighbours(), asked_number("count", 12, 2, MOST_SONGS)
    first, last = _rows(near, "from"), _rows(near, "to")
    if len(first) != 1 or len(last) != 1:
        raise RequestError("from, to", wanted="the path of one song each")
    rows = songs_between(near.sound, first[0], last[0], count, near.artists)
    return {"map": near.map_id, "by": near.by, "songs": near.tracks(rows)}


def neighbours() -> Neighbours:
    """Return the similarity index of the library's songs, or raise an error."""
    at = service()
    if at.neighbours is not None:
        return at.neighbours
    if at.library_state()["state"] == "reading":
        raise NotReady("the library is still being read", remedy="try again in a moment")
    at.the_library()
    raise RequestError(
        "no song of the library has a genre and an existing file",
        remedy="scan the music folder again",
    )


def _rows(near: Neighbours, name: str) -> list[int]:
    """Return the songs in a parameter, each once."""
    found = []
    for path in dict.fromkeys(flask.request.args.getlist(name)[:MOST_SONGS]):
        row = near.place_of(path)
        if row is None:
            known = near.knows(path)
            raise NoSuchSong(
                f"'{path[:1000]}' "
                + ("has no embedding" if known else "is no song of the scanned library"),
                remedy="embed the library again" if known else "scan the folder again",
            )
        found.append(row)
    return found
