"""Cards of third-party backbones are read without importing what computes."""

import json
import subprocess
import sys

import pytest

CODE = """
import sys
from genrenet.models.adapters import card_of
print(card_of(sys.argv[1]).title)
loaded = {"torch", "transformers", "onnxruntime"} & set(sys.modules)
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    ("name", "files", "title"),
    [
        (
            "hf:",
            {"config.json": {"architectures": ["HubertModel"]}, "model.safetensors": {}},
            "HubertModel of transformers",
        ),
        (
            "onnx:model.onnx",
            {
                "model.onnx": {},
                "model.yaml": {
                    "sample_rate": 16000,
                    "outputs": {"scores": "y"},
                    "title": "a model",
                },
            },
            "a model",
        ),
    ],
)
def test_no_card_needs_tensors(name, files, title, tmp_path):
    for file, entries in files.items():
        (tmp_path / file).write_text(json.dumps(entries), "utf-8")
    scheme, _, file = name.partition(":")
    done = subprocess.run(
        [sys.executable, "-c", CODE, f"{scheme}:{tmp_path / file}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert title in done.stdout
