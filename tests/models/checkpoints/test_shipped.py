"""Shipped checkpoints: each opens, is small, and has its provenance."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from genrenet.data.catalog import read_catalog
from genrenet.evaluation.metrics import wilson_interval
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import (
    DEFAULT_CHECKPOINT,
    CheckpointError,
    FetchError,
    import_checkpoint,
    load_model,
    published,
    read_checkpoint,
    shipped_checkpoints,
)
from genrenet.models.checkpoints.default import DEFAULTS
from genrenet.models.checkpoints.files import build_model
from genrenet.models.checkpoints.header import HEAD, backbones as backbones_of
from genrenet.models.checkpoints.opening import missing_weights
from tests.helpers.shared_music import shared_data_folder

MAX_BYTES, RATE = 10_000_000, 22_050
SHIPPED = sorted(shipped_checkpoints())


@pytest.fixture(scope="session")
def backbones(tmp_path_factory):
    """A cache for all tests of this file, so that a backbone is fetched once."""
    return tmp_path_factory.mktemp("backbones")


def _entries(name):
    return read_checkpoint(shipped_checkpoints()[name])


def card_figures(name):
    """Song accuracy of a checkpoint's recipe on artists it did not hear, with its interval."""
    card = Path(shipped_checkpoints()[name]).with_suffix(".md").read_text("utf-8")
    (figure,) = re.findall(r"Song accuracy \*\*(0\.\d+)\*\* on \d+ songs", card)
    ((low, high),) = re.findall(r"95 % interval (0\.\d+)-(0\.\d+) over songs", card)
    return float(figure), float(low), float(high)


def import_backbones(name):
    """Have what a checkpoint stands on: from files that are here, or fetched."""
    weights = shared_data_folder().parent / "weights"
    for backbone in backbones_of(_entries(name), name):
        file = weights / published(backbone["name"]).filename
        import_checkpoint(backbone["name"], file if file.is_file() else None)


def accuracy(model, table):
    """Share of songs that a model names as a table does, with its 95 % interval."""
    songs = list(score_songs(list(table["path"]), model))
    right = sum(song.genre == genre for song, genre in zip(songs, table["genre"], strict=True))
    return right / len(songs), *wilson_interval(right, len(songs))


def test_the_default_and_the_head_on_musicnn_ship():
    assert DEFAULT_CHECKPOINT in shipped_checkpoints()
    assert "emotify-musicnn" in shipped_checkpoints()


def test_one_of_the_defaults_is_complete():
    entries = _entries(DEFAULTS[-1])
    assert missing_weights(entries, build_model(entries, DEFAULTS[-1])) == []
    assert set(DEFAULTS) >= {DEFAULT_CHECKPOINT, "genres-fused"}


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_small_and_has_a_card(name):
    path = Path(shipped_checkpoints()[name])
    assert path.stat().st_size < MAX_BYTES
    assert path.with_suffix(".md").read_text("utf-8").startswith("#")


@pytest.mark.parametrize("name", SHIPPED)
def test_it_says_where_it_comes_from(name):
    entries = _entries(name)
    model = build_model(entries, name)
    assert model.labels
    assert len(set(model.labels)) == len(model.labels)
    assert model.provenance["dataset"]
    figure, low, high = card_figures(name)
    assert f"{model.provenance['metrics']['song_accuracy']:.3f}" == f"{figure:.3f}"
    assert low < figure < high
    # Neither folders nor optimisers of whoever trained it.
    assert set(entries) <= {"genrenet", "state_dict", "pytorch-lightning_version"}
    assert "/" not in str(model.provenance.get("dataset"))


@pytest.mark.long
@pytest.mark.parametrize("name", SHIPPED)
def test_it_knows_the_songs_it_learnt_from(name, shared_data, backbones, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(backbones))
    entries = _entries(name)
    if missing_weights(entries, build_model(entries, name)):
        try:
            import_backbones(name)
        except FetchError as error:
            pytest.skip(f"no published weights: {error}")
    model = load_model(name)
    table = read_catalog(str(shared_data / "emotify")).table
    some = table.groupby("genre").sample(10, random_state=0)
    if len(model.labels) > 4:
        some = read_catalog(str(shared_data / "gtzan-excerpts" / "genres")).table
    found, low, _ = accuracy(model, some)
    figure, least, _ = card_figures(name)
    # Of songs that it learnt from, more are right than of those that its recipe had not heard.
    assert found > figure
    assert low > least


def test_emotify_cnn_names_genres_of_another_collection(shared_data):
    model = load_model("emotify-cnn")
    table = read_catalog(str(shared_data / "gtzan-excerpts" / "genres")).table
    some = table[table["genre"].isin(model.labels)]
    assert some["genre"].value_counts().to_dict() == {"classical": 5, "pop": 5, "rock": 5}
    _, low, high = accuracy(model, some)
    guess = 1 / len(model.labels)
    assert low > guess
    # Songs and artists are new to it: the figure on its card must be a likely one.
    assert low < card_figures("emotify-cnn")[0] < high


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("genres")])
def test_no_music_is_no_genre(name, backbones, monkeypatch, tmp_path):
    monkeypatch.setenv("GENRENET_CACHE", str(backbones))
    try:
        import_backbones(name)
        model = load_model(name)
    except (CheckpointError, FetchError) as error:
        pytest.skip(f"no published weights: {error}")
    generator = np.random.default_rng(5)
    seconds = np.arange(30 * RATE) / RATE
    sounds = {
        "sine": np.sin(2 * np.pi * 700 * seconds),
        "white": generator.uniform(-1, 1, len(seconds)),
        "brown": np.cumsum(generator.normal(size=len(seconds))),
    }
    for name, wave in sounds.items():
        wave = wave - wave.mean()
        soundfile.write(tmp_path / f"{name}.wav", 0.3 * wave / np.abs(wave).max(), RATE)
    for song in score_songs([str(tmp_path / f"{name}.wav") for name in sounds], model):
        assert song.error is None
        named = {genre: score for genre, score in song.scores.items() if genre != "not music"}
        assert len(named) == 11
        assert max(named.values()) < 0.5, (song.path, named)
        assert song.genre == "not music" or song.unsure


@pytest.mark.parametrize("name", SHIPPED)
def test_it_opens_and_scores(name, backbones, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(backbones))
    entries = _entries(name)
    if missing_weights(entries, build_model(entries, name)):
        try:
            import_backbones(name)
        except FetchError:
            words = "trained on top of the published model '.*'.*--from FILE"
            with pytest.raises(CheckpointError, match=words):
                load_model(name)
            return
    model = load_model(name)
    noise = 0.1 * torch.randn(2, model.frames.n_samples, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        scores = model.scores(noise)
    assert scores.shape == (2, len(model.labels))
    assert scores.sum(dim=1).tolist() == pytest.approx([1, 1], abs=1e-4)


@pytest.mark.parametrize("name", ["emotify-musicnn", "genres"])
def test_the_head_on_musicnn_holds_nothing_of_others(name):
    entries = _entries(name)
    state = entries["state_dict"]
    assert sorted(state) == [f"{HEAD[0]}bias", f"{HEAD[0]}weight"]
    # A slice saves all that it is a slice of.
    assert all(
        tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        for tensor in state.values()
    )
    assert entries["genrenet"]["backbone"]["name"] == "musicnn-msd"


@pytest.mark.parametrize("name", ["emotify-musicnn", "genres"])
def test_the_head_on_musicnn_takes_quiet_and_short_songs(name):
    model = build_model(_entries(name), name)
    assert model.frontend.settings["level"] == "bound"
    assert model.frames.fill == "repeat"
