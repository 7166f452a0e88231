"""``genrenet distil``: training without labels, the report, resuming, and errors."""

import shutil

import pytest

from genrenet.cli import main
from genrenet.data.synthesis import synthesise_corpus
from genrenet.inference.classify import classify
from genrenet.models.checkpoints import load_model, read_checkpoint
from tests.helpers.small_training import SMALL_OPTIONS

OPTIONS = [*SMALL_OPTIONS, "--config=cnn", "--data.num_workers=0", "--trainer.max_epochs=1"]
OPTIONS += ["--trainer.enable_model_summary=false"]


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Songs by eight artists in one folder, without any genre, and a file that is no song."""
    root = tmp_path_factory.mktemp("corpus")
    corpus = synthesise_corpus(
        root / "corpus", genres=("ambient", "techno"), artists=4, songs=1, seconds=8.0
    )
    (root / "songs").mkdir()
    for file in corpus.rglob("*.flac"):
        shutil.move(file, root / "songs" / file.name)
    (root / "songs" / "broken.flac").write_bytes(b"nothing")
    return root / "songs"


def distil(songs, folder, *options):
    given = [f"--data.source={songs}", f"--out={folder / 'student.ckpt'}", f"--runs={folder}"]
    return main(["distil", *given, *OPTIONS, *options])


def test_a_student_of_two_teachers_names_their_genres(songs, checkpoint, tmp_path, capfd, caplog):
    options = ["--teacher", f"emotify-cnn,{checkpoint}", "--data.split=artist"]
    assert distil(songs, tmp_path, *options) == 1  # for the broken song
    said = capfd.readouterr()
    assert "split: artist-disjoint, seed 0" in said.out
    assert "held-out songs (95 % interval" in said.out
    assert "correlation of the scores" in said.out
    assert "as fast as the teacher" in said.out
    assert "1 songs were skipped" in said.out
    assert "broken.flac" in caplog.text

    student = load_model(tmp_path / "student.ckpt")
    assert student.labels == load_model("emotify-cnn").labels
    assert student.network.settings["channels"] == [8, 16]
    assert student.provenance["teachers"] == ["emotify-cnn", str(checkpoint)]
    (best,) = (tmp_path / "distil").rglob("best.ckpt")
    told = load_model("emotify-cnn").network.embedding_size + 4
    told += load_model(checkpoint).network.embedding_size + 3
    assert read_checkpoint(best)["tell"]["tell.bias"].shape == (told,)
    answers = classify(songs, tmp_path / "student.ckpt")
    assert [answer["genre"] in student.labels for answer in answers if not answer["error"]] == [
        True
    ] * 8


def test_a_run_goes_on_where_it_was_stopped(songs, tmp_path, capfd):
    assert distil(songs, tmp_path, "--teacher=emotify-cnn") == 1
    (last,) = (tmp_path / "distil").rglob("last.ckpt")
    capfd.readouterr()
    assert main(["distil", f"--ckpt_path={last}", "--trainer.max_epochs=2"]) == 1
    assert "trained with emotify-cnn" in capfd.readouterr().out
    assert read_checkpoint(last)["epoch"] == 1


def test_without_a_checkpoint_there_is_no_student(songs, tmp_path, capfd):
    assert distil(songs, tmp_path, "--teacher=emotify-cnn", "--trainer.fast_dev_run=true") == 1
    assert "there is no student" in capfd.readouterr().out
    assert not (tmp_path / "student.ckpt").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no teacher to learn from"),
        (["--teacher=nobody-knows"], "no checkpoint 'nobody-knows'"),
        (["--teacher=emotify-cnn", "--out=student.txt"], "wanted a .ckpt file"),
        (["--teacher=emotify-cnn", "--colour=red"], "unknown option --colour"),
    ],
)
def test_requests_that_cannot_be_carried_out(songs, tmp_path, capsys, options, message):
    assert main(["distil", f"--data.source={songs}", *options]) == 2
    assert message in capsys.readouterr().err


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["distil", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "genrenet distil --teacher genres,audioset-genres --data.source ~/Music" in said
