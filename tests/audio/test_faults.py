"""Decoding: every fault with its message, and nothing left open or printed."""

from __future__ import annotations

import gc
import os
import pickle
import re
import struct
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from genrenet import audio
from genrenet.data.frames import FrameSettings
from genrenet.inference.song_reader import SongFrames
from genrenet.utils.errors import GenrenetError
from tests.helpers.audio_files import KINDS, SECONDS, cut, sine, wav, write

# The formats that tell when their end is missing, and of which the beginning can still be read.
CUT = tuple(
    name
    for name in KINDS
    if name not in ("core.caf", "late.m4a", "lossless.m4a", "bare.mp3", "old.mp2", "adts.aac")
    and name not in ("8.wav", "32.wav", "float.wav", "double.wav", "ulaw.wav", "dolby.ac3")
)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("songs")
    return {name: write(folder, kind) for name, kind in KINDS.items()}


# --- faults ----------------------------------------------------------------------------------


def test_missing(tmp_path: Path) -> None:
    message = re.escape(f"cannot find '{tmp_path / 'no.mp3'}': found No such file")
    for read in (audio.load, audio.probe, audio.fingerprint, lambda p: next(audio.stream(p))):
        with pytest.raises(audio.MissingFileError, match=message) as caught:
            read(tmp_path / "no.mp3")
        assert caught.value.path == tmp_path / "no.mp3"
    (tmp_path / "file").write_text("x")
    with pytest.raises(audio.MissingFileError, match="Not a directory"):
        audio.load(tmp_path / "file" / "song.mp3")


def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "folder.mp3").mkdir()
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "loop.mp3").symlink_to("loop.mp3")
    for name, found in {
        "folder.mp3": "a folder, a device or a pipe",
        "pipe.mp3": "a folder, a device or a pipe",
        "loop.mp3": "Too many levels of symbolic links",
        "nul\0.mp3": "embedded null",
        "long" * 100: "File name too long",
    }.items():
        with pytest.raises(audio.UnreadableFileError, match=found) as caught:
            audio.load(tmp_path / name)
        assert str(caught.value).startswith("cannot read '")
        assert str(caught.value).endswith("check its permissions and links")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(tmp_path: Path) -> None:
    path = wav(tmp_path / "mine.wav", sine(440, 0.2, 8000))
    path.chmod(0)
    with pytest.raises(audio.UnreadableFileError, match="Permission denied"):
        audio.load(path)


@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".ogg", ".m4a", ""])
def test_not_audio(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"page{suffix}"
    contents = {
        b"<html>404 not found</html>" * 50: "what begins b'<html>404 not found</htm'",
        b"#EXTM3U\nhttp://example.invalid/a.mp3\n": "what begins b'#EXTM3U",
        bytes(70_000): "0 samples|what begins",
        np.random.default_rng(3).bytes(70_000): "0 samples|what begins",
    }
    for data, found in contents.items():
        path.write_bytes(data)
        for read in (audio.load, audio.probe):
            with pytest.raises(audio.NotAudioError, match=found) as caught:
                read(path)
            assert f"no audio in '{path}': found" in str(caught.value)


def test_a_picture_or_a_silent_film_is_not_audio(tmp_path: Path) -> None:
    for name, codec in [("still.mp3", "png"), ("film.mp4", "mpeg4")]:
        with av.open(str(tmp_path / "x.mp4"), "w") as output:
            stream = output.add_stream(codec, rate=10)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
            pixels = np.zeros((48, 64, 3), np.uint8)
            packets = stream.encode(av.VideoFrame.from_ndarray(pixels)) + stream.encode(None)
            for packet in packets:
                output.mux(packet)
            picture = bytes(packets[0])
        path = tmp_path / name
        path.write_bytes(picture if codec == "png" else (tmp_path / "x.mp4").read_bytes())
        with pytest.raises(audio.NotAudioError, match=r"data without sound|what begins"):
            audio.load(path)


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "zero.mp3").touch()
    with pytest.raises(audio.EmptyAudioError, match=r"nothing in '.*zero.mp3': found 0 bytes"):
        audio.load(tmp_path / "zero.mp3")
    for suffix in ("wav", "aiff", "au", "ogg", "caf"):
        sf.write(tmp_path / f"x.{suffix}", np.zeros((0, 1)), 8000)
        for read in (audio.load, audio.probe, audio.fingerprint):
            with pytest.raises(audio.EmptyAudioError, match="found 0 samples, wanted audio"):
                read(tmp_path / f"x.{suffix}")


@pytest.mark.parametrize("name", CUT)
def test_truncated(songs: dict[str, Path], name: str) -> None:
    path = cut(songs[name])
    whole = audio.load(songs[name])
    with pytest.raises(
        audio.TruncatedAudioError,
        match=rf"cut short or damaged: '.*{name}': found [123]\.\d\d s that can be read, wanted "
        r"(\d\.\d\d s|the whole); fetch or encode the file again",
    ) as caught:
        audio.load(path)
    samples = caught.value.samples
    assert samples.dtype == np.float32
    assert caught.value.seconds == pytest.approx(len(samples) / 12_000, abs=1e-3)
    # All is well until shortly before the cut, where resampler and codec lack what follows.
    n = len(samples) - 3000
    assert n > 12_000
    np.testing.assert_allclose(samples[:n], whole[:n], atol=1e-3)
    np.testing.assert_array_equal(audio.load(path, partial=True), samples)

    blocks: list[np.ndarray] = []
    with pytest.raises(audio.TruncatedAudioError) as caught:
        blocks.extend(audio.stream(path, block_seconds=0.25))
    np.testing.assert_array_equal(np.concatenate(blocks), samples)
    assert len(caught.value.samples) == 0

    # What lies before the cut is not concerned by it; what lies across is, and what lies behind.
    span = audio.load(path, 12_000, 0.3, 0.5)
    np.testing.assert_allclose(span, whole[3600:9600], atol=1e-3)
    with pytest.raises(audio.TruncatedAudioError) as caught:
        audio.load(path, 12_000, 0.5, 5.0)
    assert caught.value.seconds == pytest.approx(len(samples) / 12_000 - 0.5, abs=1e-3)
    assert len(audio.load(path, 12_000, 0.5, 5.0, partial=True)) == len(samples) - 6000
    for partial in (False, True):
        with pytest.raises(audio.TruncatedAudioError, match=r"found [123]\.\d\d s that"):
            audio.load(path, 12_000, 5.0, 0.5, partial=partial)
    end = len(samples) - 300  # where a FLAC that is cut cannot seek
    span = audio.load(path, 12_000, end / 12_000, 0.1, partial=True)
    np.testing.assert_allclose(span[:150], samples[end : end + 150], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "fraction"),
    [("16.wav", 3e-5), ("free.flac", 2e-5), ("late.m4a", 0.5), ("lossless.m4a", 0.9)],
)
def test_nothing_left_to_read(songs: dict[str, Path], name: str, fraction: float) -> None:
    path = cut(songs[name], fraction)
    for read in (audio.load, audio.probe, lambda p: audio.load(p, partial=True)):
        with pytest.raises(
            audio.TruncatedAudioError, match="found a header but no sound that can be read"
        ) as caught:
            read(path)
        assert len(caught.value.samples) == caught.value.seconds == 0


def test_a_header_alone(songs: dict[str, Path], tmp_path: Path) -> None:
    data = songs["early.m4a"].read_bytes()
    path = tmp_path / "moov.m4a"
    path.write_bytes(data[: data.index(b"mdat") + 4])
    with pytest.raises(audio.TruncatedAudioError, match="found 0 samples, wanted the whole"):
        audio.load(path, partial=True)


@pytest.mark.parametrize("name", ["bare.mp3", "adts.aac", "old.mp2"])
def test_a_stream_that_promises_nothing_ends_where_it_ends(
    songs: dict[str, Path], name: str
) -> None:
    path = cut(songs[name])
    assert len(audio.load(path)) / 12_000 == pytest.approx(3.0, abs=0.1)
    assert audio.probe(path).duration == pytest.approx(3.0, abs=0.1)


def test_damage_inside_an_mp3_is_skipped(songs: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(songs["lame.mp3"].read_bytes())
    data[70_000:70_800] = np.random.default_rng(0).bytes(800)
    path = tmp_path / "scratched.mp3"
    path.write_bytes(data)
    samples, whole = audio.load(path), audio.load(songs["lame.mp3"])
    assert abs(len(samples) - len(whole)) < 0.15 * 12_000
    np.testing.assert_allclose(samples[:30_000], whole[:30_000], atol=1e-3)


@pytest.mark.parametrize("lost", [5000, 60_000])
def test_damage_inside_a_flac_is_skipped_and_counted(
    songs: dict[str, Path], tmp_path: Path, lost: int
) -> None:
    data = bytearray(songs["free.flac"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + lost] = bytes(lost)
    path = tmp_path / "scratched.flac"
    path.write_bytes(data)
    whole = audio.load(songs["free.flac"], None)
    try:  # FFmpeg's releases pass over two to five frames of the smaller damage
        samples = audio.load(path, None)
    except audio.TruncatedAudioError as error:
        samples = error.samples
    assert len(whole) - len(samples) >= 8_192 - 1
    if lost == 5000:
        assert len(whole) - len(samples) <= 5 * 4096
    else:
        with pytest.raises(audio.TruncatedAudioError):
            audio.load(path, None)
    np.testing.assert_allclose(samples[:90_000], whole[:90_000], atol=1e-3)
    np.testing.assert_allclose(samples[-30_000:], whole[-30_000:], atol=1e-3)


def test_damaged_headers_are_no_fault_of_the_disk(songs: dict[str, Path], tmp_path: Path) -> None:
    ogg = bytearray(songs["xiph.ogg"].read_bytes())
    ogg[5] = 0  # the first page says nothing of being the first
    mp3 = bytearray(songs["lame.mp3"].read_bytes())
    at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    mp3[at + 12 : at + 16] = struct.pack(">I", 64)  # bytes: where sound ends, less is before it
    for name, data in {"x.ogg": ogg, "x.mp3": mp3}.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(audio.TruncatedAudioError, match="no sound that can be read"):
        audio.load(tmp_path / "x.ogg")
    samples = audio.load(tmp_path / "x.mp3", partial=True)
    assert len(samples) / 12_000 == pytest.approx(SECONDS, abs=0.3)


@pytest.mark.parametrize("years", [30, 30_000])
def test_a_header_that_states_years(songs: dict[str, Path], tmp_path: Path, years: int) -> None:
    """Who plans frames by the duration may not need memory for all those years."""
    wma = bytearray(songs["windows.wma"].read_bytes())
    properties = wma.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    ticks = years * 365 * 86_400 * 10_000_000  # of 100 ns
    wma[properties + 64 : properties + 72] = struct.pack("<Q", ticks)
    path = tmp_path / "x.wma"
    path.write_bytes(wma)
    assert 0 < audio.probe(path).duration < 86_400
    with pytest.raises(audio.TruncatedAudioError):
        audio.load(path)
    song = SongFrames(str(path), FrameSettings(seconds=2.0, trim=0.0), heard=1)
    list(song.batches())
    assert song.error is not None
    assert "cut short or damaged" in song.error


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite(tmp_path: Path, value: float) -> None:
    samples = np.zeros((40_000, 2))
    samples[20_000, 1] = value
    path = wav(tmp_path / "x.wav", samples, 8000, "FLOAT")
    with pytest.raises(
        audio.NonFiniteAudioError,
        match=r"unusable samples in '.*x.wav': found NaN or infinity at 2\.50 s, wanted finite",
    ):
        audio.load(path)
    blocks = audio.stream(path, 8000, block_seconds=1.0, duration=2.0)
    assert [len(block) for block in blocks] == [8000, 8000]
    assert len(audio.load(path, 8000, 3.0)) == 16_000
    with pytest.raises(audio.NonFiniteAudioError):
        audio.load(path, partial=True)


def test_non_finite_sums(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    audio_of_3e38 = audio.load(wav(path, np.full((800, 3), 3e38), 8000, "FLOAT"), None)
    np.testing.assert_allclose(audio_of_3e38, 3e38, rtol=1e-6)
    for samples, subtype in [(np.tile([np.inf, -np.inf], (8, 1)), "FLOAT"), ([1e300], "DOUBLE")]:
        wav(path, np.asarray(samples), 8000, subtype)
        with pytest.raises(audio.NonFiniteAudioError, match=r"at 0\.00 s"):
            audio.load(path)


def test_an_impossible_rate(tmp_path: Path) -> None:
    for rate in (33, 800_000_000):
        path = wav(tmp_path / "x.wav", np.zeros(800))
        data = bytearray(path.read_bytes())
        data[24:28] = rate.to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises(audio.NotAudioError, match=f"found a sample rate of {rate} Hz"):
            audio.load(path)


@pytest.mark.parametrize("name", ["16.wav", "free.flac", "xiph.ogg", "lame.mp3", "early.m4a"])
def test_random_damage_raises_nothing_else(
    songs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    data = songs[name].read_bytes()
    path = tmp_path / name
    outcomes = set()
    for seed in range(25):
        rng = np.random.default_rng(seed)
        broken = bytearray(data[: int(rng.integers(1, len(data)))] if seed % 3 else data)
        for place in rng.integers(0, min(len(broken), 300 if seed % 2 else len(broken)), 5):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        outcome: object
        try:
            samples = audio.load(path, 12_000, 0.5, 2.0, partial=True)
            outcome = 0 < len(samples) <= 24_000 and bool(np.isfinite(samples).all())
        except audio.AudioError as error:
            outcome = type(error) if error.path == path else False
        assert outcome
        outcomes.add(outcome)
    assert len(outcomes) > 1


@pytest.fixture
def faulty(tmp_path: Path, songs: dict[str, Path]) -> list[Path]:
    """Files that are damaged in ways that decoders like to comment on."""
    mp3, rng = songs["lame.mp3"].read_bytes(), np.random.default_rng(0)
    contents = {
        "text.mp3": b"hello world\n" * 1000,
        "noise.mp3": rng.bytes(100_000),
        "tail.mp3": mp3 + rng.bytes(20_000),
        "head.mp3": rng.bytes(3000) + mp3,
        "id3.mp3": b"ID3\x03\0\0\0\0\x10\0TIT2\xff\xff\xff\xff\0\0" + rng.bytes(2038) + mp3,
        "scratch.mp3": mp3[:50_000] + rng.bytes(500) + mp3[50_500:],
        "half.m4a": songs["early.m4a"].read_bytes()[:30_000],
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in contents] + [cut(songs[name]) for name in CUT]


def test_nothing_is_written_on_the_terminal(
    faulty: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    faults = 0
    for path in faulty:
        for read in (audio.probe, audio.load, audio.fingerprint):
            try:
                read(path)
            except audio.AudioError:
                faults += 1
    assert faults > len(faulty)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_faulty_files_are_closed(faulty: list[Path], songs: dict[str, Path]) -> None:
    def opened() -> set[str]:
        folder = Path("/proc/self/fd")
        return {os.readlink(fd) for fd in folder.iterdir() if os.path.lexists(fd)}

    for path in [*faulty, *songs.values()]:
        with suppress(audio.AudioError):
            audio.load(path, offset=1.0)
    gc.collect()
    assert not opened() & set(map(str, [*faulty, *songs.values()]))


def test_errors_cross_process_borders(songs: dict[str, Path]) -> None:
    with pytest.raises(audio.TruncatedAudioError) as caught:
        audio.load(cut(songs["16.wav"]))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is audio.TruncatedAudioError
    assert (str(copy), copy.path) == (str(caught.value), caught.value.path)
    np.testing.assert_array_equal(copy.samples, caught.value.samples)
    assert isinstance(copy, GenrenetError)
    assert str(type(copy)("as a data loader's worker does")) == "as a data loader's worker does"


def test_messages_can_always_be_printed(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3")
    with pytest.raises(audio.MissingFileError) as caught:
        audio.load(path)
    assert r"caf\xe9.mp3'" in str(caught.value)
    assert str(caught.value).encode("utf-8")
