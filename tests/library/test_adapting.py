"""Models adapted to corrections: the effect, unchanged predictions, and errors."""

import shutil
from pathlib import Path

import pytest
import soundfile
import torch

from genrenet import classify
from genrenet.cli import main
from genrenet.inference.classify import open_method
from genrenet.library.adapting import AdaptError, adapt
from genrenet.library.corrections import correct
from genrenet.library.scanning import identity_of, scan
from genrenet.library.table import read_table
from genrenet.models.checkpoints import load_model, read_checkpoint, write_checkpoint
from genrenet.models.model import GenreModel
from tests.helpers.tones import RATE, tone


@pytest.fixture(scope="module")
def home(music, checkpoint, tmp_path_factory):
    """A scanned library with songs between "middle" and "treble", of a genre of their own."""
    root = tmp_path_factory.mktemp("home")
    library = Path(shutil.copytree(music, root / "library"))
    (library / "odd").mkdir()
    for number in range(8):
        wave = tone(1900.0 + 20 * number, 5.0, seed=number)
        soundfile.write(library / "odd" / f"odd-{number}.wav", wave, RATE)
    scan([library], root / "t.parquet", open_method(checkpoint), identity_of(checkpoint))
    return root


@pytest.fixture
def table(home, tmp_path):
    return Path(shutil.copy(home / "t.parquet", tmp_path / "t.parquet"))


def odd(home, *numbers):
    return [str(home / "library" / "odd" / f"odd-{number}.wav") for number in numbers]


def test_a_new_genre_is_learnt_and_the_rest_is_kept(home, table, checkpoint, tmp_path):
    correct(table, dict.fromkeys(odd(home, *range(6)), "whistle"))
    made = adapt(table, tmp_path / "mine.ckpt", checkpoint, pull=0.05)
    assert (made.new_genres, made.corrected, made.labelled) == (["whistle"], 6, 0)
    assert made.kept == 24 + 2
    assert made.before["corrections"]["count"] == 0
    assert made.after["corrections"]["count"] >= 5
    assert made.after["corrections"]["n"] == 6
    assert made.agreement["count"] >= 22
    assert made.held_out.startswith("cross-validation by artist: one artist of 6 was left out")
    model = load_model(tmp_path / "mine.ckpt")
    assert model.labels == ["bass", "middle", "treble", "whistle"]
    assert model.provenance["adapted"]["corrections"] == 6
    # Songs that it has not seen as such, by the command that names genres.
    said = [song["genre"] for song in classify(odd(home, 6, 7), tmp_path / "mine.ckpt")]
    assert said == ["whistle", "whistle"]
    songs = sorted(map(str, (home / "library" / "bass").iterdir()))
    assert {song["genre"] for song in classify(songs, tmp_path / "mine.ckpt")} == {"bass"}
    # A scan by the new model keeps what was noted.
    scan(
        [home / "library"],
        table,
        open_method(tmp_path / "mine.ckpt"),
        identity_of(tmp_path / "mine.ckpt"),
        restart=True,
    )
    assert (read_table(table)["correction"] == "whistle").sum() == 6


def test_labels_of_a_collection_teach_too(home, table, checkpoint, tmp_path):
    made = adapt(
        table, tmp_path / "mine.ckpt", checkpoint, labels=home / "library", pull=0.05, others=5
    )
    assert (made.corrected, made.labelled, made.kept) == (0, 32, 0)  # all are labelled
    assert made.new_genres == ["odd"]
    assert set(made.after) == {"labels"}
    assert made.after["labels"]["count"] > made.before["labels"]["count"]
    assert made.agreement is None


def test_a_single_correction_is_learnt_without_figures(home, table, checkpoint, tmp_path, capsys):
    (song,) = odd(home, 0)
    assert main(["correct", song, "whistle", "--library", str(table)]) == 0
    out = tmp_path / "mine.ckpt"
    given = ["--checkpoint", str(checkpoint), "--pull", "0.05"]
    assert main(["adapt", str(table), "--out", str(out), *given]) == 0
    printed = capsys.readouterr().out
    assert "trained on 1 correction, 0 labels and 31 other songs" in printed
    assert "new genres: whistle" in printed
    assert "cannot be measured" in printed
    assert out.exists()


def test_the_command_says_how_it_was_before_and_is_after(home, table, checkpoint, tmp_path, capsys):
    correct(table, dict.fromkeys(odd(home, 0, 1, 2), "whistle"))
    given = ["--checkpoint", str(checkpoint), "--out", str(tmp_path / "mine.ckpt")]
    assert main(["adapt", str(table), *given]) == 0
    printed = capsys.readouterr().out
    assert "0.00 (0 of 3, 0.00 to 0.56)" in printed
    assert "same genre on other songs" in printed
    with pytest.raises(SystemExit):
        main(["adapt", str(table), "--out", "mine.txt"])


def test_a_partial_checkpoint_stays_partial(home, table, checkpoint, tmp_path):
    source = load_model(checkpoint)
    source.provenance |= {"backbone": {"name": "nothing published", "sha256": "0"}}
    whole = write_checkpoint(source, tmp_path / "whole.ckpt")
    correct(table, dict.fromkeys(odd(home, 0, 1), "treble"))
    adapt(table, tmp_path / "mine.ckpt", whole)
    entries = read_checkpoint(tmp_path / "mine.ckpt")
    assert entries["genrenet"]["backbone"]["name"] == "nothing published"
    assert set(entries["state_dict"]) == set(source.state_dict())


class Odd(torch.nn.Module):
    """A network whose logits are not its head's."""

    def __init__(self, n_labels, width=8):
        super().__init__()
        self.head = torch.nn.Linear(96, n_labels)

    def embed(self, logmel):
        return logmel.mean(dim=-1)

    def forward(self, logmel):
        return self.head(self.embed(logmel)).square() + 1.0


def test_what_cannot_be_adapted_is_refused(home, table, checkpoint, tmp_path, capsys):
    with pytest.raises(AdaptError, match="genrenet correct"):
        adapt(table, tmp_path / "mine.ckpt", checkpoint)
    correct(table, dict.fromkeys(odd(home, 0, 1), "treble"))
    with pytest.raises(AdaptError, match="a classical method"):
        adapt(table, tmp_path / "mine.ckpt", "svm.skops")
    model = GenreModel(["a", "b"], network=Odd)
    model.frames = load_model(checkpoint).frames
    strange = write_checkpoint(model.eval(), tmp_path / "strange.ckpt")
    with pytest.raises(AdaptError, match="computed in another way"):
        adapt(table, tmp_path / "mine.ckpt", strange)
    assert not (tmp_path / "mine.ckpt").exists()
