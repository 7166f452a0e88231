"""The file and the plugin of docs/backbones.md."""

from pathlib import Path

import numpy as np
import torch

from genrenet.models.checkpoints import load_model
from tests.helpers import readme
from tests.helpers.backbones import LABELS, mel_onnx
from tests.helpers.plugin_packages import genrenet, write_plugin

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"


def test_the_file_beside_an_onnx_file(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    mel_onnx(tmp_path / "effnet.onnx")
    (text,) = readme.blocks("yaml", PAGE)
    (tmp_path / "effnet.yaml").write_text(text)
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    model = load_model(f"onnx:{tmp_path}/effnet.onnx")
    assert model.labels == list(LABELS)
    assert model.network.embedding_size == 12


def test_the_adapter_of_another_package(music, tmp_path):
    (code,) = readme.blocks("python", PAGE)
    path = write_plugin(tmp_path / "site", "my_adapter", code, entry="my-adapter")
    torch.save(torch.randn(6, 1, 160), tmp_path / "weights.pt")
    options = ["--backbone", f"filters:{tmp_path}/weights.pt", "--layer", "filters"]
    song, cache = music / "bass" / "bass-0.wav", str(tmp_path / "cache")
    out = tmp_path / "songs.npz"
    genrenet("embed", song, *options, "--out", out, path=path, GENRENET_CACHE=cache)
    with np.load(out) as found:
        assert found["embeddings"].shape == (5, 6)
