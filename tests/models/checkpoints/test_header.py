"""Descriptions of checkpoints, read without torch: the same as with torch, and as safe."""

import pickle
import zipfile

import pytest
import torch

from genrenet.models.checkpoints import read_checkpoint, shipped_checkpoints
from genrenet.models.checkpoints.header import CheckpointError, read_header


@pytest.mark.parametrize("whole", [True, False])
def test_same_description_as_torch_reads(checkpoint, whole):
    for path in (checkpoint, *shipped_checkpoints().values()):
        with_torch, without = read_checkpoint(path), read_header(path, whole=whole)
        assert without["genrenet"] == with_torch["genrenet"]
        assert list(without["state_dict"]) == list(with_torch["state_dict"])


def archive(path, pickled):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", pickled)
    return path


class Harmful:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (self.target, "w")


def test_no_code_of_a_file_is_run(tmp_path):
    target = tmp_path / "made"
    entries = {"genrenet": {"format": 1}, "state_dict": {}, "more": Harmful(str(target))}
    with pytest.raises(CheckpointError, match=r"a reference to .*open"):
        read_header(archive(tmp_path / "bad.ckpt", pickle.dumps(entries)))
    assert not target.exists()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([1, 2], "another program: found no entries"),
        ({"state_dict": {}}, "another program: found entries"),
        ({"genrenet": {"format": 2}, "state_dict": {}}, "format 2"),
    ],
)
def test_other_files_are_refused_as_by_torch(entries, words, tmp_path):
    torch.save(entries, tmp_path / "other.ckpt")
    for read in (read_checkpoint, read_header):
        with pytest.raises(CheckpointError, match=words):
            read(tmp_path / "other.ckpt")


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_header(tmp_path / "gone.ckpt")
    (tmp_path / "text.ckpt").write_text("no archive")
    (tmp_path / "other.ckpt").write_bytes(b"")
    zipfile.ZipFile(tmp_path / "empty.ckpt", "w").close()
    for name in ("text", "other", "empty"):
        with pytest.raises(CheckpointError, match="can be read safely"):
            read_header(tmp_path / f"{name}.ckpt")


def test_damaged_weights_are_found_where_that_is_asked(checkpoint, tmp_path):
    with zipfile.ZipFile(checkpoint) as file:
        weights = [entry for entry in file.infolist() if "/data/" in entry.filename]
        largest = max(weights, key=lambda entry: entry.file_size)
    data = bytearray(checkpoint.read_bytes())
    data[largest.header_offset + 200 + largest.file_size // 2] ^= 0xFF
    (tmp_path / "damaged.ckpt").write_bytes(data)
    assert read_header(tmp_path / "damaged.ckpt")["genrenet"]
    with pytest.raises(CheckpointError, match="damage in"):
        read_header(tmp_path / "damaged.ckpt", whole=True)
