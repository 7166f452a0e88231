"""``genrenet checkpoints``: every action, with its messages and exit codes on errors."""

import json
import re
import subprocess
import sys

import pytest
import torch

from genrenet.cli import main
from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints import load_model, register, registry, write_checkpoint
from genrenet.models.checkpoints.export import exported_metadata
from tests.helpers.publishing import model_of, sha256, small_model

CONTENT = b"what the authors published" * 100


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def published_file(tmp_path, cache):
    file = tmp_path / "published.bin"
    file.write_bytes(CONTENT)
    register(model_of(CONTENT, file.as_uri()))
    return file


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch, published_file):
    """One shipped checkpoint, ``ours``, with a model card."""
    folder = tmp_path / "installed" / "genrenet_checkpoints"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "genrenet_checkpoints", raising=False)
    model = small_model(published_file)
    model.provenance = {"dataset": "some songs", "metrics": {"test/song_accuracy": 0.75}}
    write_checkpoint(model, folder / "ours.ckpt")
    (folder / "ours.md").write_text("# The card of ours\n")
    return folder


def _run(capsys, *arguments):
    code = main(["checkpoints", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _refused(capsys, *arguments):
    code, out, err = _run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("genrenet checkpoints: error: ")
    return err


def test_list(capsys):
    code, out, err = _run(capsys, "list")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "CNN, trained on some songs" in lines["ours"]
    assert lines["ours"].rstrip().endswith("shipped")
    assert re.search(r"MIT +yes +not yet$", lines["msd-cnn"].rstrip())
    assert _run(capsys, "import", "tiny")[0] == 0
    rows = json.loads(_run(capsys, "list", "--format", "json")[1])
    states = {row["name"]: row["state"] for row in rows}
    assert states["tiny"] == "imported"
    allowed = {row["name"]: row["commercial"] for row in rows}
    assert (allowed["msd-cnn"], allowed["ours"]) == ("yes", "not settled")
    assert states["ours"] == "shipped"
    assert states["musicnn-msd"] == "not yet"
    assert {"name", "what", "labels", "licence", "commercial", "state", "needs"} == set(rows[0])
    assert {row["needs"] for row in rows} == {None}


@pytest.fixture
def part(shipped, published_file):
    """A shipped checkpoint, ``part``, that is only a head on ``tiny``."""
    model = small_model(published_file)
    model.provenance = {"backbone": {"name": "tiny", "sha256": sha256(CONTENT)}}
    whole = write_checkpoint(model, shipped.parent / "whole.ckpt")
    main(["checkpoints", "export", str(whole), str(shipped / "part.ckpt"), "--without-backbone"])
    main(["checkpoints", "remove", "tiny"])
    return shipped / "part.ckpt"


def test_a_partial_checkpoint_says_what_it_needs(capsys, part):
    def listed():
        rows = json.loads(_run(capsys, "list", "--format", "json")[1])
        return {row["name"]: (row["state"], row["needs"]) for row in rows}

    capsys.readouterr()
    assert listed()["part"] == ("shipped, needs tiny (not yet)", "tiny")
    _run(capsys, "import", "tiny")
    assert listed()["part"] == ("shipped, needs tiny (imported)", "tiny")
    assert listed()["ours"] == ("shipped", None)
    lines = {line.split()[0]: line.rstrip() for line in _run(capsys, "list")[1].splitlines()}
    assert lines["part"].endswith("shipped, needs tiny (imported)")
    facts = json.loads(_run(capsys, "info", "part", "--format", "json")[1])
    head = sum(p.numel() for p in load_model("part").network.head.parameters())
    assert facts["parameters_in_file"] == head < facts["parameters"]
    assert (facts["state"], facts["needs"]) == ("shipped, needs tiny (imported)", "tiny")
    words = f"parameters: {facts['parameters']}, {head} of them in the file"
    assert words in _run(capsys, "info", "part")[1]
    assert "of them in the file" not in _run(capsys, "info", "ours")[1]
    registry._MODELS.pop("tiny")
    assert listed()["part"] == ("shipped, needs tiny (unknown)", "tiny")


def test_a_damaged_shipped_checkpoint_is_listed_as_a_problem(capsys, shipped):
    (shipped / "broken.ckpt").write_bytes(b"half")
    code, out, err = _run(capsys, "list")
    assert code == 1
    assert "broken.ckpt" in err
    assert "ours" in out


def test_import_from_a_file(capsys, cache, tmp_path, published_file):
    own = tmp_path / "own.bin"
    published_file.rename(own)
    code, out, _ = _run(capsys, "import", "tiny", "--from", own)
    assert code == 0
    assert str(cache / "checkpoints" / "tiny.ckpt") in out
    assert "licence CC0; cite Nobody (2020)" in out
    assert not (cache / "downloads").exists()


def test_imports_that_cannot_be_done(capsys, tmp_path, published_file, monkeypatch):
    assert "'nope': wanted one of msd-cnn" in _refused(capsys, "import", "nope")
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(b"1")
    words = _refused(capsys, "import", "tiny", "--from", wrong)
    assert "wrong.bin" in words
    assert sha256(CONTENT) in words
    assert "gone.bin" in _refused(capsys, "import", "tiny", "--from", tmp_path / "gone.bin")
    monkeypatch.setenv("GENRENET_CACHE", str(published_file / "cache"))
    assert "set GENRENET_CACHE" in _refused(capsys, "import", "tiny")
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    published_file.unlink()
    assert "genrenet checkpoints import tiny --from FILE" in _refused(capsys, "import", "tiny")


def test_info_of_what_is_not_here_fetches_nothing(capsys, cache):
    code, out, _ = _run(capsys, "info", "tiny")
    assert code == 0
    for words in ("not yet", "labels (2): low, high", "CC0", "Nobody (2020)"):
        assert words in out
    assert not cache.exists()


def test_info_of_an_imported_model(capsys):
    _run(capsys, "import", "tiny")
    facts = json.loads(_run(capsys, "info", "tiny", "--format", "json")[1])
    assert facts["state"] == "imported"
    assert facts["labels"] == ["low", "high"]
    assert facts["network"]["name"] == "CNN"
    assert facts["frontend"]["sample_rate"] == 12_000
    assert facts["frames"]["seconds"] == 29.12
    model = load_model("tiny")
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["source"]["sha256"] == sha256(CONTENT)


def test_info_of_a_shipped_model_shows_its_metrics_and_card(capsys):
    code, out, _ = _run(capsys, "info", "ours")
    assert code == 0
    for words in ("state: shipped", "dataset: some songs", "test/song_accuracy: 0.75"):
        assert words in out
    card, told = out.rstrip().splitlines()[-2:]
    assert card == "# The card of ours"
    assert told == "next: genrenet classify song.mp3 --checkpoint ours"
    facts = json.loads(_run(capsys, "info", "ours", "--format", "json")[1])
    assert facts["card"] == "# The card of ours\n"


def test_info_of_a_file(capsys, tmp_path, published_file):
    file = write_checkpoint(small_model(published_file), tmp_path / "mine.ckpt")
    assert f"path: {file}" in _run(capsys, "info", file)[1]
    assert "no checkpoint 'nope'" in _refused(capsys, "info", "nope")
    assert "published.bin' is not a checkpoint" in _refused(capsys, "info", published_file)


def test_export(capsys, tmp_path):
    target = tmp_path / "small.ckpt"
    code, out, _ = _run(capsys, "export", "tiny", target)
    assert code == 0
    assert f"wrote {target}" in out
    wave = torch.linspace(-1, 1, 18_000).sin()[None]
    wanted = load_model("tiny").scores(wave)
    assert torch.equal(load_model(target).scores(wave), wanted)


def test_endings_may_be_in_capitals(capsys, tmp_path, published_file):
    model = small_model(published_file)
    model.frames = FrameSettings(1.5, 0.0, 12_000)
    file = write_checkpoint(model, tmp_path / "mine.ckpt")
    assert _run(capsys, "export", file, tmp_path / "x.CKPT")[0] == 0
    assert load_model(tmp_path / "x.CKPT").labels == ["low", "high"]
    words = _refused(capsys, "export", "ours", tmp_path / "y.ONNX", "--without-backbone")
    assert "found a .onnx file" in words
    assert _run(capsys, "export", file, tmp_path / "x.ONNX")[0] == 0
    assert exported_metadata(tmp_path / "x.ONNX")["labels"] == ["low", "high"]


def test_exports_that_cannot_be_done(capsys, tmp_path):
    words = _refused(capsys, "export", "ours", tmp_path / "x.pdf")
    assert "found the ending '.pdf', wanted .ckpt or .onnx or .pt2" in words
    assert "no folder" in _refused(capsys, "export", "ours", tmp_path / "no" / "x.ckpt")
    words = _refused(capsys, "export", "ours", tmp_path / "x.onnx", "--without-backbone")
    assert "--without-backbone" in words
    words = _refused(capsys, "export", "ours", tmp_path / "x.ckpt", "--without-backbone")
    assert "without its backbone" in words
    assert "no checkpoint 'nope'" in _refused(capsys, "export", "nope", tmp_path / "x.ckpt")
    assert not list(tmp_path.glob("x.*"))


def test_remove(capsys, cache):
    _run(capsys, "import", "tiny")
    code, out, _ = _run(capsys, "remove", "tiny")
    assert code == 0
    assert str(cache / "checkpoints" / "tiny.ckpt") in out
    assert "tiny is not imported" in _refused(capsys, "remove", "tiny")
    assert "ours is part of the package" in _refused(capsys, "remove", "ours")
    assert "no published model 'nope'" in _refused(capsys, "remove", "nope")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "ACTION"), (["import"], "NAME"), (["nonsense"], "nonsense"), (["export", "x"], "TARGET")],
)
def test_wrong_requests_get_one_line_and_code_2(arguments, words):
    command = [sys.executable, "-m", "genrenet", "checkpoints", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr
