"""Former module paths still work, and warn of the new ones: in code, configurations and files."""

import json
import subprocess
import sys
import zipfile
from importlib import import_module

import numpy as np
import pytest
import yaml

from genrenet.baselines import baseline, fit_baseline, load_baseline
from genrenet.cli import main
from genrenet.utils.moved import MOVED, new_modules, new_name
from tests.helpers.small_training import TINY

FORMER = [f"{package}.{module}" for package, moved in MOVED.items() for module in moved]

CLASSES = {
    "genrenet.augmentation.Mixup": "genrenet.training.augmentation.Mixup",
    "genrenet.classifier.GenreClassifier": "genrenet.training.module.GenreClassifier",
    "genrenet.classifier.FRAMES_AT_ONCE": "genrenet.models.model.FRAMES_AT_ONCE",
    "genrenet.datamodule.GenreDataModule": "genrenet.data.datamodule.GenreDataModule",
    "genrenet.finetuning.LayerFreezing": "genrenet.training.finetuning.LayerFreezing",
    "genrenet.finetuning.Pretrained": "genrenet.training.finetuning.Pretrained",
    "genrenet.finetuning.freezing.LayerFreezing": (
        "genrenet.training.finetuning.freezing.LayerFreezing"
    ),
    "genrenet.frontend.LogMel": "genrenet.models.frontend.LogMel",
    "genrenet.monitoring.SongProjector": "genrenet.training.monitoring.SongProjector",
    "genrenet.networks.CNN": "genrenet.models.networks.CNN",
    "genrenet.networks.crnn.CRNN": "genrenet.models.networks.crnn.CRNN",
    "genrenet.schedules.OneCycle": "genrenet.training.schedules.OneCycle",
    "genrenet_plugins.svm.GenreSVM": "genrenet_plugins.baselines.svm.GenreSVM",
    # Packages that were modules.
    "genrenet.data.FrameDataset": "genrenet.data.datasets.FrameDataset",
    "genrenet.inference.score_songs": "genrenet.inference.classify.score_songs",
    "genrenet.plugins.hookimpl": "genrenet.plugins.manager.hookimpl",
    "genrenet.evaluation.report.render": "genrenet.evaluation.report.test_report.render",
}


def _of(path):
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("former", FORMER)
def test_every_former_module_has_its_successors(former):
    modules = new_modules(former)
    assert modules
    for module in modules:
        assert import_module(module).__name__ == module
    assert import_module(former).__name__ == former


@pytest.mark.parametrize("former", CLASSES)
def test_a_former_name_is_the_same_object_and_warns(former):
    with pytest.warns(DeprecationWarning, match="has moved to") as warned:
        found = _of(former)
    assert found is _of(CLASSES[former])
    assert f"{former} has moved to {CLASSES[former]}" in {str(one.message) for one in warned}


def test_what_never_was_is_not_there():
    for module in ("genrenet.nothing", "genrenet.networks.nothing", "genrenet_plugins.nothing"):
        with pytest.raises(ModuleNotFoundError):
            import_module(module)
    with pytest.raises(AttributeError, match=r"'genrenet\.networks' has no attribute 'Nothing'"):
        _of("genrenet.networks.Nothing")
    with pytest.raises(ImportError, match="Nothing"):
        from genrenet.data import Nothing  # noqa: F401
    assert new_modules("os.path") == []
    assert new_name("os.path.join") == "os.path.join"


def test_former_names_cost_nothing_before_they_are_used():
    code = (
        "import sys, genrenet\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
        "import genrenet.errors\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_configuration_of_a_former_run(music, tmp_path, monkeypatch):
    """A run goes on with the configuration that an earlier layout of the package has saved."""
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(TINY)
    config["model"]["network"]["class_path"] = "genrenet.networks.CNN"
    config["model"] |= {
        "lr_scheduler": {"class_path": "genrenet.schedules.OneCycle"},
        "waveform_augment": {"class_path": "genrenet.augmentation.WaveformAugment"},
        "spec_augment": {"class_path": "genrenet.augmentation.SpecAugment"},
        "mixup": {"class_path": "genrenet.augmentation.Mixup"},
        "frontend": {"class_path": "genrenet.frontend.LogMel", "init_args": {"top_db": 70.0}},
    }
    config["data"]["source"] = str(music)
    config["trainer"]["callbacks"] = [
        {"class_path": "genrenet.finetuning.LayerFreezing", "init_args": {"train": ["head"]}}
    ]
    (tmp_path / "former.yaml").write_text(yaml.safe_dump(config))
    options = ["fit", "--config", "former.yaml", "--trainer.accelerator", "cpu"]
    with pytest.warns(DeprecationWarning, match="has moved to") as warned:
        assert main(options) == 0
    told = {str(one.message) for one in warned}
    assert "genrenet.networks.CNN has moved to genrenet.models.networks.CNN" in told
    assert "genrenet.augmentation.Mixup has moved to genrenet.training.augmentation.Mixup" in told
    (saved,) = tmp_path.rglob("config.yaml")
    assert "genrenet.models.networks" in saved.read_text()
    for former in ("networks", "schedules", "augmentation", "frontend", "finetuning"):
        assert f"genrenet.{former}." not in saved.read_text()


@pytest.mark.long
def test_the_program_shows_the_warning(tmp_path):
    (tmp_path / "former.yaml").write_text(
        "model:\n  network:\n    class_path: genrenet.networks.CRNN\n"
    )
    command = [sys.executable, "-m", "genrenet", "fit", "--config", "former.yaml", "--print_config"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "genrenet.networks.CRNN has moved to genrenet.models.networks.CRNN" in done.stderr


@pytest.mark.parametrize("name", ["svm", "kl-knn", "knn", "mlp", "gaussian-kmeans"])
def test_fitted_baseline_of_a_former_version(name, tmp_path):
    method = baseline(name)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((40, 6))
    if method.kind == "gaussians":
        spread = np.tile(np.eye(2).ravel(), (40, 1))
        rows = np.concatenate([rows[:, :2], spread], axis=1)
    genres = np.array(["jazz", "rock"])[(np.arange(40) % 2)]
    rows[:, 0] += 4.0 * (genres == "rock")
    fitted = fit_baseline(method, rows, list(genres))
    fitted.features = "five"
    new = fitted.save(tmp_path / "new.skops")
    former = tmp_path / "former.skops"
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(former, "w") as target:
        for entry in source.namelist():
            data = source.read(entry)
            if entry == "schema.json":
                text = data.decode()
                assert "genrenet_plugins.baselines." in text
                data = text.replace("genrenet_plugins.baselines.", "genrenet_plugins.").encode()
                assert json.loads(data) != json.loads(text)
            target.writestr(entry, data)
    with pytest.warns(DeprecationWarning, match=r"genrenet_plugins\.\w+\.\w+ has moved to"):
        found = load_baseline(former)
    np.testing.assert_array_equal(found.scores(rows), load_baseline(new).scores(rows))
