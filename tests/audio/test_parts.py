"""Files of several parts, headers with wrong lengths, and the choice of the decoder."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import av
import mutagen.flac
import mutagen.oggflac
import numpy as np
import pytest
import soundfile as sf

from genrenet import audio
from genrenet.audio.joined import parts
from genrenet.data.frames import FrameSettings
from genrenet.inference.song_reader import SongFrames, find_songs
from tests.helpers.audio_files import encode, signal, wav
from tests.helpers.tones import tone


def _tone(hz: float, seconds: float, rate: int, channels: int = 2) -> np.ndarray:
    return np.repeat(tone(hz, seconds, rate=rate)[:, None], channels, axis=1)


def _encoded(
    folder: Path, codec: str, container: str, samples: np.ndarray, rate: int, **more: str
) -> bytes:
    if codec == "vorbis":
        target = io.BytesIO()
        sf.write(target, samples, rate, format="OGG", subtype="VORBIS")
        return target.getvalue()
    path = folder / f"part.{container}"
    encode(path, samples, rate, codec, container=container, **more)
    return path.read_bytes()


def _pitch(samples: np.ndarray) -> float:
    """The strongest frequency at 12 kHz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 12_000 / len(samples))


CHAINS = {
    "vorbis": ("vorbis", "ogg", 44_100, 22_050),
    "opus": ("libopus", "ogg", 48_000, 48_000),
    "ogg-flac": ("flac", "ogg", 44_100, 22_050),
    "mp3": ("libmp3lame", "mp3", 44_100, 22_050),
    "mp2": ("mp2", "mp2", 44_100, 32_000),
    "aac": ("aac", "adts", 44_100, 22_050),
    "ac3": ("ac3", "ac3", 48_000, 32_000),
    "flac": ("flac", "flac", 44_100, 22_050),
    "wavpack": ("wavpack", "wv", 44_100, 22_050),
    "tta": ("tta", "tta", 44_100, 22_050),
}


@pytest.mark.parametrize("change", ["same", "shorter", "rate", "channels", "three"])
@pytest.mark.parametrize("name", CHAINS)
def test_all_parts_are_decoded(tmp_path: Path, name: str, change: str) -> None:
    codec, container, rate, other = CHAINS[name]
    rates = {"rate": (rate, other), "three": (rate, other, rate)}.get(change, (rate, rate))
    seconds = (3.0, 2.0, 4.0) if change != "same" else (3.0, 3.0)
    pieces, wanted = [], 0.0
    for number, own in enumerate(rates):
        channels = 1 if change == "channels" and number else 2
        samples = _tone(500.0 * (number + 1), seconds[number], own, channels)
        layout = "mono" if channels == 1 else "stereo"
        pieces.append(_encoded(tmp_path, codec, container, samples, own, layout=layout))
        wanted += seconds[number]
    path = tmp_path / f"joined.{container}"
    path.write_bytes(b"".join(pieces))
    samples = audio.load(path)
    assert len(samples) / 12_000 == pytest.approx(wanted, abs=0.2)
    assert audio.probe(path).duration == pytest.approx(len(samples) / 12_000, abs=0.1)
    begin = 0.0
    for number in range(len(rates)):
        middle = slice(round((begin + 0.5) * 12_000), round((begin + 1.5) * 12_000))
        assert _pitch(samples[middle]) == pytest.approx(500.0 * (number + 1), abs=5)
        begin += seconds[number]
    for offset, length in [(0.5, 1.0), (2.5, 1.0), (3.7, 0.9)]:
        span = audio.load(path, 12_000, offset, length)
        first = round(offset * 12_000)
        # AAC and AC-3 decoders fill in noise at random.
        near = 0.02 if name in ("aac", "ac3") else 1e-3
        np.testing.assert_allclose(span, samples[first : first + len(span)], atol=near)


def test_a_song_of_two_parts_gives_all_its_frames(tmp_path: Path) -> None:
    for name in ("vorbis", "mp3"):
        codec, container, rate, _ = CHAINS[name]
        pieces = [
            _encoded(tmp_path, codec, container, _tone(500.0, 8.0, rate), rate),
            _encoded(tmp_path, codec, container, _tone(1500.0, 20.0, rate), rate),
        ]
        path = tmp_path / f"x.{container}"
        path.write_bytes(b"".join(pieces))
        settings = FrameSettings(seconds=2.0, trim=1.0)
        song = SongFrames(str(path), settings)
        frames = [frame for batch in song.batches() for frame in batch]
        assert song.error is None
        assert len(frames) == 13  # (28 - 2) / 2
        assert _pitch(frames[0].numpy()) == pytest.approx(500, abs=5)
        assert _pitch(frames[-1].numpy()) == pytest.approx(1500, abs=5)


def test_a_stream_that_appears_late(tmp_path: Path) -> None:
    rate = 44_100
    first = _encoded(tmp_path, "flac", "ogg", _tone(500.0, 3.0, rate), rate)
    second = tmp_path / "second.oga"
    second.write_bytes(_encoded(tmp_path, "flac", "ogg", _tone(1000.0, 2.0, rate), rate))
    pixels = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
    encoder = av.CodecContext.create("png", "w")
    encoder.width = encoder.height = 16
    encoder.pix_fmt, encoder.framerate = "rgb24", 1
    picture = mutagen.flac.Picture()
    picture.data = b"".join(map(bytes, [*encoder.encode(pixels), *encoder.encode(None)]))
    picture.type, picture.mime, picture.width, picture.height = 3, "image/png", 16, 16
    tagged = mutagen.oggflac.OggFLAC(second)
    tagged["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    tagged.save()
    path = tmp_path / "late.oga"
    path.write_bytes(first + second.read_bytes())
    samples = audio.load(path)
    assert len(samples) == pytest.approx(60_000, abs=20)
    assert _pitch(samples[42_000:54_000]) == pytest.approx(1000, abs=5)


def test_an_ogg_chain_that_is_cut(tmp_path: Path) -> None:
    codec, container, rate, _ = CHAINS["ogg-flac"]
    part = _encoded(tmp_path, codec, container, signal(3.0, rate), rate)
    path = tmp_path / "cut.ogg"
    path.write_bytes(part + part[: len(part) // 2])
    with pytest.raises(audio.TruncatedAudioError, match="wanted the whole") as caught:
        audio.load(path)
    assert 3.5 < caught.value.seconds < 5.0


@pytest.mark.parametrize("name", ["flac", "wavpack", "tta"])
def test_joined_files_of_which_the_last_is_cut(tmp_path: Path, name: str) -> None:
    codec, container, rate, _ = CHAINS[name]
    part = _encoded(tmp_path, codec, container, signal(3.0, rate), rate)
    path = tmp_path / f"joined.{container}"
    path.write_bytes(part + b"TAG" + bytes(125) + part[: len(part) // 2])
    with pytest.raises(audio.TruncatedAudioError) as caught:
        audio.load(path)
    assert 3.5 < caught.value.seconds < 5.0


class _Counting(io.FileIO):
    """A file that knows how much of it was read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("writer", ["libsndfile", "FFmpeg"])
def test_a_long_flac_is_not_searched_for_nothing(tmp_path: Path, writer: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (30 * 44_100, 2)).astype(np.float32)
    files = []
    for name, samples in {"long": noise, "short": noise[:600_000]}.items():
        path = tmp_path / f"{name}.flac"
        if writer == "FFmpeg":
            encode(path, samples, 44_100, "flac", container="flac")
        else:
            sf.write(path, samples, 44_100)
        files.append(path.read_bytes())
    long, short = files
    joined_path = tmp_path / "joined.flac"
    for pieces in ([long], [long, long], [long, short], [short, long], [long, long, long]):
        joined_path.write_bytes(b"".join(pieces))
        with _Counting(joined_path) as file:
            ends = np.cumsum(list(map(len, pieces))).tolist()
            assert parts(file) == list(zip([0, *ends], ends, strict=False))
        assert (file.count < 1 << 18) == (len(pieces) == 1)


@pytest.mark.parametrize("name", ["flac", "wavpack", "tta"])
def test_parts_of_damaged_files(tmp_path: Path, name: str) -> None:
    codec, container, rate, _ = CHAINS[name]
    whole = _encoded(tmp_path, codec, container, signal(1.0, rate), rate)
    path, rng = tmp_path / "x", np.random.default_rng(0)
    for size in [4, 20, 30, 60, 100, *rng.integers(100, len(whole), 10).tolist()]:
        for length in (0, 8):
            data = bytearray(whole[:size])
            data[6 : 6 + length] = b"\xff" * min(length, size - 6)
            path.write_bytes(data)
            with open(path, "rb") as file:
                assert parts(file) == [(0, len(data))]


CONTAINERS = [
    ("film.mkv", "aac", "matroska", 44_100, {}),
    ("pcm.mkv", "pcm_s16le", "matroska", 44_100, {}),
    ("live.webm", "libopus", "webm", 48_000, {"live": "1"}),
    ("film.mov", "alac", "mov", 44_100, {}),
    ("film.mp4", "ac3", "mp4", 48_000, {}),
    ("fragments.m4a", "aac", "mp4", 44_100, {"movflags": "frag_keyframe"}),
    ("bare.m4a", "aac", "mp4", 44_100, {"movflags": "frag_keyframe+empty_moov"}),
    (
        "short.m4a",
        "aac",
        "mp4",
        44_100,
        {"movflags": "empty_moov+default_base_moof", "frag_duration": "500000"},
    ),
    ("film.avi", "libmp3lame", "avi", 44_100, {}),
    ("film.ts", "aac", "mpegts", 44_100, {}),
    ("disc.m2ts", "ac3", "mpegts", 48_000, {}),
    ("film.mpg", "mp2", "mpeg", 44_100, {}),
    ("disc.vob", "ac3", "vob", 48_000, {}),
    ("film.flv", "aac", "flv", 44_100, {}),
    ("film.wmv", "wmav2", "asf", 44_100, {}),
    ("film.ogv", "flac", "ogg", 44_100, {}),
    ("plus.eac3", "eac3", "eac3", 48_000, {}),
    ("apple.caf", "alac", "caf", 44_100, {}),
    ("old.voc", "pcm_u8", "voc", 22_050, {}),
    ("phone.3gp", "aac", "3gp", 44_100, {}),
    ("true.tta", "tta", "tta", 44_100, {}),
]


@pytest.mark.parametrize("made", CONTAINERS, ids=lambda made: made[0])
def test_durations_and_spans_of_every_container(
    tmp_path: Path, made: tuple[str, str, str, int, dict[str, str]]
) -> None:
    name, codec, container, rate, options = made
    path = tmp_path / name
    encode(path, signal(6.0, rate), rate, codec, container=container, options=options)
    samples = audio.load(path)
    assert len(samples) / 12_000 == pytest.approx(6.0, abs=0.1)
    assert audio.probe(path).duration == pytest.approx(len(samples) / 12_000, abs=0.1)
    for offset in (0.4, 2.5, 4.4321):
        span = audio.load(path, 12_000, offset, 0.75)
        first = round(offset * 12_000)
        np.testing.assert_allclose(span, samples[first : first + len(span)], atol=1e-3)
    assert list(find_songs([tmp_path])) == [str(path)]


def test_direct_stream_digital(tmp_path: Path) -> None:
    rate, block, blocks = 2_822_400, 4096, 345  # half a second
    time = np.arange(block * 8 * blocks) / rate
    wave = 0.4 * np.sin(2 * np.pi * 1000 * time)
    error, bits = 0.0, np.zeros(len(wave), np.uint8)
    for n, value in enumerate(wave.tolist()):  # first-order sigma-delta
        bits[n] = error + value > 0
        error += value - (1.0 if bits[n] else -1.0)
    data = np.packbits(bits, bitorder="little").tobytes()
    number = int.to_bytes
    head = b"fmt " + number(52, 8, "little")
    for value in (1, 0, 1, 1, rate, 1):
        head += number(value, 4, "little")
    head += number(len(wave), 8, "little") + number(block, 4, "little") + bytes(4)
    body = b"data" + number(len(data) + 12, 8, "little") + data
    size = 28 + len(head) + len(body)
    file = b"DSD " + number(28, 8, "little") + number(size, 8, "little") + bytes(8) + head + body
    (tmp_path / "x.dsf").write_bytes(file)
    samples = audio.load(tmp_path / "x.dsf")
    assert audio.probe(tmp_path / "x.dsf").duration == pytest.approx(len(wave) / rate, abs=0.1)
    assert _pitch(samples[1000:]) == pytest.approx(1000, abs=5)
    assert list(find_songs([tmp_path])) == [str(tmp_path / "x.dsf")]


@pytest.mark.parametrize("container", ["matroska", "mp4"])
@pytest.mark.parametrize("chosen", [0, 1, None])
def test_the_default_track_is_read(tmp_path: Path, container: str, chosen: int | None) -> None:
    path, rate = tmp_path / "film", 48_000
    with av.open(str(path), "w", format=container) as output:
        streams = [output.add_stream("aac", rate=rate, layout="mono") for _ in range(2)]
        for number, stream in enumerate(streams):
            default = av.stream.Disposition.default
            stream.disposition = default if number == chosen else av.stream.Disposition(0)
        for number, stream in enumerate(streams):
            samples = tone(1000.0 * (number + 1), 2.0, rate=rate)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            resampler = av.AudioResampler("fltp", "mono", rate, frame_size=1024)
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                output.mux(stream.encode(part))
    heard = _pitch(audio.load(path)[6000:18_000])
    assert heard == pytest.approx(1000.0 * ((chosen or 0) + 1), abs=5)


def test_opus_of_a_mono_song_at_24_khz(tmp_path: Path, shared_data: Path) -> None:
    """libsndfile calls the packets of some such files malformed."""
    songs = sorted(shared_data.glob("emotify/electronic/*.ogg"))[:12]
    for song in songs:
        with av.open(str(song)) as source:
            rate = source.streams.audio[0].rate
        assert rate == 22_050
        samples = audio.load(song, 24_000)
        path = tmp_path / f"{song.stem}.opus"
        encode(path, samples[:, None], 24_000, "libopus", container="ogg", layout="mono")
        again = audio.load(path)
        assert len(again) / 12_000 == pytest.approx(len(samples) / 24_000, abs=0.1)
        assert audio.probe(path).duration == pytest.approx(len(again) / 12_000, abs=0.1)


def test_a_damaged_page_is_passed_over(tmp_path: Path) -> None:
    path = wav(tmp_path / "x.ogg", signal(6.0, 44_100), 44_100, "VORBIS")
    whole = audio.load(path)
    data = bytearray(path.read_bytes())
    second = data.index(b"OggS", len(data) // 2)
    data[second + 60 : second + 64] = b"\xff\xff\xff\xff"  # fails the page's checksum
    path.write_bytes(data)
    found = audio.load(path, partial=True)
    assert len(found) / 12_000 > 5.5
    np.testing.assert_allclose(found[:24_000], whole[:24_000], atol=1e-3)


def test_a_xing_header_that_states_too_little(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    encode(path, signal(8.0, 44_100), 44_100, "libmp3lame")
    data = bytearray(path.read_bytes())
    at = max(data.find(b"Xing"), data.find(b"Info"))
    for field in (8, 12):  # frames and bytes: half of what there is
        value = int.from_bytes(data[at + field : at + field + 4], "big") // 2
        data[at + field : at + field + 4] = value.to_bytes(4, "big")
    path.write_bytes(data)
    assert audio.probe(path).duration == pytest.approx(8.0, abs=0.1)
    assert len(audio.load(path)) / 12_000 == pytest.approx(8.0, abs=0.1)
    data += b"TAG" + bytes(125)
    path.write_bytes(data)
    assert audio.probe(path).duration == pytest.approx(8.0, abs=0.1)
