"""Decoding: every format, spans, streams, resampling, names and fingerprints."""

from __future__ import annotations

import os
import re
import tracemalloc
from pathlib import Path

import mutagen.id3
import numpy as np
import pytest
import soundfile as sf

from genrenet import audio
from tests.helpers.audio_files import KINDS, SECONDS, Kind, Pipe, encode, signal, sine, wav, write


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("songs")
    return {name: write(folder, kind) for name, kind in KINDS.items()}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


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
    for rate, layout in [(44_100, "stereo"), (44_100, "mono")]:
        path = tmp_path / f"{layout}-{rate}.aac"
        encode(path, signal(2.0, rate, 2 if layout == "stereo" else 1), rate, "aac", layout=layout)
        parts[layout, rate] = path.read_bytes()
    path = tmp_path / "joined.aac"
    path.write_bytes(parts["stereo", 44_100] + parts["mono", 44_100])
    assert len(audio.load(path)) / 12_000 == pytest.approx(4.0, abs=0.15)


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


# --- fingerprints ----------------------------------------------------------------------------


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
