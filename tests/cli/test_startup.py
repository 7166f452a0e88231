"""What commands import: naming a genre takes torch alone, and what needs no tensors not even that.

Each command is a process of its own, which says what it has imported when it is done.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys

import pytest
import soundfile

from tests.helpers.tones import RATE, tone

TRAINING = {
    "jsonargparse",
    "lightning_fabric",
    "matplotlib",
    "nnAudio",
    "pytorch_lightning",
    "sklearn",
    "skops",
    "tensorboard",
    "torchaudio",
    "torchmetrics",
}
"""What is for training, reports and baselines."""

SERVING = {"flask", "waitress", "implicit"}
TENSORS = {"torch", "joblib"}

PROGRAM = """
import json, sys
from genrenet.cli import main
code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump([code, sorted(name for name in sys.modules if "." not in name)], file)
"""


@pytest.fixture
def imported(tmp_path):
    """Run a command to its end; return the packages that it has imported."""

    def run(*arguments):
        told = tmp_path / "imported.json"
        command = [sys.executable, "-c", PROGRAM, str(told), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        code, packages = json.loads(told.read_text())
        assert code == 0, done.stdout + done.stderr
        return set(packages)

    return run


@pytest.fixture
def library(tmp_path):
    """A folder of eight short songs."""
    folder = tmp_path / "library"
    for song in range(8):
        place = folder / ("low" if song % 2 else "high")
        place.mkdir(parents=True, exist_ok=True)
        wave = tone(200.0 + 300.0 * song, 3.0, seed=song)
        soundfile.write(place / f"song-{song}.wav", wave, RATE)
    return folder


@pytest.mark.parametrize("name", ["shipped", "of nnAudio", "baseline suffix"])
def test_naming_a_genre(name, library, checkpoint, imported, tmp_path):
    (song,) = library.rglob("song-0.wav")
    # The fixture's model was trained with nnAudio's front end, which the FFT stands in for.
    trained = [] if name == "shipped" else ["--checkpoint", checkpoint]
    if name == "baseline suffix":
        trained = ["--checkpoint", shutil.copy(checkpoint, tmp_path / "model.net")]
    if name == "shipped":
        imported("classify", song)  # fetches and converts the network that it stands on
    found = imported("classify", song, *trained)
    assert "torch" in found
    assert not found & {*TRAINING, *SERVING, "pandas", "pyarrow", "scipy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["checkpoints", "list"],
        ["checkpoints", "info", "gtzan10-crnn"],
        ["plugins"],
        ["plugins", "--format", "json"],
        ["cache"],
    ],
)
def test_lists(arguments, imported, monkeypatch, tmp_path):
    # What a model that has been imported is made of, only its weights tell.
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    found = imported(*arguments)
    assert not found & {*TENSORS, *TRAINING, *SERVING, "pandas", "pyarrow", "scipy"}


@pytest.mark.parametrize("suffix", ["parquet", "sqlite"])
def test_table_of_a_library(suffix, library, imported, tmp_path):
    table = tmp_path / f"genres.{suffix}"
    # The default would say that tones are no music, and a playlist would have no songs.
    first = ["--checkpoint", "emotify-cnn"]
    assert "torch" in imported("scan", library, *first, "--out", table)
    unwanted = {*TENSORS, *TRAINING, *SERVING, "scipy"}
    assert not imported("scan", library, "--out", table) & unwanted
    assert not imported("tag", table) & {*unwanted, "pandas"}
    options = ["--out", tmp_path / "all.m3u8", "--min-confidence", "0", "--order", "smooth"]
    assert not imported("playlist", table, *options) & {*unwanted, "pandas"}
    assert len((tmp_path / "all.m3u8").read_text().splitlines()) > 8


@pytest.mark.long
def test_judging_methods_on_a_table_of_features(imported, tmp_path):
    rng = random.Random(0)
    with open(tmp_path / "features.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["track_id", "genre", "artist", "one", "two"])
        for song in range(40):
            genre = song % 2
            numbers = [genre + rng.gauss(0, 0.5), rng.gauss(0, 1)]
            rows.writerow([f"song-{song}", f"genre {genre}", f"artist {song // 2}", *numbers])
    options = ["--models", "tree", "--protocol", "70-30", "--seeds", "2"]
    for out in ("one", "two"):
        found = imported("evaluate", "features.csv", *options, "--out", out)
        assert not found & {"lightning_fabric", "pytorch_lightning", "torchmetrics", *SERVING}
    found = imported("compare", "one", "two")
    assert not found & {*TENSORS, *TRAINING, *SERVING}


@pytest.mark.parametrize("audio", [[], ["--no-audio"]])
def test_split_of_a_table(audio, library, imported, tmp_path):
    with open(tmp_path / "songs.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "genre", "artist"])
        for song in sorted(library.rglob("*.wav")):
            rows.writerow([os.fspath(song), song.parent.name, song.stem])
    found = imported("data", "split", tmp_path / "songs.csv", "--folds", "2", *audio)
    assert not found & {*TENSORS, *TRAINING, *SERVING, "scipy"}
    assert (tmp_path / "split.csv").exists()
