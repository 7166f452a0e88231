"""Checkpoints: round trips, errors, and that no code in a file is run."""

import pickle

import pytest
import torch

import genrenet
from genrenet.models.checkpoints import (
    CheckpointError,
    CheckpointMismatchError,
    export_checkpoint,
    load_model,
)


def test_loads_in_eval_mode_from_the_package(checkpoint):
    model = genrenet.load_model(checkpoint)
    assert not model.training
    assert model.labels == ["bass", "middle", "treble"]
    assert model.scores(torch.randn(2, 18_000)).sum(-1).tolist() == pytest.approx([1, 1])


def test_export_is_small_and_scores_the_same(checkpoint, tmp_path):
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    assert small.stat().st_size < checkpoint.stat().st_size / 2
    wave = torch.randn(1, 18_000)
    wanted = load_model(checkpoint).scores(wave)
    assert torch.equal(load_model(small).scores(wave), wanted)
    assert [file.name for file in tmp_path.iterdir()] == ["small.ckpt"]


def _edited(checkpoint, target, edit):
    entries = torch.load(checkpoint, weights_only=True)
    edit(entries)
    torch.save(entries, target)
    return target


def test_settings_that_had_another_name_are_known(checkpoint, tmp_path):
    def older(entries):
        settings = entries["genrenet"]["network"]["settings"]
        settings["n_columns"] = settings.pop("n_stft_frames")

    model = load_model(_edited(checkpoint, tmp_path / "older.ckpt", older))
    assert model.network.settings["n_stft_frames"] == 71
    wave = torch.randn(1, 18_000)
    assert torch.equal(model.scores(wave), load_model(checkpoint).scores(wave))


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        (lambda e: e.pop("genrenet"), CheckpointError, "another program"),
        (lambda e: e["genrenet"].update(format=99), CheckpointError, "found format 99"),
        (lambda e: e["genrenet"]["network"].update(name="Evil"), CheckpointError, "Evil"),
        (lambda e: e["genrenet"].pop("frontend"), CheckpointError, "damaged"),
        (lambda e: e["genrenet"]["frames"].update(tempo=3), CheckpointError, "damaged"),
        (
            lambda e: e["genrenet"].update(labels=["only", "two"]),
            CheckpointMismatchError,
            "2 labels",
        ),
        (lambda e: e["state_dict"].popitem(), CheckpointMismatchError, "do not fit"),
    ],
)
def test_settings_that_do_not_fit_are_named(checkpoint, tmp_path, edit, error, words):
    file = _edited(checkpoint, tmp_path / "edited.ckpt", edit)
    with pytest.raises(error, match=words):
        load_model(file)


class _Payload:
    def __reduce__(self):
        return exec, ("open('ran', 'w').close()",)


def test_a_pickle_in_disguise_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = tmp_path / "plain.ckpt"
    plain.write_bytes(pickle.dumps({"genrenet": _Payload(), "state_dict": {}}))
    zipped = tmp_path / "zipped.ckpt"
    torch.save({"genrenet": _Payload(), "state_dict": {}}, zipped)
    for file in (plain, zipped):
        with pytest.raises(CheckpointError, match="can be read safely"):
            load_model(file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 half a zip"])
def test_files_that_are_no_checkpoints_are_named(tmp_path, content):
    file = tmp_path / "x.ckpt"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.ckpt"):
        load_model(file)


def test_other_programs_and_missing_files_are_named(tmp_path):
    torch.save({"state_dict": {}, "epoch": 3}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="another program: found entries"):
        load_model(tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="another program"):
        load_model(tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_model(tmp_path / "missing.ckpt")


def test_half_a_checkpoint_is_refused(checkpoint, tmp_path):
    half = tmp_path / "half.ckpt"
    half.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    with pytest.raises(CheckpointError):
        load_model(half)
