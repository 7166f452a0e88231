"""A file is replaced by a tagged copy only if the copy has the same audio."""

import os
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from mutagen.apev2 import APEv2
from mutagen.id3 import APIC, ID3, TIT2
from mutagen.mp4 import MP4

from genrenet.audio import fingerprint
from genrenet.library.genre_tags import GenreTagError, read_genre, write_genre
from genrenet.library.same_audio import AudioChangedError, check_same_audio
from genrenet.library.tag_values import format_of
from tests.helpers.audio_files import KINDS, encode, signal, write
from tests.helpers.riff_files import chunk, riff
from tests.helpers.tagged_files import FILES, PIXEL, audio, make


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in FILES:
        make(folder, name)
    return folder


def seconds(path: Path) -> float:
    """What a decoder gets out of a file."""
    with av.open(str(path)) as held:
        return sum(frame.samples for frame in held.decode(audio=0)) / 44_100


def mp4(path: Path, flags: str, *, container: str = "mp4", duration: float = 8.0) -> Path:
    options = {"movflags": flags} if flags else {}
    if flags and flags != "faststart":
        options["frag_duration"] = "500000"
    sound = signal(duration, 44_100)
    encode(path, sound, 44_100, "aac", container=container, options=options)
    return path


MOVING = ["frag_keyframe", "frag_keyframe+empty_moov"]
INDEXED = ["frag_keyframe+empty_moov+default_base_moof", "dash", "cmaf"]


@pytest.mark.parametrize("flags", MOVING + INDEXED)
@pytest.mark.parametrize("name", ["song.m4a", "song.mp4", "song.m4b"])
def test_fragmented_mp4_stays_as_it_was(tmp_path, flags, name):
    path = mp4(tmp_path / name, flags)
    was = path.read_bytes()
    with pytest.raises(GenreTagError, match=rf"{name}' is not changed: .*; copy its audio"):
        write_genre(str(path), ["Rock"])
    assert path.read_bytes() == was
    assert os.listdir(tmp_path) == [name]


def test_fragments_that_no_index_points_at_may_move(tmp_path):
    path = mp4(tmp_path / "song.m4a", "frag_keyframe+empty_moov+default_base_moof+skip_trailer")
    sounds, long = audio(path), seconds(path)
    write_genre(str(path), ["Rock"])
    assert (audio(path), seconds(path), read_genre(str(path))) == (sounds, long, ["Rock"])


@pytest.mark.parametrize("name", FILES)
def test_damage_of_any_kind_is_seen(made, tmp_path, name):
    path = Path(shutil.copy(made / name, tmp_path))
    container = format_of(str(path)).container
    copy = tmp_path / f"copy-{name}"
    shutil.copy(path, copy)
    write_genre(str(copy), ["Rock"])
    check_same_audio(str(path), str(copy), container)
    data = copy.read_bytes()
    middle = len(data) // 2
    damaged = {
        "a byte changed": data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :],
        "bytes lost": data[:middle] + data[middle + 700 :],
        "bytes more": data[:middle] + bytes(700) + data[middle:],
        "the end lost": data[: len(data) * 2 // 3],
        "zeros": data[:middle] + bytes(200) + data[middle + 200 :],
        "nothing left": b"",
    }
    for content in damaged.values():
        copy.write_bytes(content)
        with pytest.raises(AudioChangedError, match="the same"):
            check_same_audio(str(path), str(copy), container)


def test_songs_of_the_same_shape_are_not_the_same(tmp_path):
    rng = np.random.default_rng(0)
    for suffix, container in ((".wav", ""), (".flac", "flac"), (".ogg", "ogg"), (".mp3", "ends")):
        for name in ("one", "two"):
            sf.write(tmp_path / (name + suffix), 0.1 * rng.standard_normal(20_000), 44_100)
        paths = [str(tmp_path / (name + suffix)) for name in ("one", "two")]
        with pytest.raises(AudioChangedError):
            check_same_audio(*paths, container)


def test_what_nothing_can_read_is_left_alone(tmp_path):
    path = tmp_path / "song.wav"
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 0x7777, 1, 8000, 8000, 1, 8)
    body += b"data" + struct.pack("<I", 100) + bytes(100)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    for one in (path, tmp_path / "other"):
        one.write_bytes(path.read_bytes()[:40]) if one.name == "other" else None
    with pytest.raises(AudioChangedError, match="it cannot be checked"):
        check_same_audio(str(tmp_path / "other"), str(path), "")


# --- odd files that are sound: tagged, and every packet as it was ---------------------------------


def aiff(path: Path) -> Path:
    sf.write(path, signal(1.0, 8000, 1), 8000, subtype="PCM_16")
    data = path.read_bytes()[12:]
    body = b"AIFF" + chunk(b"NAME", b"odd", ">") + data + chunk(b"ANNO", b"a note", ">")
    path.write_bytes(b"FORM" + struct.pack(">I", len(body)) + body)
    return path


def padded(path: Path) -> Path:
    encode(path, signal(1.0, 44_100), 44_100, "libmp3lame")
    ID3(path).save(path, padding=lambda info: 300_000)
    return path


def both_ends(path: Path) -> Path:
    padded(path)
    tags = APEv2()
    tags["Title"] = "title"
    tags.save(path)
    ID3(path).save(path, v1=2)
    return path


def two_tags_in_front(path: Path) -> Path:
    encode(path, signal(1.0, 44_100), 44_100, "libmp3lame")
    audio = path.read_bytes()
    ID3().save(other := path.with_suffix(".id3"))
    path.write_bytes(other.read_bytes() + audio)
    other.unlink()
    return path


def id3_in_front(path: Path) -> Path:
    sf.write(path, signal(1.0, 44_100), 44_100)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="title"))
    tags.save(path)
    return path


def chained(path: Path) -> Path:
    parts = []
    for hz in (44_100, 44_100, 22_050):
        sf.write(path, signal(1.0, hz), hz, format="OGG", subtype="VORBIS")
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def late_stream(path: Path) -> Path:
    """Two Ogg FLAC files one behind the other, the second with two streams."""
    encode(path, signal(1.0, 44_100), 44_100, "flac", container="ogg")
    first = path.read_bytes()
    with av.open(str(path), "w", format="ogg") as out:
        streams = [out.add_stream("flac", rate=44_100, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), layout="mono")
            frame.sample_rate, frame.pts = 44_100, 0
            out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    path.write_bytes(first + path.read_bytes())
    return path


def with_video(path: Path) -> Path:
    """Sound, moving pictures, a cover and chapters."""
    with av.open(str(path), "w", format="mp4") as out:
        if hasattr(out, "set_chapters"):  # not in the oldest PyAV
            spans = [{"id": n, "start": 500 * n, "end": 500 * n + 500} for n in range(2)]
            named = {"time_base": Fraction(1, 1000), "metadata": {"title": "chapter"}}
            out.set_chapters([{**span, **named} for span in spans])
        sound = out.add_stream("aac", rate=44_100, layout="mono")
        video = out.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        for number in range(10):
            pixels = np.full((64, 64, 3), 20 * number, np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44_100, 4096 * number
            out.mux(sound.encode(frame))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


def with_cover(path: Path) -> Path:
    mp4(path, "", duration=1.0)
    file = MP4(path)
    file["covr"] = [PIXEL]
    file.save()
    return path


def with_pictures(path: Path) -> Path:
    padded(path)
    tags = ID3(path)
    for number in range(3):
        tags.add(APIC(encoding=0, mime="image/png", type=number, desc=str(number), data=PIXEL))
    tags.save(path)
    return path


ODD = {
    "late.m4b": lambda path: mp4(path, "", container="ipod", duration=1.0),
    "early.m4b": lambda path: mp4(path, "faststart", container="ipod", duration=1.0),
    "video.mp4": with_video,
    "cover.m4a": with_cover,
    "padded.mp3": padded,
    "tags-at-both-ends.mp3": both_ends,
    "two-tags-in-front.mp3": two_tags_in_front,
    "pictures.mp3": with_pictures,
    "id3.flac": id3_in_front,
    "chained.ogg": chained,
    "late.oga": late_stream,
    "before.wav": lambda path: riff(path, before=chunk(b"LIST", b"INFOISFT\x04\0\0\0odd\0")),
    "behind.wav": lambda path: riff(path, behind=chunk(b"LIST", b"INFOIGNR\x04\0\0\0odd\0")),
    "odd.wav": lambda path: riff(path, before=chunk(b"bext", bytes(603))),
    "around.aiff": aiff,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_keep_every_packet(tmp_path, name):
    path = ODD[name](tmp_path / name)
    container = format_of(str(path)).container
    shutil.copy(path, was := tmp_path / f"was-{name}")
    heard = fingerprint(path)
    for genres in (["Rock"], ["Jazz" * 3000, "Früher"], None):
        write_genre(str(path), genres)
        assert read_genre(str(path)) == genres
        check_same_audio(str(was), str(path), container)
        assert fingerprint(path) == heard
    if name in ("before.wav", "behind.wav"):
        assert path.read_bytes()[: was.stat().st_size][8:] == was.read_bytes()[8:]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_whose_header_does_not_know_its_length(tmp_path, size):
    """Written into a pipe: whatever is put behind the audio would become audio."""
    path = riff(tmp_path / "song.wav", size=size)
    was = path.read_bytes()
    with pytest.raises(GenreTagError, match=r"song\.wav"):
        write_genre(str(path), ["Rock"])
    assert path.read_bytes() == was


def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path, monkeypatch):
    from genrenet.library import genre_tags

    path = write(tmp_path, KINDS["lame.mp3"], 1.0)
    put = genre_tags.put

    def put_late(*given):
        put(*given)
        os.utime(path, (1, 1))

    monkeypatch.setattr(genre_tags, "put", put_late)
    with pytest.raises(GenreTagError, match="another program"):
        write_genre(str(path), ["Rock"])
    assert read_genre(str(path)) is None
    assert os.listdir(tmp_path) == ["lame.mp3"]
