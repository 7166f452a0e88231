"""The methods of the OpenSubsonic API that list a library's content."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from genrenet.library.song_paths import songs_between, towards
from genrenet.web.library_index import Rows
from genrenet.web.library_queries import Wanted, select
from genrenet.web.map_api import neighbours
from genrenet.web.neighbours import Neighbours, alike
from genrenet.web.opensubsonic_media import Item, Media
from genrenet.web.service import Service

MOST = 500
"""Maximum number of items in an answer, as in Subsonic."""

_NUMBERS = "#"  # index of artists whose names do not begin with a letter


class Fault(Exception):
    """An error of the API, with its code: 10 missing parameter, 70 not found, 0 other."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Parameters:
    """The parameters of a request.

    Parameters
    ----------
    values : mapping of str to str
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Return a parameter, '' if there is none."""
        return self._values.get(name, "")

    def needed(self, name: str) -> str:
        """Return a required parameter.

        Raises
        ------
        Fault
        """
        if name not in self._values:
            raise Fault(10, f"the parameter '{name}' is missing")
        return self._values[name]

    def count(self, name: str, default: int, most: int = MOST) -> int:
        """Return a number from 0 to ``most``; larger ones count as ``most``.

        Raises
        ------
        Fault
        """
        given = self._values.get(name)
        if given is None or given == "":
            return default
        if not (given.isascii() and given.isdecimal()):
            raise Fault(0, f"'{name}': found '{given[:20]}', wanted a number of 0 or more")
        return min(int(given[:9]), most)

    def part(self, count: str, offset: str, default: int) -> slice:
        """Return the requested part of a list."""
        first = self.count(offset, 0, 10**9)
        return slice(first, first + self.count(count, default))


Method = Callable[[Service, Parameters], Item]


def media(at: Service) -> Media:
    """Return the library in its present state.

    Raises
    ------
    RequestError
        No library is served, or it has not been read yet.
    """
    return Media(at.shelf.root, at.the_library().index())


def song(library: Media, given: Parameters, name: str) -> int:
    """Return the row of the song in a parameter.

    Raises
    ------
    Fault
    """
    row = library.song_row(given.needed(name))
    if row is None:
        raise Fault(70, "no such song")
    return row


def _songs_by_genre(at: Service, given: Parameters) -> Item:
    library = media(at)
    rows = _of_genre(library, given.needed("genre"))
    return {"songsByGenre": {"song": library.songs(rows[given.part("count", "offset", 10)])}}


def _of_genre(library: Media, genre: str) -> Rows:
    """Return songs of a genre or subgenre, ignoring case."""
    known = {name.casefold(): name for name in library.index.genres}
    if genre.casefold() in known:
        return select(library.index, Wanted(genre=known[genre.casefold()]))
    return select(library.index, Wanted(subgenre=genre))


def _random_songs(at: Service, given: Parameters) -> Item:
    library, genre = media(at), given.text("genre")
    rows = _of_genre(library, genre) if genre else select(library.index, Wanted())
    count = min(len(rows), given.count("size", 10))
    chosen = np.random.default_rng().choice(rows, count, replace=False)
    return {"randomSongs": {"song": library.songs(chosen)}}


def _artists(at: Service, given: Parameters) -> Item:
    library, letters = media(at), dict[str, list[int]]()
    for code, key in enumerate(library.index.artists.keys):
        first = key[:1].upper()
        letters.setdefault(first if first.isalpha() else _NUMBERS, []).append(code)
    index = [
        {"name": letter, "artist": library.artists(codes)}
        for letter, codes in sorted(letters.items())
    ]
    return {"artists": {"ignoredArticles": "", "index": index}}


def _artist(at: Service, given: Parameters) -> Item:
    library = media(at)
    code = library.artist_code(given.needed("id"))
    if code is None:
        raise Fault(70, "no such artist")
    index = library.index
    songs = index.artists.codes == code
    albums = np.unique(index.albums.codes[songs & (index.albums.codes >= 0)])
    (found,) = library.artists([code])
    return {"artist": {**found, "albumCount": len(albums), "album": library.albums(albums)}}


def _album(at: Service, given: Parameters) -> Item:
    library = media(at)
    code = library.album_code(given.needed("id"))
    if code is None:
        raise Fault(70, "no such album")
    (found,) = library.albums([code])
    return {"album": {**found, "song": library.songs(library.index.album_rows(code))}}


def _album_list(at: Service, given: Parameters) -> Item:
    library, kind = media(at), given.needed("type")
    index = library.index
    order = index.albums_by_name  # also for orders by plays, ratings and dates
    if kind == "byGenre":
        codes = index.albums.codes[_of_genre(library, given.needed("genre"))]
        order = order[np.isin(order, codes)]
    if kind == "random":
        order = np.random.default_rng().permutation(order)
    elif kind == "alphabeticalByArtist":
        artists = index.album_artists[order]
        last = len(index.artists.names)
        order = order[np.argsort(np.where(artists < 0, last, artists), kind="stable")]
    return {"albumList2": {"album": library.albums(order[given.part("size", "offset", 10)])}}


def _song(at: Service, given: Parameters) -> Item:
    library = media(at)
    return {"song": library.songs([song(library, given, "id")])[0]}


def _search(at: Service, given: Parameters) -> Item:
    search = at.the_library().search()
    library = Media(at.shelf.root, search.index)
    text = given.text("query").strip().strip('"')
    if text:
        found = search.find(text)
        songs, artists, albums = found.songs, found.artists, found.albums
    else:  # players that synchronise request everything, part by part
        songs = select(library.index, Wanted())
        artists = list(range(len(library.index.artists.names)))
        albums = list(range(len(library.index.albums.names)))
    return {
        "searchResult3": {
            "artist": library.artists(artists[given.part("artistCount", "artistOffset", 20)]),
            "album": library.albums(albums[given.part("albumCount", "albumOffset", 20)]),
            "song": library.songs(songs[given.part("songCount", "songOffset", 20)]),
        }
    }


def _placed(library: Media, near: Neighbours, given: Parameters, name: str) -> int:
    """Return the row in the similarity index of the song in a parameter."""
    place = near.place_of(library.index.paths[song(library, given, name)].as_py())
    if place is None:
        raise Fault(70, "nothing is known of how this song sounds")
    return place


def _like(at: Service, given: Parameters, count: int, *, groups: bool = False) -> list[Item]:
    """Return the songs most similar to a song, or to an album's or artist's, as `_matches`."""
    library, near = media(at), neighbours()
    own = _group(library, near, given.needed("id")) if groups else []
    own = own or [_placed(library, near, given, "id")]
    most = given.count("count", count)
    vector = towards(near.sound.space.vectors, own)
    rows, cosines = near.sound.nearest(vector[None], most + len(own))
    pairs = zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
    return _matches(library, near, [pair for pair in pairs if pair[0] not in own][:most])


def _group(library: Media, near: Neighbours, given: str) -> list[int]:
    """Return the rows in the similarity index of an album's or artist's songs."""
    index, rows = library.index, np.zeros(0, np.int32)
    album, artist = library.album_code(given), library.artist_code(given)
    if album is not None:
        rows = index.album_rows(album)
    elif artist is not None:
        rows = np.flatnonzero(index.artists.codes == artist).astype(np.int32)
    places = (near.place_of(path) for path in index.paths.take(pa.array(rows)).to_pylist())
    return list(dict.fromkeys(place for place in places if place is not None))


def _matches(library: Media, near: Neighbours, pairs: list[tuple[int, float]]) -> list[Item]:
    """Return rows with their cosines as the API's `sonicMatch`."""
    paths = [track["path"] for track in near.tracks([place for place, _ in pairs])]
    rows = [library.index.row_of(path) for path in paths]
    known = [(row, pair[1]) for row, pair in zip(rows, pairs, strict=True) if row is not None]
    songs = library.songs([row for row, _ in known])
    return [
        {"entry": entry, "similarity": alike(cosine)}
        for entry, (_, cosine) in zip(songs, known, strict=True)
    ]


def _similar(name: str) -> Method:
    return lambda at, given: {
        name: {"song": [match["entry"] for match in _like(at, given, 50, groups=True)]},
    }


def _sonic_path(at: Service, given: Parameters) -> Item:
    library, near = media(at), neighbours()
    first, last = (_placed(library, near, given, name) for name in ("startSongId", "endSongId"))
    rows = songs_between(near.sound, first, last, max(2, given.count("count", 25)), near.artists)
    vectors = near.sound.space.vectors
    cosines = (vectors[rows] @ vectors[first]).tolist()
    return {"sonicMatch": _matches(library, near, [*zip(rows, cosines, strict=True)])}


METHODS: Mapping[str, Method] = {
    "getGenres": lambda at, given: {"genres": {"genre": media(at).genres()}},
    "getSongsByGenre": _songs_by_genre,
    "getRandomSongs": _random_songs,
    "getArtists": _artists,
    "getArtist": _artist,
    "getAlbum": _album,
    "getAlbumList2": _album_list,
    "getSong": _song,
    "search3": _search,
    "getSimilarSongs": _similar("similarSongs"),
    "getSimilarSongs2": _similar("similarSongs2"),
    "getSonicSimilarTracks": lambda at, given: {"sonicMatch": _like(at, given, 10)},
    "findSonicPath": _sonic_path,
}
