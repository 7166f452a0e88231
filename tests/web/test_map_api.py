"""The map of a library, similar songs and paths between songs, without a browser."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from genrenet.web.app import create_app
from genrenet.web.song_points import MOST_GENRES, OTHERS, densest, points_of
from tests.helpers.served import conforms, make_service, scan_of


@pytest.fixture(scope="module")
def api(service):
    return create_app(service, os.devnull).test_client()


def decoded(data: bytes) -> tuple[dict, np.ndarray, np.ndarray]:
    """What the page reads: the head, places and genres."""
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    count = head["songs"]
    places = np.frombuffer(data, "<u2", 2 * count, 4 + size).reshape(2, count).T
    return head, places, np.frombuffer(data, np.uint8, count, 4 + size + 4 * count)


@pytest.fixture(scope="module")
def drawn(api, service):
    told = api.get("/api/library/map")
    if told.status_code == 202:
        conforms(told.json, "MapState")
    service.neighbours.map.wait(60)
    answer = api.get("/api/library/map")
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    return decoded(answer.data)


def test_points_have_the_genres_and_numbers_of_the_songs(api, service, drawn):
    head, places, genres = drawn
    known = service.neighbours
    assert (head["by"], head["left_out"]) == ("scores", 0)
    assert head["songs"] == len(known.sound) == len(places)
    assert places.min() == 0 or places.max() == 65535
    asked = {"map": head["id"], "numbers": [*range(len(places))]}
    songs = api.post("/api/library/map/songs", json=asked).json
    conforms(songs, "MapSongs")
    paths = [song["path"] for song in songs["songs"]]
    assert paths == [known.names[number] for number in known.numbers]
    assert [song["number"] for song in songs["songs"]] == [*range(len(paths))]
    named = [head["genres"][code]["genre"] for code in genres]
    assert named == [song["genre"] for song in songs["songs"]]
    counts = [genre["songs"] for genre in head["genres"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(places)


def test_the_points_are_kept_until_a_genre_is_corrected(service, drawn):
    near = service.neighbours
    name, genre = near.names[int(near.numbers[0])], near.songs.genres[int(near.numbers[0])]
    before = near.points()
    assert near.points() is before
    near.correct(name, "polka", 1.0)
    assert "polka" in {each["genre"] for each in decoded(near.points())[0]["genres"]}
    near.correct(name, genre, 0.5)
    assert near.points() == before


def test_songs_of_one_genre_lie_together(drawn):
    _, places, genres = drawn
    gaps = np.linalg.norm(places[:, None].astype(float) - places[None].astype(float), axis=2)
    same = genres[:, None] == genres[None]
    inside = same & ~np.eye(len(genres), dtype=bool)
    assert np.median(gaps[inside]) < np.median(gaps[~same]) / 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"map": "another", "numbers": [1]}, 409),
        ({"map": "another", "numbers": [10**6]}, 409),
        ({"map": None, "numbers": [1]}, 400),
        ({"numbers": [10**6]}, 400),
        ({"numbers": [-1]}, 400),
        ({"numbers": [True]}, 400),
        ({"numbers": ["1"]}, 400),
        ({"numbers": [0] * 5001}, 400),
        ([], 400),
        (None, 400),
    ],
)
def test_numbers_of_no_songs_are_refused(api, service, body, status):
    if isinstance(body, dict):
        body = {"map": service.neighbours.map_id, **body}
    answer = api.post("/api/library/map/songs", json=body)
    assert answer.status_code == status
    assert answer.json["error"]


def test_songs_of_a_kind_have_numbers_on_the_map(api, service, drawn):
    found = api.get("/api/library/map/numbers?q=bass+1").json
    conforms(found, "MapNumbers")
    names = [service.neighbours.names[service.neighbours.numbers[n]] for n in found["numbers"]]
    assert names == ["bass/bass-1.wav"]
    of_genre = api.get("/api/library/map/numbers?genre=treble").json["numbers"]
    assert len(of_genre) == next(g["songs"] for g in drawn[0]["genres"] if g["genre"] == "treble")
    assert found["map"] == drawn[0]["id"]


def test_more_and_less_like_songs(api):
    near = api.get("/api/library/near?more=bass/bass-1.wav&count=7").json
    conforms(near, "NearSongs")
    assert [song["path"] for song in near["more"]] == ["bass/bass-1.wav"]
    assert len(near["songs"]) == 7
    assert {song["genre"] for song in near["songs"]} == {"bass"}
    assert "bass/bass-1.wav" not in [song["path"] for song in near["songs"]]
    alike = [song["similarity"] for song in near["songs"]]
    assert alike == sorted(alike, reverse=True)
    both = "more=bass/bass-1.wav&more=treble/treble-1.wav&count=4"
    mixed = api.get(f"/api/library/near?{both}").json["songs"]
    only = api.get(f"/api/library/near?{both}&less=treble/treble-2.wav").json["songs"]
    assert sum(song["genre"] == "treble" for song in mixed) > 0
    assert {song["genre"] for song in only} == {"bass"}


def test_a_path_begins_and_ends_where_it_should(api):
    asked = "from=bass/bass-1.wav&to=treble/treble-1.wav&count=6"
    found = api.get(f"/api/library/path?{asked}").json
    conforms(found, "SongPath")
    paths = [song["path"] for song in found["songs"]]
    assert (paths[0], paths[-1]) == ("bass/bass-1.wav", "treble/treble-1.wav")
    assert len({*paths}) == len(paths) == 6


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("near", 400),
        ("near?less=bass/bass-1.wav", 400),
        ("near?more=bass/none.wav", 404),
        ("near?more=../bass-1.wav", 404),
        ("near?more=%00", 404),
        ("near?more=bass/bass-1.wav&count=0", 400),
        ("near?more=bass/bass-1.wav&count=201", 400),
        ("path?from=bass/bass-1.wav", 400),
        ("path?from=bass/bass-1.wav&to=bass/none.wav", 404),
        ("path?from=bass/bass-1.wav&to=bass/bass-2.wav&count=1", 400),
    ],
)
def test_what_cannot_be_answered_is_refused(api, asked, status):
    answer = api.get(f"/api/library/{asked}")
    assert answer.status_code == status
    assert answer.json["error"]


def test_without_a_library_there_is_no_map(folder, checkpoint):
    client = create_app(make_service(folder, checkpoint), os.devnull).test_client()
    for asked in ("map", "near?more=bass/bass-1.wav", "path?from=a&to=b"):
        answer = client.get(f"/api/library/{asked}")
        assert answer.status_code == 400
        assert "--library" in answer.json["error"]


def test_a_library_without_songs_has_no_map(folder, checkpoint, tmp_path):
    (tmp_path / "music").mkdir()
    shutil.copy(folder / "broken.mp3", tmp_path / "music")
    table = scan_of(tmp_path / "music", checkpoint, tmp_path / "t.parquet")
    service = make_service(tmp_path / "music", checkpoint, table=table)
    answer = create_app(service, os.devnull).test_client().get("/api/library/map")
    assert answer.status_code == 400
    assert "no song of the library has a genre" in answer.json["error"]


def test_many_genres_are_told_apart_as_far_as_a_byte_goes():
    genres = [f"g{number}" for number in range(300)] + ["g7"] * 5
    places = np.linspace(-1, 1, 2 * len(genres), dtype=np.float32).reshape(-1, 2)
    head, points, codes = decoded(points_of(places, genres))
    names = [genre["genre"] for genre in head["genres"]]
    assert (len(names), names[0], names[-1]) == (MOST_GENRES, "g7", OTHERS)
    assert head["genres"][-1]["songs"] == 300 - (MOST_GENRES - 1)
    assert [names[code] for code in codes[-5:]] == ["g7"] * 5
    assert (points[0, 0], points[-1, 1]) == (0, 65535)


def test_labels_stand_where_songs_are_densest():
    rng = np.random.default_rng(0)
    near = [rng.normal(centre, 800, (count, 2)) for centre, count in ((9000, 400), (50000, 250))]
    found = densest(np.clip(np.concatenate([*near, rng.uniform(0, 65535, (50, 2))]), 0, 65535))
    assert np.allclose(found, [[9000, 9000], [50000, 50000]], atol=1500)
    assert densest(np.zeros((0, 2), np.uint16)) == []


def test_a_recording_that_is_there_twice_is_one_point(folder, checkpoint, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for name in ("bass/bass-0.wav", "bass/bass-1.wav", "treble/treble-1.wav"):
        shutil.copy(folder / name, music)
    (music / "again").mkdir()
    shutil.copy(music / "bass-0.wav", music / "again")
    table = scan_of(music, checkpoint, tmp_path / "t.parquet")
    service = make_service(music, checkpoint, table=table)
    client = create_app(service, os.devnull).test_client()
    assert len(service.neighbours.songs) == 4
    for asked in ("bass-0.wav", "again/bass-0.wav"):
        near = client.get(f"/api/library/near?more={asked}").json
        assert [song["path"] for song in near["songs"]] == ["bass-1.wav", "treble-1.wav"]
        assert near["more"][0]["copies"] == 1
    client.get("/api/library/map")
    service.neighbours.map.wait(60)
    head, _, _ = decoded(client.get("/api/library/map").data)
    assert (head["songs"], head["left_out"]) == (3, 0)


def test_songs_keep_their_places_when_others_come(folder, checkpoint, tmp_path):
    music = tmp_path / "music"
    shutil.copytree(folder / "bass", music / "bass")
    table = scan_of(music, checkpoint, tmp_path / "t.parquet")
    service = make_service(music, checkpoint, table=table)
    client = create_app(service, os.devnull).test_client()
    first = service.neighbours
    client.get("/api/library/map")
    for number in (1, 2):  # nobody looks at the map between the two
        shutil.copy(folder / f"treble/treble-{number}.wav", music / f"treble-{number}.wav")
        scan_of(music, checkpoint, table)
        service.library.refresh(now=True)
        service.wait(60)
    second = service.neighbours
    assert len(second.sound) == len(first.sound) + 2
    client.get("/api/library/map")
    second.map.wait(60)
    assert [*second.map.places[:-2].ravel()] == [*first.map.places.ravel()]
    stale = client.post("/api/library/map/songs", json={"map": first.map_id, "numbers": [0]})
    assert stale.status_code == 409


def test_songs_with_embeddings_are_compared_by_them(folder, checkpoint, service, tmp_path):
    known = service.neighbours.names
    bass = [name for name in known if name.startswith(("bass/", "treble/"))]
    # By these the songs of one number are alike, whatever their genre.
    vectors = np.eye(len(bass), dtype=np.float32)[[int(name[-5]) for name in bass]]
    file = tmp_path / "e.npz"
    about = {"backbone": "b", "layer": "l", "frames": np.ones(len(bass), np.int64)}
    paths = np.array([str(folder / name) for name in bass])
    np.savez(file, paths=paths, song_embeddings=vectors, **about)
    table = scan_of(folder, checkpoint, tmp_path / "t.parquet")
    other = make_service(folder, checkpoint, table=table, embeddings=file)
    client = create_app(other, os.devnull).test_client()
    near = client.get("/api/library/near?more=bass/bass-1.wav&count=1").json
    assert (near["by"], near["songs"][0]["path"]) == ("embeddings", "treble/treble-1.wav")
    missing = client.get("/api/library/near?more=middle/middle-1.wav")
    assert missing.status_code == 404
    assert "no embedding" in missing.json["error"]
    client.get("/api/library/map")
    other.neighbours.map.wait(60)
    head, _, _ = decoded(client.get("/api/library/map").data)
    assert (head["by"], head["songs"]) == ("embeddings", len(bass))
    assert head["left_out"] == len(known) - len(bass)
