"""The genre of one file: every kind of tag, with audio and other tags unchanged."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import mutagen
import pytest
from mutagen.apev2 import APEv2, APEv2File, APEValue
from mutagen.id3 import ID3, TCON, TIT2, TYER, ParseID3v1

from genrenet.audio import fingerprint
from genrenet.library.genre_tags import GenreTagError, read_genre, write_genre
from tests.helpers.audio_files import KINDS, write
from tests.helpers.tagged_files import (
    FILES,
    NO_ENCODER,
    SECONDS,
    add_others,
    audio,
    make,
    open_tags,
    others,
)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in FILES:
        make(folder, name)
    return folder


@pytest.fixture(params=FILES)
def file(request, made, tmp_path) -> Path:
    return Path(shutil.copy(made / request.param, tmp_path))


def test_genres_come_and_go_and_nothing_else_changes(file):
    add_others(file)
    sounds, tags = audio(file), others(file)
    printed = None if file.name in NO_ENCODER else fingerprint(file)
    assert read_genre(str(file)) is None
    for genres in (["Rock"], ["Drum & Bass/Jungle", "Früher"], ["日本"], None, ["Pop"]):
        write_genre(str(file), genres)
        assert read_genre(str(file)) == genres
        assert audio(file) == sounds
        assert others(file) == tags
        assert printed is None or fingerprint(file) == printed
    assert os.listdir(file.parent) == [file.name]


def test_files_without_tags(file):
    sounds = audio(file)
    write_genre(str(file), ["Rock", "Pop"])
    assert read_genre(str(file)) == ["Rock", "Pop"]
    assert mutagen.File(file).tags if file.suffix != ".aac" else True
    assert audio(file) == sounds
    write_genre(str(file), None)
    assert read_genre(str(file)) is None


def test_what_other_programs_see(made, tmp_path):
    """FFmpeg, which shares no code with mutagen, reads the genre."""
    for name in sorted(set(FILES) - NO_ENCODER):
        path = Path(shutil.copy(made / name, tmp_path))
        write_genre(str(path), ["Trip Hop"])
        with av.open(str(path)) as container:
            found = {**container.metadata, **container.streams.audio[0].metadata}
        found = {key.lower(): value for key, value in found.items()}
        assert found.get("genre") == "Trip Hop", name


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("name", ["lame.mp3", "16.wav", "apple.aiff", "adts.aac"])
def test_the_version_of_id3_stays(made, tmp_path, name, version):
    path = Path(shutil.copy(made / name, tmp_path))
    file = open_tags(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TIT2(encoding=1, text="title"))
    if version == 3:
        file.tags.add(TYER(encoding=0, text="1999"))
    file.tags.unknown_frames.append(b"XABC" + struct.pack(">LH", 4, 0) + b"\x00\x01\x02\x03")
    file.tags._unknown_v2_version = version
    file.tags.add(TCON(encoding=0, text="(17)"))
    file.save(v2_version=version)
    assert read_genre(str(path)) == ["(17)"]
    was = others(path)
    assert was[2] == (2, version, 0)
    assert was[1]
    write_genre(str(path), ["Pop", "Größe"])
    assert others(path) == was
    write_genre(str(path), ["(17)"])
    assert read_genre(str(path)) == ["(17)"]
    assert others(path) == was


def test_mp3_without_tags_gets_what_all_players_read(made, tmp_path):
    path = Path(shutil.copy(made / "lame.mp3", tmp_path))
    size = path.stat().st_size
    write_genre(str(path), ["Größe"])
    assert path.read_bytes()[:4] == b"ID3\x03"
    assert path.read_bytes()[-size:] == (made / "lame.mp3").read_bytes()
    assert path.read_bytes()[-128:-125] != b"TAG"


def test_version_2_2_becomes_2_3(made, tmp_path):
    path = Path(shutil.copy(made / "lame.mp3", tmp_path))

    def tag(*frames):
        body = b"".join(name + struct.pack(">L", len(data))[1:] + data for name, data in frames)
        return b"ID3\x02\x00\x00\x00\x00\x00" + bytes([len(body)]) + body

    audio = path.read_bytes()
    path.write_bytes(tag((b"TT2", b"\x00title"), (b"TCO", b"\x00(17)")) + audio)
    assert read_genre(str(path)) == ["(17)"]
    write_genre(str(path), ["Pop"])
    found = ID3(path, translate=False)
    assert (found.version, str(found["TIT2"]), str(found["TCON"])) == ((2, 3, 0), "title", "Pop")
    path.write_bytes(tag((b"TT2", b"\x00title"), (b"XYZ", b"\x00what")) + audio)
    with pytest.raises(GenreTagError, match=r"version 2\.2"):
        write_genre(str(path), ["Pop"])


V1 = b"TAG" + b"T\xfctel".ljust(30, b"\0") + b"me".ljust(30) + bytes(30) + b"1999"
V1 += b"my own comment".ljust(28) + b"\x00\x07" + b"\x0c"


@pytest.mark.parametrize("name", ["lame.mp3", "pack.wv", "true.tta"])
def test_id3v1_keeps_all_but_its_genre(made, tmp_path, name):
    path = Path(shutil.copy(made / name, tmp_path))
    write_genre(str(path), ["Pop"])
    with open(path, "ab") as held:
        held.write(V1)
    for genre, byte in ((["rock"], 17), (["My own"], 255), (["Jazz", "Rock"], 8), (["(17)"], 17)):
        write_genre(str(path), genre)
        assert read_genre(str(path)) == genre
        assert path.read_bytes()[-128:] == V1[:-1] + bytes([byte])
    assert path.read_bytes().count(V1[:33]) == 1


def test_id3v1_speaks_where_id3v2_is_silent(made, tmp_path):
    path = Path(shutil.copy(made / "lame.mp3", tmp_path))
    with open(path, "ab") as held:
        held.write(V1)
    assert read_genre(str(path)) == ["Other"]
    write_genre(str(path), ["Pop"])
    found = ID3(path, translate=False, load_v1=False)
    assert found.version == (2, 3, 0)
    assert str(found["TIT2"]) == "Tütel"
    assert str(found["TYER"]) == "1999"
    assert ParseID3v1(path.read_bytes()[-128:])["TRCK"] == "7"
    ID3(path).save(path, v1=0)
    found = ID3(path)
    found.delall("TCON")
    found.save(path)
    with open(path, "ab") as held:
        held.write(V1)
    assert read_genre(str(path)) == ["Other"]


def test_true_audio_with_apev2(made, tmp_path):
    path = Path(shutil.copy(made / "true.tta", tmp_path))
    tags = APEv2()
    tags["Title"] = "title"
    tags.save(path)
    write_genre(str(path), ["Pop"])
    assert APEv2File(path)["Genre"] == "Pop"
    assert not path.read_bytes().startswith(b"ID3")


def test_binary_genres_are_no_genres(made, tmp_path):
    path = Path(shutil.copy(made / "pack.wv", tmp_path))
    tags = APEv2()
    tags["Genre"] = APEValue(b"\x00\x01", mutagen.apev2.BINARY)
    tags.save(path)
    with pytest.raises(GenreTagError, match="not text"):
        read_genre(str(path))


@pytest.mark.parametrize("name", ["sun.au", "core.caf", "matroska.mka", "dolby.ac3", "web.webm"])
def test_kinds_without_tags(tmp_path, name):
    path = write(tmp_path, KINDS[name], SECONDS)
    was = path.read_bytes()
    with pytest.raises(GenreTagError, match="cannot be written"):
        read_genre(str(path))
    with pytest.raises(GenreTagError, match=name):
        write_genre(str(path), ["Pop"])
    assert path.read_bytes() == was


def test_damaged_files(tmp_path, made):
    path = tmp_path / "song.mp3"
    for content in (b"", b"no music", b"ID3\x04\x00\x00\x00\x00\x00\x7f", bytes(5000)):
        path.write_bytes(content)
        with pytest.raises(GenreTagError, match=r"song\.mp3"):
            write_genre(str(path), ["Pop"])
        assert path.read_bytes() == content
    bare = write(tmp_path, KINDS["adts.aac"], SECONDS)
    ID3(bare).delete(bare) if bare.read_bytes().startswith(b"ID3") else None
    with pytest.raises(GenreTagError, match="without an ID3 tag"):
        read_genre(str(bare))


def test_names_rights_and_links(made, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    path = folder / ("lang " * 49 + ".flac")
    shutil.copy(made / "free.flac", path)
    path.chmod(0o640)
    os.utime(path, (1, 1))
    (link := tmp_path / "link.flac").symlink_to(path)
    write_genre(str(link), ["Pop"])
    assert link.is_symlink()
    assert read_genre(str(path)) == ["Pop"]
    found = path.stat()
    assert found.st_mode & 0o777 == 0o640
    assert found.st_mtime > 1_000_000


LIMITED = """
import os, resource, sys
from genrenet.library.genre_tags import GenreTagError, write_genre
path, how = sys.argv[1:]
write_genre(path, ["Rock"])  # imports what a user without rights may be unable to
was = open(path, "rb").read()
if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(was) // 2, len(was) // 2))
else:
    os.chmod(os.path.dirname(path), 0o555 if how == "folder" else 0o777)
    os.chmod(path, 0o444 if how == "file" else 0o666)
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 65534)  # nobody: nothing is forbidden to root
try:
    write_genre(path, ["Pop"])
except GenreTagError as error:
    print(error, open(path, "rb").read() == was, os.listdir(os.path.dirname(path)))
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("full", "File too large"),
        ("file", "write-protected"),
        ("folder", "its folder is write-protected"),
    ],
)
def test_what_cannot_be_written_stays_as_it_was(made, how, said):
    # Not in pytest's folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(made / "lame.mp3", folder)
        command = [sys.executable, "-c", LIMITED, path, how]
        ran = subprocess.run(command, capture_output=True, text=True)
        assert said in ran.stdout, ran.stderr
        assert ran.stdout.endswith("True ['lame.mp3']\n")
        os.chmod(folder, 0o777)


def test_audio_that_has_to_move(made, tmp_path):
    path = Path(shutil.copy(made / "late.m4a", tmp_path))
    write_genre(str(path), ["x" * 20_000])
    assert fingerprint(path) == fingerprint(made / "late.m4a")
