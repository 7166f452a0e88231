"""Several values and other fields: in every kind of tag, as other programs read them, and back."""

import json
import shutil
import subprocess
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import GRP1, ID3, TIT1, TXXX

from genrenet.library.genre_tags import read_fields, write_fields
from genrenet.library.tag_values import FIELDS
from tests.helpers.tagged_files import FILES, add_others, audio, make, others

SEVERAL = {"genre": ["Rock", "Pop"], "grouping": ["Früh", "b"], "style": ["Shoegaze", "Dream Pop"]}
NOTHING = dict.fromkeys(FIELDS)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in FILES:
        make(folder, name)
    return folder


def probed(path):
    """What FFmpeg's own program reads."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    tags = [found["format"].get("tags", {}), *(s.get("tags", {}) for s in found["streams"])]
    return {key.lower(): value for some in tags for key, value in some.items()}


@pytest.mark.parametrize("name", FILES)
def test_lists_come_and_go_and_nothing_else_changes(made, tmp_path, name):
    path = Path(shutil.copy(made / name, tmp_path))
    add_others(path)
    sounds, rest = audio(path), others(path)
    assert read_fields(str(path)).values == NOTHING
    write_fields(str(path), SEVERAL)
    assert read_fields(str(path)).values == SEVERAL
    write_fields(str(path), {"style": None})
    assert read_fields(str(path)).values == {**SEVERAL, "style": None}
    write_fields(str(path), NOTHING)
    assert read_fields(str(path)).values == NOTHING
    assert (audio(path), others(path)) == (sounds, rest)


def expected(name):
    if name in {"late.m4a", "early.m4a", "lossless.m4a"}:
        return "Rock"  # FFmpeg takes one value of a list
    return "Rock/Pop" if name.endswith((".mp3", ".mp2", ".wav", ".aiff", ".aac")) else "Rock;Pop"


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="no ffprobe")
@pytest.mark.parametrize("name", ["lame.mp3", "free.flac", "xiph.opus", "late.m4a", "16.wav"])
def test_what_other_programs_see(made, tmp_path, name):
    path = Path(shutil.copy(made / name, tmp_path))
    held = read_fields(str(path))
    write_fields(str(path), {field: held.stored(values) for field, values in SEVERAL.items()})
    assert probed(path)["genre"] in (expected(name), "Rock")


@pytest.mark.parametrize("version", [3, 4])
def test_slashes_in_2_3_and_nulls_in_2_4(made, tmp_path, version):
    path = Path(shutil.copy(made / "lame.mp3", tmp_path))
    tags = ID3()
    tags.add(GRP1(encoding=0, text=["mine"]))
    tags.save(path, v2_version=version)
    held = read_fields(str(path))
    write_fields(str(path), {"genre": held.stored(["Rock", "Pop"])})
    found = ID3(path, translate=False)
    assert found.version == (2, version, 0)
    assert found["TCON"].text == (["Rock/Pop"] if version == 3 else ["Rock", "Pop"])
    assert read_fields(str(path)).values["grouping"] == ["mine"]
    text = b"Rock/Pop" if version == 3 else b"Rock\0Pop"
    assert text in path.read_bytes()


def test_lists_of_vorbis_and_mp4_are_lists(made, tmp_path):
    flac, mp4 = (Path(shutil.copy(made / name, tmp_path)) for name in ("free.flac", "late.m4a"))
    for path in (flac, mp4):
        write_fields(str(path), SEVERAL)
    assert flac.read_bytes().upper().count(b"GENRE=") == 2
    tags = mutagen.File(mp4).tags
    assert (tags["\xa9gen"], tags["\xa9grp"]) == (["Rock", "Pop"], ["Früh", "b"])
    style = tags["----:com.apple.iTunes:STYLE"]
    assert [bytes(one) for one in style] == [b"Shoegaze", b"Dream Pop"]


def test_fields_stay_where_a_file_has_them(made, tmp_path):
    path = Path(shutil.copy(made / "lame.mp3", tmp_path))
    tags = ID3()
    tags.add(GRP1(encoding=0, text=["iTunes'"]))
    tags.add(TIT1(encoding=0, text=["the work"]))
    tags.add(TXXX(encoding=0, desc="Style", text=["my style"]))
    tags.save(path)
    assert read_fields(str(path)).values == {
        "genre": None, "grouping": ["iTunes'"], "style": ["my style"],
    }  # fmt: skip
    write_fields(str(path), {"grouping": ["a"], "style": ["b"]})
    found = ID3(path)
    assert (found["GRP1"].text, found["TIT1"].text) == (["a"], ["the work"])
    assert found["TXXX:Style"].text == ["b"]
    assert "TXXX:STYLE" not in found
