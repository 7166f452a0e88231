"""Commercial use by licence, and errors."""

import pytest

from genrenet.cli import main
from genrenet.models.checkpoints import CheckpointError, write_checkpoint
from genrenet.models.checkpoints.licences import commercial, require_commercial
from genrenet.models.model import GenreModel


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", "yes"),
        ("CC BY-NC-SA 4.0", "no"),
        ("CC-BY-NC-4.0", "no"),
        ("CC BY-SA 4.0", "not settled"),
        ("MIT (learnt from music under CC BY-NC-SA)", "not settled"),
        ("", "not settled"),
    ],
)
def test_what_a_licence_says(licence, allowed):
    assert commercial(licence) == allowed


@pytest.mark.parametrize("name", ["genres", "emotify-cnn", "emotify-musicnn"])
def test_what_was_trained_on_music_for_research_is_refused(name):
    with pytest.raises(CheckpointError, match="not for commercial use: not settled"):
        require_commercial(name)


def test_published_models_under_free_licences_pass():
    require_commercial("musicnn-msd")
    require_commercial("audioset-genres")


def test_of_a_file_of_ones_own_its_backbones_count(tmp_path):
    model = GenreModel(["a", "b"])
    require_commercial(write_checkpoint(model, tmp_path / "own.ckpt"))
    model.provenance["backbone"] = {"name": "musicnn-msd", "sha256": "0"}
    require_commercial(write_checkpoint(model, tmp_path / "on.ckpt"))
    model.provenance["backbone"] = {"name": "nobody-knows", "sha256": "0"}
    with pytest.raises(CheckpointError, match="nobody-knows"):
        require_commercial(write_checkpoint(model, tmp_path / "off.ckpt"))


def test_the_option_refuses_before_anything_is_scored(capsys, music):
    song = str(music / "bass" / "bass-0.wav")
    assert main(["classify", song, "--checkpoint", "emotify-cnn", "--commercial"]) == 2
    assert "'emotify-cnn' is not for commercial use" in capsys.readouterr().err
