"""Packages that cannot be loaded: torchaudio is optional, and any other is named."""

import os
import subprocess
import sys

import pytest

from tests.helpers.small_training import TINY

WITHOUT = """\
import sys
from importlib.util import spec_from_loader


class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torchaudio":
            return spec_from_loader(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        raise OSError("Could not load this library: libtorchaudio.so")


sys.meta_path.insert(0, Broken())
from genrenet.cli import main

sys.exit(main(sys.argv[1:]))
"""


def without_torchaudio(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("without")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.mark.long
def test_genrenet_trains_classifies_and_evaluates_without_torchaudio(music, folder):
    augment = "--model.spec_augment=genrenet.training.augmentation.SpecAugment"
    options = ["--config", "tiny.yaml", "--name", "run", augment, "--model.frontend.backend=fft"]
    found = without_torchaudio("fit", *options, "--data.source", music, cwd=folder)
    assert found.returncode == 0, found.stderr
    trained = folder / "runs" / "run" / "version_0" / "checkpoints" / "best.ckpt"
    song = next(music.rglob("*.wav"))
    for model in ([], ["--checkpoint", trained]):  # the shipped one, too
        found = without_torchaudio("classify", song, *model, cwd=folder)
        assert found.returncode == 0, found.stderr
    found = without_torchaudio(
        "evaluate", music, "--models", "svm", "--protocol", "70-30", cwd=folder
    )
    assert found.returncode == 0, found.stderr


def test_its_own_backend_says_what_is_wrong_with_it(music, folder):
    options = ["--config", "tiny.yaml", "--model.frontend.backend=torchaudio"]
    found = without_torchaudio("fit", *options, "--data.source", music, cwd=folder)
    assert found.returncode == 2
    assert "'torchaudio' cannot be loaded: found Could not load this library" in found.stderr
    assert "constraints.txt" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError('libsoxr.so: undefined symbol')", "found OSError: libsoxr.so: undefined symbol"),
        ("RuntimeError('operator nms does not exist')", "found RuntimeError: operator nms"),
        ("ImportError('DLL load failed')", "found ImportError: DLL load failed"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(error, words, music, tmp_path):
    (tmp_path / "soxr").mkdir()
    (tmp_path / "soxr" / "__init__.py").write_text(f"raise {error}\n")
    song = next(music.rglob("*.wav"))
    found = subprocess.run(
        [sys.executable, "-m", "genrenet", "classify", str(song)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 2
    assert found.stderr.startswith("genrenet classify: error: the package 'soxr' cannot be loaded")
    assert words in found.stderr
    assert "constraints.txt" in found.stderr
    assert "Traceback" not in found.stderr
