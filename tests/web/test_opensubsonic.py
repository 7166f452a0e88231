"""The OpenSubsonic API: a client library of it, the fields its schema requires, and its errors."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import libopensonic
import mutagen.wave
import pytest
from libopensonic.errors import CredentialError, DataNotFoundError
from mutagen.id3 import TALB, TIT2, TPE1

from genrenet.web.app import create_app
from genrenet.web.opensubsonic import METHODS
from genrenet.web.opensubsonic_media import ALBUM, SONG, id_of, name_of
from tests.helpers.served import make_service, scan_of, serving

TOKEN = "a-token-of-some-length"

# The fields that the published schemas require, with their types.
REQUIRED: dict[str, dict[str, type]] = {
    "subsonic-response": {
        "status": str,
        "version": str,
        "type": str,
        "serverVersion": str,
        "openSubsonic": bool,
    },
    "song": {"id": str, "isDir": bool, "title": str},
    "album": {"id": str, "name": str, "songCount": int, "duration": int, "created": str},
    "artist": {"id": str, "name": str},
    "genre": {"value": str, "songCount": int, "albumCount": int},
    "sonicMatch": {"entry": dict, "similarity": float},
    "openSubsonicExtensions": {"name": str, "versions": list},
    "musicFolder": {"id": int},
    "index": {"name": str},
    "license": {"valid": bool},
    "error": {"code": int},
}


class Rest(NamedTuple):
    url: str
    port: int
    folder: Path
    ask: Any


@pytest.fixture(scope="module")
def rest(music, checkpoint, tmp_path_factory):
    """A server that asks for a token, of 24 songs on four albums by two artists."""
    folder = tmp_path_factory.mktemp("rest") / "music"
    shutil.copytree(music, folder)
    for number, song in enumerate(sorted(folder.rglob("*.wav"))):
        tags = mutagen.wave.WAVE(song)
        tags.add_tags()
        artist = "Anna" if number % 2 else "Björk & Ben"
        for frame in (TPE1(text=artist), TALB(text=f"{artist} {number % 4 // 2}")):
            tags.tags.add(frame)
        if number:  # the first is called as its file is
            tags.tags.add(TIT2(text=f"Song {number}"))
        tags.save()
    table = scan_of(folder, checkpoint, folder.parent / "songs.parquet")
    service = make_service(folder, checkpoint, table=table)
    with serving(service, token=TOKEN, opensubsonic=True) as server:

        def ask(method, form="json", key="apiKey", **given):
            query = urlencode({"f": form, key: TOKEN, **given})
            with urlopen(f"{server.url}rest/{method}?{query}", timeout=30) as answer:
                content = answer.read()
            if form != "json":
                return content
            body = json.loads(content)["subsonic-response"]
            check("subsonic-response", body)
            return body

        yield Rest("http://127.0.0.1", server.port, folder, ask)


@contextmanager
def connected(rest, *who, **how):
    found = libopensonic.Connection(rest.url, *who, port=rest.port, app_name="tests", **how)
    try:
        yield found
    finally:
        found.cleanup()
        found._loop.close()  # which it leaves open


@pytest.fixture(scope="module")
def client(rest):
    with connected(rest, "anybody", TOKEN) as found:
        yield found


def check(kind, value):
    """Check the fields that a schema requires, in a value and in all that is in it."""
    for name, type_ in REQUIRED.get(kind, {}).items():
        assert isinstance(value[name], type_), (kind, name, value)
    for name, inner in value.items():
        inside = "song" if name == "entry" else name
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                check(inside, each)


def test_a_client_finds_genres_and_their_songs(client, rest):
    assert client.ping()
    assert client.get_license()["license"]["valid"]
    genres = {genre.value: genre for genre in client.get_genres()}
    assert {*genres} == {"bass", "middle", "treble"}
    assert [genres[name].song_count for name in sorted(genres)] == [8, 8, 8]
    songs = client.get_songs_by_genre("BASS", count=100)
    assert len(songs) == 8
    assert {song.genre for song in songs} == {"bass"}
    assert {genre.name for song in songs for genre in song.genres} >= {"bass"}
    assert [s.id for s in client.get_songs_by_genre("bass", count=3, offset=6)] == [
        song.id for song in songs[6:]
    ]
    assert client.get_songs_by_genre("no such genre") == []
    assert len(client.get_random_songs(5, genre="treble")) == 5


def test_a_client_browses_artists_albums_and_songs(client):
    artists = [artist for index in client.get_artists().index for artist in index.artist]
    assert sorted(artist.name for artist in artists) == ["Anna", "Björk & Ben"]
    anna = client.get_artist(next(artist.id for artist in artists if artist.name == "Anna"))
    assert anna.album_count == len(anna.album) == 6  # two names in each of three folders
    album = client.get_album(anna.album[0].id)
    assert album.artist == "Anna"
    assert album.song_count == len(album.song) > 0
    song = client.get_song(album.song[0].id)
    assert (song.artist, song.album_id, song.suffix) == ("Anna", album.id, "wav")
    for kind in ("alphabeticalByName", "alphabeticalByArtist", "random", "newest"):
        assert len(client.get_album_list2(kind, size=100)) == 12
    assert len(client.get_album_list2("byGenre", genre="bass", size=100)) == 4


def test_a_client_searches_and_synchronises(client, rest):
    found = client.search3("bjork", song_count=100)
    assert [artist.name for artist in found.artist] == ["Björk & Ben"]
    assert len(found.song) == 12
    assert [song.title for song in client.search3("sogn 23").song][:1] == ["Song 23"]
    everything = [
        song.id
        for offset in range(0, 30, 10)
        for song in client.search3("", song_count=10, song_offset=offset).song or []
    ]
    assert len(everything) == len({*everything}) == 24


def test_a_client_finds_what_sounds_alike_and_a_path(client):
    songs = client.get_songs_by_genre("bass", count=100)
    near = client.get_sonic_similar_tracks(songs[0].id, count=7)
    assert {match.entry.id for match in near} == {song.id for song in songs[1:]}
    values = [match.similarity for match in near]
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)
    assert [song.id for song in client.get_similar_songs2(songs[0].id, 7)] == [
        match.entry.id for match in near
    ]
    treble = client.get_songs_by_genre("treble", count=1)[0]
    path = client.find_sonic_path(songs[0].id, treble.id, count=6)
    assert (path[0].entry.id, path[-1].entry.id) == (songs[0].id, treble.id)
    assert len({match.entry.id for match in path}) == len(path) == 6
    assert path[0].similarity == pytest.approx(1, abs=1e-3)


def test_a_song_is_played_as_it_is(rest, client):
    song = client.get_songs_by_genre("middle", count=1)[0]
    answer = rest.ask("stream", form="", id=song.id)
    assert answer == (rest.folder / song.path).read_bytes()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_answers_have_what_the_schemas_require_as_json_and_xml(method, rest):
    (song,) = rest.ask("getSongsByGenre", genre="bass", count=1)["songsByGenre"]["song"]
    given = {"id": song["id"], "genre": "bass", "type": "byGenre", "query": "song"}
    given |= {"startSongId": song["id"], "endSongId": song["id"]}
    given |= {"getArtist": {"id": song["artistId"]}, "getAlbum": {"id": song["albumId"]}}.get(
        method, {}
    )
    given = {name: value for name, value in given.items() if not isinstance(value, dict)}
    assert rest.ask(method, **given)["status"] == "ok"
    answer = rest.ask(method, form="xml", **given)
    top = ET.fromstring(answer)
    assert top.tag == "{http://subsonic.org/restapi}subsonic-response"
    assert (top.get("status"), top.get("openSubsonic")) == ("ok", "true")


def test_who_does_not_know_the_token_is_refused(rest):
    for user, password in (("anybody", "wrong"), ("", "")):
        with connected(rest, user, password) as other, pytest.raises(CredentialError):
            other.get_genres()
    with connected(rest, "a", TOKEN, legacy_auth=True, use_get=True) as plain:
        assert plain.ping()
    with connected(rest, api_key=TOKEN) as keyed:
        assert [extension.name for extension in keyed.get_open_subsonic_extensions()] == [
            "apiKeyAuthentication",
            "formPost",
            "sonicSimilarity",
        ]
        assert keyed.ping()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 10),
        ({"u": "a"}, 10),
        ({"p": "wrong"}, 40),
        ({"p": "enc:zz"}, 40),
        ({"p": "enc:" + TOKEN.encode().hex()}, None),
        ({"t": hashlib.md5(f"{TOKEN}salt".encode()).hexdigest(), "s": "salt"}, None),
        ({"t": hashlib.md5(f"{TOKEN}salt".encode()).hexdigest(), "s": "other"}, 40),
        ({"t": hashlib.md5(TOKEN.encode()).hexdigest()}, 10),
        ({"apiKey": "wrong"}, 44),
        ({"apiKey": TOKEN, "u": "a"}, 43),
    ],
)
def test_the_ways_to_show_the_token(given, code, rest):
    body = rest.ask("ping", key="unused", **given)
    assert body.get("error", {}).get("code") == code


def test_errors_are_answers(rest, client):
    with pytest.raises(DataNotFoundError, match="no such song"):
        client.get_song("so-nothing")
    for method in ("getArtist", "getAlbum", "getSonicSimilarTracks", "stream"):
        assert rest.ask(method, id="xx-zzz")["error"]["code"] == 70
    with pytest.raises(DataNotFoundError):
        client.get_song(id_of(SONG, "../songs.parquet"))
    assert rest.ask("getSong")["error"] == {"code": 10, "message": "the parameter 'id' is missing"}
    assert (
        "wanted a number"
        in rest.ask("getSongsByGenre", genre="bass", count="x")["error"]["message"]
    )
    assert "no method" in rest.ask("startScan")["error"]["message"]


def test_without_a_library_it_says_so_and_without_the_option_there_is_none(
    music, checkpoint, tmp_path
):
    service = make_service(music, checkpoint)
    client = create_app(service, str(tmp_path), opensubsonic=True).test_client()
    body = client.get("/rest/getGenres?f=json").get_json()["subsonic-response"]
    assert "start the server with --library" in body["error"]["message"]
    assert client.get("/rest/ping?f=json").get_json()["subsonic-response"]["status"] == "ok"
    plain = create_app(service, str(tmp_path)).test_client()
    assert plain.get("/rest/ping").status_code == 404


@pytest.mark.parametrize("name", ["a/b.mp3", "ünïcode/ö.flac", "x" * 300, ""])
def test_ids_stand_for_names(name):
    given = id_of(SONG, name)
    assert name_of(SONG, given) == name
    assert name_of(ALBUM, given) is None
    assert given.isascii()
    assert name_of(SONG, "so-*") is None
    assert name_of(SONG, "so-_w") is None
