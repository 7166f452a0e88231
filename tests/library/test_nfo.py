"""NFO files of albums and artists: only their genres change, and all can be undone."""

import json
import os
from xml.etree import ElementTree

import pytest

from genrenet.library.nfo import LARGEST, amended
from genrenet.library.nfo_folders import tag_nfo
from genrenet.library.table import About, write_rows
from genrenet.library.tag_plans import Wish
from genrenet.library.tag_rules import Rules
from genrenet.library.tagging import undo_tags
from genrenet.utils.errors import printable

OURS = ["Rock", "R&B", "日本"]
KODI = """<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<album>
    <title>Ä</title>
    <genre>Other</genre>
    <genre clear='true'>Misc</genre>
    <review>a &lt; b</review>
    <track><genre>mine</genre></track>
</album>
"""
FILES = {
    "kodi": KODI,
    "none": "<album>\r\n\t<title>A</title>\r\n</album>",
    "one line": "<album><title>A</title></album>",
    "address": "<album>\n  <genre/>\n</album>\nhttps://musicbrainz.org/release/1\n",
    "latin": '<?xml version="1.0" encoding="ISO-8859-1"?>\n<album>\n <title>\xc4</title>\n</album>',
    "letter": "<album>\u00e0<genre>Other</genre>\u00e0</album>",
    "comment": "<!-- <genre>no</genre> -->\n<album>\n <!-- <genre>no</genre> -->\n</album>\n",
}


@pytest.mark.parametrize("name", FILES)
def test_only_genres_change(name):
    text = FILES[name] if name == "latin" else FILES[name].encode().decode("latin-1")
    new = amended(text, "album", OURS)
    content = new.encode("latin-1").partition(b"\nhttps:")
    root = ElementTree.fromstring(content[0])
    assert [genre.text for genre in root.findall("genre")] == OURS
    was = ElementTree.fromstring(text.encode("latin-1").partition(b"\nhttps:")[0])
    for tree in (root, was):
        for genre in tree.findall("genre"):
            tree.remove(genre)
    kept = [(one.tag, one.text, len(one)) for one in was]
    assert [(one.tag, one.text, len(one)) for one in root] == kept
    assert content[1:] == text.encode("latin-1").partition(b"\nhttps:")[1:]
    assert amended(new, "album", OURS) == new
    assert "<genre" not in amended(new, "album", []).replace("<!-- <genre>no", "").replace(
        "<track><genre>mine", ""
    )


def test_lines_stay_as_they_are():
    assert amended(FILES["none"], "album", ["A", "B"]) == (
        "<album>\r\n\t<title>A</title>\r\n\t<genre>A</genre>\r\n\t<genre>B</genre>\r\n</album>"
    )
    text = KODI.encode().decode("latin-1")
    lines = text.splitlines()
    found = amended(text, "album", ["A"]).splitlines()
    assert found == [*lines[:3], "    <genre>A</genre>", *lines[5:]]


PLAIN = Wish()


def row(path, genre, **more):
    usual = {"confidence": 0.9, "genres": genre, "artist": "Ann", "album": path.parent.name}
    return {"path": str(path), "genre": genre, **usual, **more}


@pytest.fixture
def library(tmp_path):
    """An artist with two albums, and a folder of all sorts."""
    folder = tmp_path / "music"
    rows = []
    for album, genres in (("One", ["rock", "rock", "pop"]), ("Two", ["jazz", "rock"])):
        path = folder / "Ann" / album
        path.mkdir(parents=True)
        rows += [row(path / f"{n}.mp3", genre) for n, genre in enumerate(genres)]
    sorts = folder / "Sorts"
    sorts.mkdir()
    rows += [row(sorts / "1.mp3", "pop", album="A"), row(sorts / "2.mp3", "pop", album="B")]
    rows += [row(sorts / "Loose" / "3.mp3", "pop", album="")]
    write_rows(tmp_path / "t.parquet", rows, About(["rock", "pop", "jazz"], "model"))
    return tmp_path / "t.parquet", folder / "Ann"


def run(library, wish=PLAIN, **more):
    table, ann = library
    found = tag_nfo(table, wish, **more)
    return {os.path.relpath(one.path, ann): one for one in found}


def genres(file):
    return [one.text for one in ElementTree.parse(file).getroot().findall("genre")]


def test_albums_and_artists(library, tmp_path):
    _, ann = library
    planned = run(library, Wish(genres=2))
    assert {name: one.new for name, one in planned.items()} == {
        "One/album.nfo": ["rock", "pop"],
        "Two/album.nfo": ["jazz", "rock"],
        "artist.nfo": ["rock", "pop"],
    }
    assert not list(ann.rglob("*.nfo"))
    undo = tmp_path / "undo"
    assert run(library, Wish(genres=2), undo=undo) == planned
    assert genres(ann / "One" / "album.nfo") == ["rock", "pop"]
    root = ElementTree.parse(ann / "artist.nfo").getroot()
    assert (root.tag, root.findtext("name")) == ("artist", "Ann")
    assert {one.kind for one in run(library, Wish(genres=2), undo=undo).values()} == {"same"}
    assert {one.kind for one in run(library, Wish()).values()} == {"kept"}
    assert {one.kind for one in undo_tags(undo, write=True)} == {"tagged"}
    assert not list(ann.rglob("*.nfo"))
    assert {one.kind for one in undo_tags(undo, write=True)} == {"same"}


def test_files_that_are_there(library, tmp_path):
    _, ann = library
    files = {ann / "One" / "album.nfo": FILES["kodi"], ann / "artist.nfo": "<artist>\n</artist>"}
    files[ann / "Two" / "album.nfo"] = "<album>\n<genre>Funk</genre>\n</album>"
    for path, text in files.items():
        path.write_bytes(text.encode())
    undo = tmp_path / "undo"
    found = run(library, Wish(refine=True), undo=undo)
    assert {name: one.kind for name, one in found.items()} == {
        "One/album.nfo": "tagged", "Two/album.nfo": "against", "artist.nfo": "tagged",
    }  # fmt: skip
    assert found["One/album.nfo"].old == ["Other", "Misc"]
    assert genres(ann / "One" / "album.nfo") == ["rock"]
    run(library, Wish(keep_existing=False), undo=undo)
    assert genres(ann / "Two" / "album.nfo") == ["jazz"]
    # A server writes one of them anew.
    again = "<album><year>1999</year><genre>rock</genre></album>"
    (ann / "One" / "album.nfo").write_text(again)
    (ann / "artist.nfo").write_text("<artist><genre>mine</genre></artist>")
    back = {os.path.relpath(one.path, ann): one.kind for one in undo_tags(undo, write=True)}
    assert back == {
        "One/album.nfo": "tagged", "Two/album.nfo": "tagged", "artist.nfo": "changed",
    }  # fmt: skip
    assert genres(ann / "One" / "album.nfo") == ["Other", "Misc"]
    assert ElementTree.parse(ann / "One" / "album.nfo").findtext("year") == "1999"
    assert (ann / "Two" / "album.nfo").read_bytes() == files[ann / "Two" / "album.nfo"].encode()
    assert genres(ann / "artist.nfo") == ["mine"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"https://musicbrainz.org/release/1\n", "not well-formed"),
        (b"<album><genre>", "no element found"),
        (b"<movie></movie>", "its root is 'movie', not 'album'"),
        (b"<album/>", "'album' is empty"),
        ("<album></album>".encode("utf-16"), "UTF-16"),
        (b"<album>" + b" " * LARGEST + b"</album>", "too large"),
    ],
)
def test_files_that_are_left_alone(library, tmp_path, content, said):
    _, ann = library
    (ann / "One" / "album.nfo").write_bytes(content)
    found = run(library, undo=tmp_path / "undo")["One/album.nfo"]
    assert found.kind == "failed"
    assert said in found.error
    assert (ann / "One" / "album.nfo").read_bytes() == content


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_read_only(library, tmp_path):
    _, ann = library
    (ann / "One").chmod(0o555)
    found = run(library, undo=tmp_path / "undo")
    (ann / "One").chmod(0o755)
    assert found["One/album.nfo"].kind == "failed"
    assert found["Two/album.nfo"].kind == "tagged"


def test_a_library_that_is_gone(library, tmp_path):
    _, ann = library
    os.rename(ann, tmp_path / "elsewhere")
    found = run(library, undo=tmp_path / "undo")
    assert {one.kind for one in found.values()} == {"failed"}
    assert "No such file" in found["One/album.nfo"].error


def test_rules_and_confidence(library):
    rules = Rules([{"match": "Two", "skip": True}, {"match": "artist.nfo", "genres": 3}])
    found = run(library, rules=rules)
    assert {name: one.new for name, one in found.items()} == {
        "One/album.nfo": ["rock"], "artist.nfo": ["rock", "pop"],
    }  # fmt: skip
    assert run(library, Wish(0.95)) == {}


def test_the_undo_file_is_one_with_that_of_tags(library, tmp_path):
    run(library, undo=tmp_path / "undo")
    lines = [json.loads(line) for line in (tmp_path / "undo").read_text().splitlines()]
    assert {line["field"] for line in lines} == {"nfo"}
    assert all(line["old"] is None for line in lines)


def test_folders_whose_names_are_not_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    stored = printable(folder / "1.mp3")
    rows = [{"path": stored, "genre": "rock", "confidence": 0.9, "genres": "rock"}]
    rows[0] |= {"artist": "Ann", "album": "One"}
    write_rows(tmp_path / "t.parquet", rows, About(["rock", "pop"], "model"))
    undo = tmp_path / "undo"
    (done,) = tag_nfo(tmp_path / "t.parquet", Wish(), undo=undo)
    assert (done.kind, genres(folder / "album.nfo")) == ("tagged", ["rock"])
    assert [one.kind for one in undo_tags(undo, write=True)] == ["tagged"]
    assert not (folder / "album.nfo").exists()
