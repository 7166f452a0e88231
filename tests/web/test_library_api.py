"""The API of the library: pages of lists, search, a song's data, and errors."""

from __future__ import annotations

import pytest

from genrenet.web.app import create_app
from tests.helpers.library_tables import write_shelf, write_songs
from tests.helpers.served import conforms, make_service


@pytest.fixture(scope="module")
def library(checkpoint, tmp_path_factory):
    root = tmp_path_factory.mktemp("shelf") / "music"
    root.mkdir()
    write_songs(root)
    table = write_shelf(root, tmp_path_factory.mktemp("table") / "t.parquet")
    app = create_app(make_service(root, checkpoint, table=table), str(root))
    return app.test_client()


def test_lists_come_in_pages(library):
    first = library.get("/api/library/songs?limit=4&sort=title").json
    conforms(first, "Tracks")
    assert (len(first["songs"]), first["total"], first["offset"]) == (4, 9, 0)
    rest = library.get("/api/library/songs?limit=400&offset=4&sort=title").json["songs"]
    names = [song["title"] for song in [*first["songs"], *rest]]
    assert len(names) == 9
    assert names == sorted(names, key=str.casefold)
    conforms(library.get("/api/library/overview").json, "Overview")
    artists = library.get("/api/library/artists?genre=jazz").json
    conforms(artists, "Artists")
    assert [row["artist"] for row in artists["artists"]] == ["Miles Davis"]
    albums = library.get("/api/library/albums?artist=AC%2FDC").json
    conforms(albums, "Albums")
    assert [row["album"] for row in albums["albums"]] == ["Powerage"]
    copies = library.get("/api/library/duplicates").json
    conforms(copies, "Duplicates")
    assert (copies["total"], len(copies["recordings"][0]["files"])) == (1, 2)


def test_a_search_finds_and_says_what_is_misspelt(library):
    found = library.get("/api/library/search", query_string={"q": "mile davies"}).json
    conforms(found, "Search")
    assert found["artists"] == ["Miles Davis"]
    assert found["typos"]
    assert {song["artist"] for song in found["songs"]} == {"Miles Davis"}
    asked = {"q": "davis", "state": "unsure"}
    assert library.get("/api/library/songs", query_string=asked).json["total"] == 1


def test_all_of_a_song(library):
    path = "AC_DC/Powerage/01 Sin City.wav"
    song = library.get("/api/library/song", query_string={"path": path}).json
    conforms(song, "TrackInFull")
    assert song["scores"] == {"jazz": 0.05, "not music": 0.05, "rock": 0.9}
    assert [file["path"] for file in song["files"]] == [path, "Best of/CD1/Sin City.mp3"]
    assert song["tags"] == {"artist": None, "album": None, "title": None, "genre": None}
    broken = library.get("/api/library/song?path=sounds/broken.mp3").json
    conforms(broken, "TrackInFull")
    assert (broken["state"], broken["scores"]) == ("error", {})


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("songs?sort=mood", 400, "artist or title"),
        ("songs?state=odd", 400, "unsure"),
        ("songs?limit=0", 400, "from 1 to 500"),
        ("albums?offset=-1", 400, "offset"),
        ("song?path=no.wav", 404, "no such song"),
        ("song", 404, "no such song"),
    ],
)
def test_wrong_requests_get_a_line(library, address, status, words):
    answer = library.get(f"/api/library/{address}")
    assert answer.status_code == status
    assert words in answer.json["error"]
    conforms(answer.json, "Error")


def test_without_a_library_the_lists_say_so(music, checkpoint, tmp_path):
    client = create_app(make_service(music, checkpoint), str(tmp_path)).test_client()
    for name in ("overview", "songs", "artists", "search?q=x", "song?path=x"):
        answer = client.get(f"/api/library/{name}")
        assert answer.status_code == 400
        assert "--library" in answer.json["error"]
    assert client.get("/api/colours").json["genres"].keys() == {"bass", "middle", "treble"}
