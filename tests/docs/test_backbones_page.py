"""The file and the plugin in docs/backbones.md."""

import textwrap
from pathlib import Path

from genrenet.models.checkpoints import load_model
from tests.helpers import readme
from tests.helpers.backbones import LABELS, mel_onnx

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


def test_the_adapter_of_another_package():
    (excerpt,) = readme.blocks("python", PAGE)
    code = (PAGE.parents[1] / "examples" / "adapter" / "filters_adapter.py").read_text("utf-8")
    assert textwrap.indent(excerpt.strip(), "    ") in code
