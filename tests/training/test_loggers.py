"""Other loggers than TensorBoard's, by configuration: their data, and the run's folder."""

import csv

import pytest
import yaml

from genrenet.cli import main
from tests.helpers.small_training import SMALL_OPTIONS

# What MLflow's and W&B's own code says of the packages that it uses.
of_services = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore:MLFlow only allows",
)

CSV = "{class_path: pytorch_lightning.loggers.CSVLogger, init_args: {save_dir: csv, name: small}}"
MLFLOW = """\
class_path: pytorch_lightning.loggers.MLFlowLogger
init_args: {experiment_name: genres, tracking_uri: "sqlite:///mlflow.db", artifact_location: mlruns}
"""
WANDB = """\
class_path: pytorch_lightning.loggers.WandbLogger
init_args: {project: genres, offline: true, save_dir: wandb-runs}
"""


@pytest.fixture
def fit(music, tmp_path, monkeypatch):
    """Train for an epoch with loggers from a configuration, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def train(*loggers, more=()):
        wanted = [yaml.safe_load(text) for text in loggers]
        settings = {"trainer": {"logger": wanted[0] if len(wanted) == 1 else wanted}}
        (tmp_path / "logger.yaml").write_text(yaml.safe_dump(settings))
        words = ["fit", "--config", "logger.yaml", f"--data.source={music}", *SMALL_OPTIONS]
        words += ["--data.num_workers=0", "--trainer.max_epochs=1", "--name=small", *more]
        assert main([*words, "--trainer.enable_model_summary=false"]) == 0
        return tmp_path

    return train


def own_run(folder):
    """The run's own folder has what the other commands read."""
    run = folder / "runs/small/version_0"
    assert (run / "checkpoints/last.ckpt").is_file()
    assert (run / "config.yaml").is_file()
    assert list(run.glob("events.out.tfevents.*"))
    return run


def test_csv_alone(fit):
    folder = fit(CSV)
    with open(folder / "csv/small/version_0/metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert any(float(row["val/loss"] or 0) > 0 for row in rows)
    assert (folder / "csv/small/version_0/checkpoints/last.ckpt").is_file()
    assert not (folder / "runs").exists()


def test_no_logger_at_all(fit):
    folder = fit("false")
    assert not list(folder.rglob("events.out.tfevents.*"))


@pytest.mark.long
@of_services
def test_mlflow_has_metrics_and_settings_beside_the_run(fit, capsys):
    from mlflow import MlflowClient

    folder = fit(MLFLOW)
    run = own_run(folder)
    client = MlflowClient("sqlite:///mlflow.db")
    (kept,) = client.search_runs([client.get_experiment_by_name("genres").experiment_id])
    assert kept.info.status == "FINISHED"
    assert kept.data.metrics["val/loss"] > 0
    capsys.readouterr()
    last = run / "checkpoints/last.ckpt"
    assert main(["test", "--ckpt_path", str(last)]) == 0
    assert (run / "test/report/results.json").is_file()


@pytest.mark.long
@of_services
def test_wandb_offline_and_csv_at_once(fit, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    folder = fit(WANDB, CSV)
    own_run(folder)
    assert list(folder.glob("wandb-runs/wandb/offline-run-*/*.wandb"))
    assert (folder / "csv/small/version_0/metrics.csv").is_file()
