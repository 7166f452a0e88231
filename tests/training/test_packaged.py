"""Every packaged configuration trains, and every packaged experiment runs, on a few short songs."""

import json
from importlib import resources

import pandas as pd
import pytest
import soundfile
import yaml

from genrenet.cli import main
from genrenet.evaluation.runner import contenders
from genrenet.models.checkpoints import FetchError, import_checkpoint
from genrenet.training.configs import config_names, experiment_names
from tests.helpers.tones import RATE, tone

MN04 = "mn04_as_mAP_432.pt"
# One step is too short for some of them to have been validated.
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:.*could not find the monitored key"),
]

TAGGERS = {
    "msd-cnn": "music_tagger_cnn_weights_tensorflow.h5",
    "msd-crnn": "music_tagger_crnn_weights_tensorflow.h5",
    "gtzan10-crnn": "crnn_net_gru_adam_ours_epoch_40.h5",
}
WITHOUT_MUSIC = {"ddp"}
"""Configurations that are added to others."""


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """A table of 24 songs of 3 s, four genres, twelve artists."""
    folder, rows = tmp_path_factory.mktemp("songs"), []
    for number, genre in enumerate(["classical", "jazz", "metal", "pop"]):
        for song in range(6):
            file = folder / f"{genre}-{song}.wav"
            wave = tone(200.0 * (number + 1) + 10 * song, 3.0, seed=10 * number + song)
            soundfile.write(file, wave, RATE)
            rows.append({"path": str(file), "genre": genre, "artist": f"{genre}-{song // 2}"})
    pd.DataFrame(rows).to_csv(folder / "songs.csv", index=False)
    return folder / "songs.csv"


@pytest.fixture
def weights(shared_data):
    """Import the published taggers from the files that are at hand."""
    folder = shared_data.parent / "weights"
    if not folder.is_dir():
        pytest.skip(f"no published weights in {folder}")
    for name, file in TAGGERS.items():
        import_checkpoint(name, folder / file)


@pytest.fixture
def mn04(shared_data):
    """The published mn04 of EfficientAT, and its genres."""
    file = shared_data.parent / "weights" / MN04
    if not file.is_file():
        pytest.skip(f"no published weights: {file}")
    for name in ("efficientat-mn04", "audioset-genres"):
        import_checkpoint(name, file)


@pytest.fixture
def musicnn():
    """The published MusiCNN, which pip fetches."""
    try:
        import_checkpoint("musicnn-msd")
    except FetchError as error:
        pytest.skip(str(error))


def fit(songs, folder, *options):
    given = [f"--data.source={songs}", f"--out={folder}", "--name=run", "--data.max_songs=8"]
    given += ["--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.max_steps=1"]
    given += ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    given += ["--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1"]
    assert main(["fit", *options, *given, "--data.batch_size=4"]) == 0


def names():
    found = set(config_names()) - WITHOUT_MUSIC
    return sorted(name for name in found if not name.startswith("transfer"))


@pytest.mark.parametrize("name", names())
def test_a_configuration_trains(name, songs, tmp_path):
    fit(songs, tmp_path, "--config", name)


def test_several_processes_are_an_addition(songs, tmp_path):
    fit(songs, tmp_path, "--config=cnn", "--config=ddp", "--trainer.devices=1")


@pytest.mark.parametrize("backbone", TAGGERS)
def test_transfer_trains_on(backbone, weights, songs, tmp_path):
    fit(songs, tmp_path, "--config=transfer", f"--model.network.init_args.backbone={backbone}")


def test_transfer_from_musicnn_trains(musicnn, songs, tmp_path):
    fit(songs, tmp_path, "--config=transfer-musicnn")


@pytest.mark.parametrize("backbone", ["efficientat-mn04", "audioset-genres"])
def test_transfer_from_efficientat_trains(backbone, mn04, songs, tmp_path):
    option = f"--model.network.init_args.backbone={backbone}"
    fit(songs, tmp_path, "--config=transfer-efficientat", option)


def test_what_was_trained_on_efficientat_is_tested_and_goes_on(mn04, songs, tmp_path, monkeypatch):
    options = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    options += ["--trainer.accelerator=cpu", "--data.num_workers=0"]
    new = ["--config=transfer-efficientat", f"--data.source={songs}", f"--out={tmp_path}"]
    assert main(["fit", *new, "--name=run", *options, "--trainer.max_epochs=1"]) == 0
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "without the backbone"))
    options += [f"--ckpt_path={tmp_path / 'run' / 'version_0' / 'checkpoints' / 'last.ckpt'}"]
    assert main(["test", *options]) == 0
    assert main(["fit", *options, "--trainer.max_epochs=2"]) == 0


def test_other_data_than_the_backbone_heard_is_refused(mn04, songs, tmp_path, capsys):
    options = ["--model.network.init_args.backbone=efficientat-mn04", f"--out={tmp_path}"]
    assert main(["fit", "--config=transfer", *options, f"--data.source={songs}"]) == 2
    assert "--data.sample_rate 32000 --data.frame_seconds 10\n" in capsys.readouterr().err


def test_mn04_is_judged_as_backbone(mn04, songs, tmp_path, capsys):
    models = "knn@efficientat-mn04,transfer:efficientat-mn04"
    given = ["--models", models, "--protocol", "70-30", "--seeds", "1", "--max-steps", "1"]
    code = main(["evaluate", str(songs), *given, "--out", str(tmp_path / "run")])
    assert code == 0, capsys.readouterr()
    found = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    assert [row["name"] for row in found["models"]] == models.split(",")
    assert not [row["error"] for row in found["models"] if row["error"]]


def test_no_configuration_is_left_out():
    transfer = {"transfer", "transfer-musicnn", "transfer-efficientat"}
    assert {*transfer, *WITHOUT_MUSIC, *names()} == set(config_names())


# Methods that other tests try on such songs are left out: networks take seconds to start.
SOME = {
    "four-genres": ["svm-dag"],
    "ten-genres": ["knn"],
    "probes": ["logistic@efficientat-mn04", "logistic@emotify-musicnn"],
    "quick": ["kl-knn", "svm@musicnn-msd"],
    "artists-curve": ["knn@emotify-musicnn"],
    "deformed": ["logistic@emotify-musicnn"],
    "frames-or-songs": ["transfer:gtzan10-crnn"],
}
SMALLER = {"artists-curve": ["--sizes", "4"], "deformed": ["--deform", "mp3:64k"]}


def methods(name):
    file = resources.files("genrenet.training.configs.experiments") / f"{name}.yaml"
    return yaml.safe_load(file.read_text("utf-8"))["models"]


def test_every_method_of_an_experiment_is_one():
    names = {one for name in experiment_names() for one in methods(name)}
    assert {model.name for model in contenders(names)} == names
    assert all({*some} <= {*methods(name)} for name, some in SOME.items())


@pytest.mark.parametrize("name", experiment_names())
def test_an_experiment_runs(name, weights, musicnn, mn04, songs, tmp_path, capsys):
    # One fold: the methods are tried here, and GTZAN's own split has no songs of ours.
    given = ["--seeds", "1", "--protocol", "70-30", "--max-steps", "1"]
    given += ["--out", str(tmp_path / "run")]
    if name in SOME:
        given += ["--models", ",".join(SOME[name])]
    given += SMALLER.get(name, [])
    code = main(["evaluate", str(songs), "--config", name, *given])
    assert code == 0, capsys.readouterr()
    found = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    assert {row["name"] for row in found["models"]} == {*SOME.get(name, methods(name))}
    assert not [row["error"] for row in found["models"] if row["error"]]
