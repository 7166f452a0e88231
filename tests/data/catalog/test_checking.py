"""Faults of every kind and implausible levels, found by decoding a collection once."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrenet import audio
from genrenet.cli import main
from genrenet.data.catalog import check_catalog, read_catalog
from genrenet.utils.errors import GenrenetError
from tests.helpers.songs import song, text
from tests.helpers.tones import RATE, tone

SECONDS = 8.0


def plain():
    return tone(440.0, SECONDS)


ODD = {
    "int16-scale.wav": (lambda: plain() * 32768, "peak 1.558e+04, full scale is 1"),
    "quiet.wav": (lambda: plain() * 0.003, "RMS -61 dBFS, hardly audible"),
    "offset.wav": (lambda: plain() + 0.2, "DC offset +0.200"),
    "empty-end.wav": (lambda: np.append(plain(), np.zeros(3 * len(plain()))), "silent for 75%"),
    "short.wav": (lambda: plain()[: RATE + 99], "1.01 s, wanted at least 2 s"),
    "phase.wav": (lambda: np.stack([plain(), -plain()], 1), "out-of-phase channels"),
}


FINE = {
    "plain.wav": plain,
    "loud.wav": lambda: plain() * 4,  # a float master above full scale
    "soft.wav": lambda: plain() * 0.03,
    "fades.wav": lambda: plain() * np.linspace(0, 1, len(plain())) ** 2,
    "stereo.wav": lambda: np.stack([plain(), 0.5 * plain()], 1),
    "pauses.wav": lambda: plain() * (np.arange(len(plain())) // RATE % 3 > 0),
}


@pytest.fixture(scope="module")
def levels(tmp_path_factory):
    root = tmp_path_factory.mktemp("levels")
    for genre, files in (("odd", {k: v[0] for k, v in ODD.items()}), ("fine", FINE)):
        (root / genre).mkdir()
        for name, make in files.items():
            soundfile.write(root / genre / name, np.float32(make()), RATE, subtype="FLOAT")
    return root


def test_implausible_levels_are_named_and_plausible_ones_are_not(levels):
    problems = {p.path.rsplit("/", 1)[1]: p for p in check_catalog(read_catalog(levels))}
    assert sorted(problems) == sorted(ODD)
    for name, (_, words) in ODD.items():
        kinds = {"short.wav": "too-short", "phase.wav": "out-of-phase"}
        assert problems[name].kind == kinds.get(name, "level")
        assert words in problems[name].message, problems[name].message


def test_one_decoding_and_one_line_a_file(levels, monkeypatch, capsys):
    opened, real = [], audio.stream
    monkeypatch.setattr(
        audio,
        "stream",
        lambda path, *rest, **more: opened.append(path) or real(path, *rest, **more),
    )
    assert main(["data", "check", str(levels)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(opened) == len(set(opened)) == len(ODD) + len(FINE)
    for name in ODD:
        (line,) = [line for line in lines if f"/{name}: " in line]
        assert line.removeprefix("genrenet data: ").split(": ")[0] in {
            "level",
            "too-short",
            "out-of-phase",
        }


def test_every_problem_names_its_file_once(levels, tmp_path, capsys):
    folder = tmp_path / "music"
    for genre in ("one", "two"):
        (folder / genre).mkdir(parents=True)
        for n in range(2):
            soundfile.write(folder / genre / f"{n}.wav", plain(), RATE)
    (folder / "one" / "cut.wav").write_bytes((folder / "one" / "0.wav").read_bytes()[:60_000])
    (folder / "one" / "none.wav").write_bytes(b"")
    (folder / "two" / "text.mp3").write_text("no music")
    (folder / "two" / "gone.wav").symlink_to(folder / "nowhere")
    soundfile.write(folder / "two" / "mute.wav", np.zeros(RATE * 5), RATE)
    soundfile.write(folder / "two" / "tiny.wav", plain()[:600], RATE)
    (folder / "three").mkdir()
    assert main(["data", "check", str(folder)]) == 1
    lines = capsys.readouterr().err.splitlines()
    for name in ("cut", "none", "text", "gone", "mute", "tiny", "three"):
        assert [line for line in lines if f"/{name}" in line], name
    assert all(line.count(str(folder)) == 1 for line in lines), lines


def test_segments_are_not_called_short(tmp_path):
    for genre in ("one", "two"):
        (tmp_path / genre).mkdir()
        for n in range(6):
            path = tmp_path / genre / f"song{n // 3}_seg{n % 3}.wav"
            soundfile.write(path, tone(440.0, 1.5, seed=n), RATE)
    assert not check_catalog(read_catalog(tmp_path))


@pytest.fixture
def faulty(folder):
    """A collection with one fault of every kind, in alphabetical order of the files."""
    bad = folder / "metal"
    song(bad / "a-silent.wav", value=0.0)
    song(bad / "b-short.wav", seconds=0.05)
    song(bad / "c-nan.wav")
    soundfile.write(bad / "c-nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    text(bad / "d-text.mp3", b"this is no music " * 100)
    text(bad / "e-empty.wav", b"")
    whole = Path(song(bad / "f-cut.wav", seconds=2)).read_bytes()
    text(bad / "f-cut.wav", whole[: len(whole) // 2])
    song(bad / "g-gone.wav")
    catalog = read_catalog(folder)
    os.remove(bad / "g-gone.wav")
    return catalog


def test_checking_finds_every_fault_in_order(faulty):
    steps = []
    found = check_catalog(faulty, min_seconds=0.1, progress=lambda *step: steps.append(step))
    assert [(os.path.basename(p.path)[0], p.kind) for p in found] == [
        ("a", "silent"), ("b", "too-short"), ("c", "non-finite"), ("d", "not-audio"),
        ("e", "empty"), ("f", "truncated"), ("g", "missing-file"),
    ]  # fmt: skip
    assert found[5].message.endswith("it is used as far as that")
    assert steps == [(n, len(faulty)) for n in range(1, len(faulty) + 1)]
    assert check_catalog(faulty, min_seconds=0.1, workers=1) == found


def test_checking_headers_only(faulty):
    found = {p.kind for p in check_catalog(faulty, decode=False, min_seconds=0.1)}
    assert {"too-short", "not-audio", "empty", "missing-file"} <= found
    assert "silent" not in found


def test_a_sound_collection_has_no_problems(folder):
    catalog = read_catalog(folder)
    assert check_catalog(catalog, min_seconds=0.25) == ()
    assert {p.kind for p in check_catalog(catalog, min_seconds=0.26)} == {"too-short"}
    assert issubclass(audio.AudioError, GenrenetError)
