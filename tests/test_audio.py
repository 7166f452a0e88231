"""Decoding: every format, spans, streams, resampling, and every fault with its message."""

from __future__ import annotations

import gc
import os
import pickle
import re
import tracemalloc
from contextlib import suppress
from pathlib import Path

import av
import mutagen.id3
import numpy as np
import pytest
import soundfile as sf

from genrenet import audio
from genrenet.errors import GenrenetError
from tests.audio_files import KINDS, SECONDS, Kind, Pipe, cut, encode, signal, write

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


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def wav(path: Path, samples: np.ndarray, rate: int = 8000, subtype: str = "PCM_16") -> Path:
    sf.write(path, samples, rate, subtype=subtype)
    return path


def sine(hz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


# --- formats ---------------------------------------------------------------------------------


def test_every_format_is_decoded_in_place(kind: Kind, songs: dict[str, Path]) -> None:
    samples = audio.load(songs[kind.name], None)
    wanted = signal(SECONDS, kind.rate).mean(1)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) / kind.rate - SECONDS) < 0.1
    middle = slice(kind.rate // 2, -kind.rate // 2)
    got = np.roll(samples, -kind.delay)[: len(wanted)][middle]
    error = np.abs(got - wanted[middle][: len(got)]).max()
    assert error < (0.04 if kind.exact is None else kind.exact)
    if kind.exact is not None:
        assert len(samples) == len(wanted)


def test_probe_tells_what_load_will_give(kind: Kind, songs: dict[str, Path]) -> None:
    info = audio.probe(songs[kind.name])
    assert (info.sample_rate, info.channels, info.backend) == (kind.rate, 2, kind.backend)
    assert info.duration == pytest.approx(len(audio.load(songs[kind.name])) / 12_000, abs=0.1)


@pytest.mark.parametrize("rate", [None, 12_000])
def test_a_span_is_that_slice_of_the_whole(
    kind: Kind, songs: dict[str, Path], rate: int | None
) -> None:
    whole = audio.load(songs[kind.name], rate)
    rate = rate or kind.rate
    for offset, duration in [(0.0, 1.0), (0.4, 0.7), (2.5, 1.2345), (4.4321, 0.5)]:
        span = audio.load(songs[kind.name], rate, offset, duration)
        begin = round(offset * rate)
        assert len(span) == round(duration * rate)
        np.testing.assert_allclose(span, whole[begin : begin + len(span)], atol=1e-3)


def test_a_stream_is_the_whole_in_blocks(kind: Kind, songs: dict[str, Path]) -> None:
    whole = audio.load(songs[kind.name])
    blocks = list(audio.stream(songs[kind.name], block_seconds=0.7))
    assert {len(block) for block in blocks[:-1]} == {8400}
    assert 0 < len(blocks[-1]) <= 8400
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-3)
    part = np.concatenate(list(audio.stream(songs[kind.name], offset=1.5, duration=2.0)))
    np.testing.assert_allclose(part, whole[18_000:42_000], atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 11])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (12_000, channels))
    path = wav(tmp_path / "x.wav", samples, 12_000, "FLOAT")
    np.testing.assert_allclose(audio.load(path), samples.mean(1), atol=1e-6)
    assert audio.probe(path).channels == channels


@pytest.mark.parametrize(
    ("layout", "channels"), [("mono", 1), ("5.1", 6), ("7.1", 8), ("hexadecagonal", 16)]
)
def test_channels_are_averaged_by_ffmpeg(tmp_path: Path, layout: str, channels: int) -> None:
    samples = signal(3.0, 48_000, channels)
    path = tmp_path / "x.wv"
    encode(path, samples, 48_000, "wavpack", layout=layout)
    assert audio.probe(path).channels == channels
    np.testing.assert_allclose(audio.load(path, None), samples.mean(1), atol=1e-4)
    span = audio.load(path, None, 1.5, 1.0)
    np.testing.assert_allclose(span, samples.mean(1)[72_000:120_000], atol=1e-4)


def test_samples_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    path = wav(tmp_path / "loud.wav", np.full(800, 3.5), 8000, "FLOAT")
    np.testing.assert_array_equal(audio.load(path, None), np.full(800, 3.5, np.float32))


def test_content_decides_not_the_name(tmp_path: Path, songs: dict[str, Path]) -> None:
    for name in ("free.flac", "lame.mp3", "early.m4a", "16.wav"):
        for disguise in ("x.wav", "x.mp3", "x.raw", "x"):
            path = tmp_path / disguise
            path.write_bytes(songs[name].read_bytes())
            np.testing.assert_array_equal(audio.load(path), audio.load(songs[name]))


@pytest.mark.parametrize("name", ["16.wav", "free.flac", "lame.mp3", "early.m4a"])
@pytest.mark.parametrize(
    "odd", [b"caf\xe9", b"http:", b"a:b", b"line\nbreak", "日本".encode(), b"-i", b"%03d"]
)
def test_any_file_name_is_read(
    tmp_path: Path,
    songs: dict[str, Path],
    name: str,
    odd: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(odd + name.encode())
    with open(path, "wb") as file:
        file.write(songs[name].read_bytes())
    for given in (path, os.path.abspath(path), Path(path)):
        assert len(audio.load(given)) == len(audio.load(songs[name]))
    assert audio.probe(path).channels == 2


def test_lengths_unknown_to_the_header_are_found(tmp_path: Path) -> None:
    samples = signal(3.0, 44_100)
    wanted = samples.mean(1)
    for container, codec in [("flac", "flac"), ("wav", "pcm_s16le")]:
        pipe = Pipe()
        encode(pipe, samples, 44_100, codec, container=container)
        path = tmp_path / f"piped.{container}"
        path.write_bytes(pipe.data)
        assert audio.probe(path).duration == pytest.approx(3.0, abs=0.01)
        np.testing.assert_allclose(audio.load(path, None), wanted, atol=1e-4)
        span = audio.load(path, None, 1.0, 1.5)
        np.testing.assert_allclose(span, wanted[44_100:110_250], atol=1e-4)
    for subtype in ("PCM_16", "PCM_U8"):
        path = wav(tmp_path / "crashed.wav", samples, 44_100, subtype)
        data = path.read_bytes()
        path.write_bytes(data[:40] + bytes(4) + data[44:])  # the size of the data: 0
        np.testing.assert_allclose(audio.load(path, None), wanted, atol=1e-2)


def test_streams_joined_end_to_end(tmp_path: Path) -> None:
    parts = {}
    for rate, layout in [(44_100, "stereo"), (44_100, "mono"), (22_050, "mono")]:
        path = tmp_path / f"{layout}-{rate}.aac"
        encode(path, signal(2.0, rate, 2 if layout == "stereo" else 1), rate, "aac", layout=layout)
        parts[layout, rate] = path.read_bytes()
    path = tmp_path / "joined.aac"
    path.write_bytes(parts["stereo", 44_100] + parts["mono", 44_100])
    assert len(audio.load(path)) / 12_000 == pytest.approx(4.0, abs=0.15)
    path.write_bytes(parts["mono", 44_100] + parts["mono", 22_050])
    with pytest.raises(audio.TruncatedAudioError, match=r"found 2\.\d\d s .* wanted the whole"):
        audio.load(path)


# --- resampling ------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_resampling_keeps_frequency_level_and_length(tmp_path: Path, rate: int) -> None:
    path = wav(tmp_path / "sine.wav", sine(1000, 2.0, rate), rate, "FLOAT")
    samples = audio.load(path)
    assert abs(len(samples) - 24_000) <= 1
    middle = samples[2000:22_000]
    np.testing.assert_allclose(middle, sine(1000, 2.0, 12_000)[2000:22_000], atol=1e-3)


def test_resampling_removes_what_the_new_rate_cannot_hold(tmp_path: Path) -> None:
    path = wav(tmp_path / "high.wav", sine(9000, 2.0, 44_100), 44_100, "FLOAT")
    assert np.abs(audio.load(path)[2000:-2000]).max() < 1e-4


@pytest.mark.parametrize("rate", [44_100, 44_099, 8000, 12_000])
def test_spans_end_to_end_are_the_whole(tmp_path: Path, rate: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 5 * rate)
    path = wav(tmp_path / "noise.wav", noise, rate)
    whole = audio.load(path)
    spans = [audio.load(path, 12_000, k * 0.5, 0.5) for k in range(10)]
    np.testing.assert_allclose(np.concatenate(spans), whole[:60_000], atol=1e-5)


# --- spans and streams -----------------------------------------------------------------------


def test_a_span_past_the_end_yields_what_there_is(tmp_path: Path) -> None:
    path = wav(tmp_path / "x.wav", sine(440, 3.0, 8000))
    assert len(audio.load(path, 8000, 2.5, 10.0)) == 4000
    assert len(audio.load(path, 8000, 2.5)) == 4000
    assert sum(map(len, audio.stream(path, 8000, offset=2.5, duration=10.0))) == 4000


@pytest.mark.parametrize("name", ["16.wav", "free.flac", "xiph.ogg", "lame.mp3", "web.webm"])
def test_a_span_beyond_the_end_is_too_short(songs: dict[str, Path], name: str) -> None:
    with pytest.raises(
        audio.TooShortError, match=rf"too little audio in .*{name}'.* 6\.0\d s, .*some from 9\.00 s"
    ):
        audio.load(songs[name], 12_000, 9.0, 1.0)
    with pytest.raises(audio.TooShortError):
        next(audio.stream(songs[name], offset=9.0))


def test_min_seconds(tmp_path: Path) -> None:
    path = wav(tmp_path / "short.wav", sine(440, 0.2, 8000))
    assert len(audio.load(path, 8000, min_seconds=0.2)) == 1600
    for rate in (8000, None):
        with pytest.raises(audio.TooShortError) as caught:
            audio.load(path, rate, min_seconds=0.5)
        assert "short.wav': found 0.20 s, wanted 0.50 s or more" in str(caught.value)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with sf.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(10):
            file.write(sine(440, 60.0, 8000))
    tracemalloc.start()
    try:
        seconds = [len(block) / 12_000 for block in audio.stream(path)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(seconds) == pytest.approx(600, abs=0.01)
    assert set(seconds[:-1]) == {29.12}
    assert peak < 12e6  # all of it would be 29 MB


def test_a_stream_begins_before_the_file_is_read(songs: dict[str, Path]) -> None:
    for name in ("32.wav", "lame.mp3"):
        blocks = audio.stream(songs[name], block_seconds=0.1)
        assert len(next(blocks)) == 1200
        blocks.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"sample_rate": 0},
        {"offset": -1.0},
        {"offset": float("nan")},
        {"duration": 0.0},
        {"duration": -1.0},
        {"duration": float("nan")},
    ],
)
def test_settings_out_of_range(tmp_path: Path, settings: dict[str, float]) -> None:
    path = wav(tmp_path / "x.wav", sine(440, 0.2, 8000))
    with pytest.raises(ValueError, match="out of range"):
        audio.load(path, **settings)
    with pytest.raises(ValueError, match="block_seconds must hold at least one sample, not 0"):
        next(audio.stream(path, block_seconds=0))


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


def test_damage_inside_a_flac_ends_it(songs: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(songs["free.flac"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = bytes(5000)
    path = tmp_path / "scratched.flac"
    path.write_bytes(data)
    with pytest.raises(audio.TruncatedAudioError) as caught:
        audio.load(path)
    samples, whole = caught.value.samples, audio.load(songs["free.flac"])
    assert len(samples) > 24_000
    np.testing.assert_allclose(samples[:24_000], whole[:24_000], atol=1e-3)


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


# --- names and fingerprints ------------------------------------------------------------------


def test_is_audio_path() -> None:
    for name in ("a.wav", "b/C.MP3", "d.e.FlAc", Path("x.opus"), "caf\udce9.m4a"):
        assert audio.is_audio_path(name), name
    for name in ("a.txt", "mp3", ".mp3", "x.mp3.part", "music/._song.mp3", "a.mid", ""):
        assert not audio.is_audio_path(name), name
    assert {Path(name).suffix for name in KINDS} <= audio.SUFFIXES
    assert all(s == s.lower() and s[0] == "." for s in audio.SUFFIXES)


def test_fingerprint_names_the_audio_not_the_file(tmp_path: Path, songs: dict[str, Path]) -> None:
    mono = np.round(signal(2.0, 44_100, 1) * 32767) / 32768
    same = [wav(tmp_path / f"x.{suffix}", mono, 44_100) for suffix in ("wav", "flac", "aiff", "au")]
    same.append(wav(tmp_path / "two.wav", np.repeat(mono, 2, axis=1), 44_100))
    same.append(wav(tmp_path / "float.wav", mono, 44_100, "FLOAT"))
    same.append(tmp_path / "x.wv")
    encode(same[-1], mono, 44_100, "wavpack", layout="mono")
    prints = {audio.fingerprint(path) for path in same}
    assert len(prints) == 1
    assert re.fullmatch("[0-9a-f]{64}", prints.pop())
    wave = wav(tmp_path / "other.wav", mono, 44_100)
    for change in ("one sample", "one less"):
        other = mono.copy() if change == "one sample" else mono[:-1]
        other[5] += 2 / 32768 if change == "one sample" else 0
        assert audio.fingerprint(wav(wave, other, 44_100)) != audio.fingerprint(same[0])


def test_fingerprint_ignores_tags(tmp_path: Path, songs: dict[str, Path]) -> None:
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(songs["lame.mp3"].read_bytes())
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text="A title"))
    tags.add(mutagen.id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=bytes(200_000)))
    tags.save(tagged)
    assert tagged.stat().st_size > songs["lame.mp3"].stat().st_size + 200_000
    assert audio.fingerprint(tagged) == audio.fingerprint(songs["lame.mp3"])


# --- real music ------------------------------------------------------------------------------


def test_real_music(shared_data: Path) -> None:
    emotify = sorted(shared_data.glob("emotify/*/*"))
    paths = [
        *sorted(shared_data.glob("whole-songs/*.mp3")),
        *sorted(shared_data.glob("clips/*.mp3")),
        *[path for path in emotify if path.suffix == ".mp3"][::6],
        *[path for path in emotify if path.suffix == ".ogg"][::60],
        *sorted(shared_data.glob("gtzan-excerpts/genres/*/*.wav"))[::10],
    ]
    assert len(paths) > 12
    for path in paths:
        whole = audio.load(path, min_seconds=15.0)
        assert audio.probe(path).duration == pytest.approx(len(whole) / 12_000, abs=0.1)
        assert 0.005 < whole.std() < 0.6
        span = audio.load(path, 12_000, 7.7, 3.0)
        np.testing.assert_allclose(span, whole[92_400:128_400], atol=1e-3)
