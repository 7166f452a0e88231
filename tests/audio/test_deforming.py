"""Deformations: their effect on a signal, reproducibility, and invalid requests."""

import re
from pathlib import Path

import numpy as np
import pytest

from genrenet.audio.deforming import KINDS, Deformation, DeformationError, deformations

RATE = 22_050


def tones(seconds=2.0, rate=RATE):
    """Tones of 440 Hz and 6 kHz."""
    at = np.arange(round(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * 440 * at) + 0.1 * np.sin(2 * np.pi * 6000 * at)
    return wave.astype(np.float32)


def peak(wave, rate=RATE):
    """The strongest frequency in Hz."""
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * rate / len(wave)


def changed(name, wave=None, seed=0):
    return Deformation.of(name).apply(tones() if wave is None else wave, RATE, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_repeats_itself(kind):
    name = f"{kind}:{KINDS[kind].example}"
    first, second = changed(name, seed=3), changed(name, seed=3)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    assert kind == "crop" or not np.array_equal(first, tones())


@pytest.mark.parametrize("codec", ["mp3", "aac", "opus"])
def test_codecs_keep_the_song_and_lose_more_at_fewer_bits(codec):
    rng = np.random.default_rng(0)
    wave = np.convolve(rng.standard_normal(2 * RATE), np.hanning(15), "same").astype(np.float32)
    wave /= 4 * np.abs(wave).max()
    errors = []
    for bits in ("128k", "16k"):
        found = changed(f"{codec}:{bits}", wave)
        assert len(found) == len(wave)
        errors.append(1 - np.corrcoef(found, wave)[0, 1])
    assert errors[0] < 0.05
    assert errors[0] < errors[1]


@pytest.mark.parametrize("rate", [8_000, 12_000, 44_100, 96_000])
def test_codecs_take_songs_of_any_rate(rate):
    wave = 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    for codec in ("mp3", "aac", "opus"):
        found = Deformation.of(f"{codec}:64k").apply(wave, rate)
        assert len(found) == len(wave)
        assert peak(found, rate) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(("name", "wanted"), [("pitch:+12", 880.0), ("pitch:-5", 329.6)])
def test_pitch_changes_frequencies_alone(name, wanted):
    found = changed(name)
    assert peak(found) == pytest.approx(wanted, abs=2)
    assert len(found) == pytest.approx(len(tones()), rel=0.02)


def test_tempo_changes_the_length_alone():
    found = changed("tempo:0.8")
    assert peak(found) == pytest.approx(440, abs=2)
    assert len(found) == pytest.approx(len(tones()) / 0.8, rel=0.02)


def test_noise_has_the_power_that_was_asked_for_and_is_the_songs_own():
    noise = changed("noise:10dB", seed=1) - tones()
    ratio = 10 * np.log10(np.mean(tones() ** 2) / np.mean(noise**2))
    assert ratio == pytest.approx(10, abs=0.1)
    assert not np.array_equal(noise, changed("noise:10dB", seed=2) - tones())


def test_gain_lowpass_clip_and_crop():
    np.testing.assert_allclose(changed("gain:-20dB"), tones() / 10, rtol=1e-5)
    assert np.abs(changed("gain:+30dB")).max() == 1
    low = np.abs(np.fft.rfft(changed("lowpass:2k")))
    high = np.abs(np.fft.rfft(tones()))
    assert low[12_000] < 1e-3 * high[12_000]  # 6 kHz
    assert low[880] == pytest.approx(high[880], rel=0.01)  # 440 Hz
    assert np.mean(np.abs(changed("clip:20%")) == 1) == pytest.approx(0.2, abs=0.01)
    np.testing.assert_array_equal(changed("crop:1s"), tones()[RATE // 2 : 3 * RATE // 2])
    np.testing.assert_array_equal(changed("crop:9s"), tones())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reverse:1", "no deformation 'reverse:1'.*mp3"),
        ("mp3", "bits a second"),
        ("mp3:64dB", "bits a second.*mp3:64k"),
        ("tempo:0", "a factor"),
        ("pitch:+40", "semitones"),
        ("noise:loud", "decibels"),
    ],
)
def test_names_that_stand_for_nothing(name, said):
    with pytest.raises(DeformationError, match=said):
        Deformation.of(name)


def test_the_page_names_every_kind():
    page = Path(__file__).parents[2] / "docs" / "robustness.md"
    named = re.findall(r"`(\w+:[+-]?\d[\w%.]*)`", page.read_text("utf-8"))
    assert {Deformation.of(name).kind for name in named} == set(KINDS)


def test_silence_cannot_be_deformed():
    with pytest.raises(DeformationError, match="silence"):
        changed("noise:10dB", np.zeros(RATE, np.float32))


def test_lists_of_deformations():
    found = deformations("mp3:64k, tempo:0.9,mp3:64000,")
    assert [one.name for one in found] == ["mp3:64k", "tempo:0.9"]
    assert deformations([]) == []
