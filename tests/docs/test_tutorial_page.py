"""The commands of docs/tutorial.md, in their order, on small files."""

from pathlib import Path

import pytest

from genrenet.cli import main
from tests.helpers import readme
from tests.helpers.readme_files import write_readme_files

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
STAND_INS = {
    "transfer-musicnn": "tiny.yaml",
    "svm,kl-knn,logistic@musicnn-msd": "knn@spectral-stats,tree@spectral-stats",
    "artist-3fold": "stratified-3fold",
    "rock": "bass",
}
"""What stands for published weights, slow methods, artists and genres that tests do not have."""

MORE = {
    "fit": " --trainer.max_epochs 1",
    "scan": " --checkpoint emotify-cnn",
    "classify": " --checkpoint emotify-cnn",
    "playlist": " --min-confidence 0 --by-score",
}
ELSEWHERE = ("serve",)
"""Commands that go on until they are ended; `readme.ELSEWHERE` says where they are tested."""


def test_the_commands_in_their_order(music, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    write_readme_files(music, tmp_path)
    songs = tmp_path / "Music"
    named = {**STAND_INS, f"{songs}/rock/rock-002.ogg": f"{songs}/bass/bass-0.wav"}
    ran = []
    for command in readme.commands(PAGE):
        name = command.split()[1]
        if name in ELSEWHERE:
            continue
        more = "" if "--checkpoint" in command else MORE.get(name, "")
        given = readme.arguments(command, more, songs, named)
        assert main(given) in ((0, 1) if name == "playlist" else (0,)), (
            f"{command}\n{capsys.readouterr().err}"
        )
        ran.append(name)
    assert ran[:2] == ["init", "scan"]
    assert {"classify", "data", "fit", "test", "evaluate", "playlist"} <= {*ran}
    for made in (
        "runs/mine/version_0/checkpoints/best.ckpt",
        "runs/methods/report.html",
        "mine.parquet",
        "rock.m3u8",
    ):
        assert (tmp_path / made).stat().st_size > 0


@pytest.mark.parametrize("command", readme.commands(PAGE))
def test_every_command_is_one_of_genrenet(command):
    assert command.split()[0] == "genrenet"
