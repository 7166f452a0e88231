"""TensorBoard: the event files of a small run, read back by TensorBoard itself."""

import functools
import io
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import soundfile
import torch
from google.protobuf import text_format
from matplotlib.image import imread
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from genrenet.data.datamodule import GenreDataModule
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN
from genrenet.training.augmentation import Mixup
from genrenet.training.module import GenreClassifier
from genrenet.training.monitoring import HyperParameters, SongProjector, StageImages
from genrenet.training.stage_logger import StageLogger, read_curves

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers", "ignore:.*smaller than the logging interval"
)
LABELS = ["bass", "middle", "treble"]
NETWORK = functools.partial(CNN, n_stft_frames=47, channels=(4, 8), pools=((8, 8), (12, 4)))


def parts(music, logger, folder, songs=None, **settings):
    data = GenreDataModule(
        str(music), split="stratified", fractions=(0.5, 0.25, 0.25), frame_seconds=1.0,
        batch_size=8, num_workers=0, store=None, max_songs=songs,
    )  # fmt: skip
    adam = functools.partial(torch.optim.Adam, lr=3e-3)
    model = GenreClassifier(
        LABELS, NETWORK, LogMel(backend="torchaudio"), optimizer=adam, mixup=Mixup(0.2)
    )
    callbacks = [StageImages(n_clips=4), SongProjector(), HyperParameters()]
    defaults = {"max_epochs": 2, "callbacks": callbacks, "logger": logger}
    trainer = pl.Trainer(
        accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, **{**defaults, **settings},
    )  # fmt: skip
    return trainer, model, data


@pytest.fixture(scope="module")
def run(music, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    logger = StageLogger(folder, name="small")
    trainer, model, data = parts(music, logger, folder, log_every_n_steps=1)
    trainer.fit(model, data)
    confusion = model.stage_metrics["validation"].song_confusion.compute()
    trainer.test(model, data, verbose=False)
    found = {"folder": logger.log_dir, "confusion": confusion, "trainer": trainer}
    return found | {"events": events_of(logger.log_dir)}


def events_of(folder, *below):
    events = EventAccumulator(
        str(Path(folder, *below)), size_guidance={"images": 0, "audio": 0, "scalars": 0}
    )
    return events.Reload()


def test_training_and_validation_are_one_plot_with_a_line_each(run):
    train, val, test = (events_of(run["folder"], stage) for stage in ("train", "val", "test"))
    both = set(train.Tags()["scalars"]) & set(val.Tags()["scalars"]) & set(test.Tags()["scalars"])
    names = ("loss", "frame_accuracy", "song_accuracy", "song_f1")
    assert {f"curves/{name}" for name in names} <= both
    for tag in both:
        assert [event.step for event in train.Scalars(tag)] == [0, 1]
        assert [event.step for event in val.Scalars(tag)] == [0, 1]
    assert len(train.Scalars("curves/loss_step")) == 2
    curves = read_curves(Path(run["folder"]))
    assert curves["val/loss"] == [(event.step, event.value) for event in val.Scalars("curves/loss")]
    assert curves["train/song_f1"][-1][1] == train.Scalars("curves/song_f1")[-1].value
    assert "train/loss_step" not in curves


def test_no_plot_has_one_point_or_the_number_of_the_epoch(run):
    for stage in ("", "train", "val"):
        events = events_of(run["folder"], stage)
        for tag in events.Tags()["scalars"]:
            assert tag != "epoch"
            assert len(events.Scalars(tag)) > 1


def test_settings_and_songs_are_a_text(run):
    (event,) = run["events"].Tensors("run/text_summary")
    told = event.tensor_proto.string_val[0].decode()
    assert "| network | CNN |" in told
    assert "split: stratified" in told
    assert "|  | train | validation | test |" in told
    assert "| **songs** | 12 | 6 | 6 |" in told
    assert "| treble | 4 | 2 | 2 |" in told
    assert "Artists are not known." in told


def test_images_come_after_every_epoch_but_not_after_the_sanity_check(run):
    events = run["events"]
    assert set(events.Tags()["images"]) == {
        "val/confusion_frames", "val/confusion_songs", "val/logmels",
        "test/confusion_frames", "test/confusion_songs",
    }  # fmt: skip
    assert [image.step for image in events.Images("val/confusion_songs")] == [1, 2]
    assert [image.step for image in events.Images("val/logmels")] == [1, 2]
    assert len(events.Images("test/confusion_songs")) == 1
    for tag in events.Tags()["images"]:
        pixels = imread(io.BytesIO(events.Images(tag)[-1].encoded_image_string))
        assert pixels.std() > 0.01


def test_the_confusion_matrix_that_is_drawn_holds_every_song(run):
    assert int(run["confusion"].sum()) == 6


def test_sounds_are_of_every_genre_and_sound_like_it(run):
    events = run["events"]
    tags = sorted(events.Tags()["audio"])
    # Two of the first genre: four clips of three genres, in turn.
    genres = sorted(tag.rpartition("_")[2] for tag in tags)
    assert len(tags) == 4
    assert set(genres) == set(LABELS)
    for tag in tags:
        (clip,) = events.Audio(tag)
        wave, rate = soundfile.read(io.BytesIO(clip.encoded_audio_string))
        assert rate == 12_000
        assert len(wave) == 12_000
        peak = np.abs(np.fft.rfft(wave)).argmax()  # in Hz, as the clip lasts one second
        low, high = {"bass": (100, 200), "middle": (800, 1100), "treble": (3900, 4700)}[
            tag.rpartition("_")[2]
        ]
        assert low < peak < high


def test_the_projector_finds_songs_and_their_genres(run, music):
    folder = Path(run["folder"])
    config = ProjectorConfig()
    text_format.Parse((folder / "projector_config.pbtxt").read_text(), config)
    (embedding,) = config.embeddings
    points = np.loadtxt(folder / embedding.tensor_path)
    assert points.shape == (6, 8)
    assert points.std(axis=0).max() > 0
    sprite = imread(folder / embedding.metadata_path.replace("metadata.tsv", "sprite.png"))
    assert list(embedding.sprite.single_image_dim) == [28, 28]
    assert sprite.shape[:2] == (3 * 28, 3 * 28)  # six songs
    lines = (folder / embedding.metadata_path).read_text().splitlines()
    assert lines[0].split("\t") == ["genre", "predicted", "title", "path"]
    rows = [line.split("\t") for line in lines[1:]]
    assert sorted(row[0] for row in rows) == sorted(2 * LABELS)
    for genre, predicted, title, path in rows:
        assert predicted in LABELS
        assert path.startswith(str(music / genre))
        assert path.endswith(title)


def test_hyper_parameters_stand_beside_their_metrics_in_one_run(run):
    events, folder = run["events"], Path(run["folder"])
    assert not [path for path in folder.iterdir() if path.is_dir() and path.name[:1] == "1"]
    start = plugin_data_pb2.HParamsPluginData.FromString(
        events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    ).session_start_info.hparams
    assert start["network"].string_value == "CNN"
    assert start["optimizer"].string_value == "Adam"
    assert start["lr"].number_value == pytest.approx(3e-3)
    assert start["mixup_alpha"].number_value == pytest.approx(0.2)
    assert start["n_songs"].number_value == 12
    assert start["split"].string_value.startswith("stratified")
    val = events_of(folder, "val")
    losses = [event.value for event in val.Scalars("curves/loss")]
    assert start["best_val_loss"].number_value == pytest.approx(min(losses))
    assert start["best_epoch"].number_value == np.argmin(losses)
    about = plugin_data_pb2.HParamsPluginData.FromString(
        events.PluginTagToContent("hparams")["_hparams_/experiment"]
    )
    metrics = [(info.name.group, info.name.tag) for info in about.experiment.metric_infos]
    names = ("loss", "song_accuracy", "frame_accuracy")
    assert metrics == [("val", f"curves/{name}") for name in names]
    assert {tag for _, tag in metrics} <= set(val.Tags()["scalars"])
    assert "network: CNN" in (folder / "hparams.yaml").read_text()


def test_images_may_come_less_often(music, tmp_path):
    logger = TensorBoardLogger(tmp_path, name="rare", default_hp_metric=False)
    trainer, model, data = parts(
        music, logger, tmp_path, 3, max_epochs=3,
        callbacks=[StageImages(n_clips=0, every_n_epochs=2)], enable_checkpointing=False,
    )  # fmt: skip
    trainer.fit(model, data)
    events = events_of(logger.log_dir)
    assert [image.step for image in events.Images("val/confusion_songs")] == [1, 3]
    # Lightning's own logger gets the names that all loggers get.
    assert {"train/loss_epoch", "val/loss"} <= set(events.Tags()["scalars"])
    assert events.Tags()["audio"] == []


@pytest.mark.parametrize("kind", ["none", "csv"])
def test_without_tensorboard_nothing_happens(music, tmp_path, kind):
    logger = CSVLogger(tmp_path, "plain") if kind == "csv" else False
    trainer, model, data = parts(
        music, logger, tmp_path, 3, max_epochs=1, enable_checkpointing=False
    )
    trainer.fit(model, data)
    assert not list(tmp_path.rglob("events.out*"))
    assert not list(tmp_path.rglob("projector*"))


def test_the_best_loss_survives_a_resumed_run():
    before, after = HyperParameters(), HyperParameters()
    before._best = 0.25
    after.load_state_dict(before.state_dict())
    assert after._best == 0.25
