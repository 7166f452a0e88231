"""Descriptions of models: content, rebuilding, and consistency."""

import json

import pytest
import torch

from genrenet.data.frames import FrameSettings
from genrenet.models.description import (
    CheckpointMismatchError,
    build_frontend,
    build_network,
    compare,
    describe,
    frontend_part,
    network_part,
)
from genrenet.models.frontend import LogMel
from genrenet.models.networks import CNN
from genrenet.models.registry import RebuildError
from tests.helpers.small_training import SMALL, small_model


def test_a_description_is_of_plain_types_and_says_where_the_weights_come_from():
    frames = FrameSettings(1.5, 0.0, 12_000, "zeros")
    found = describe(
        labels=("jazz", "rock"),
        network=SMALL(2),
        frontend=LogMel(),
        frames=frames,
        activation="softmax",
        aggregation="vote",
        provenance={"dataset": "mine", "split": "stratified"},
    )
    assert json.loads(json.dumps(found)) == found
    assert found["labels"] == ["jazz", "rock"]
    assert (found["output"], found["decision"]) == ("softmax", "vote")
    assert (found["dataset"], found["split"]) == ("mine", "stratified")
    assert FrameSettings.from_dict(found["frames"]) == frames
    assert found["versions"]["torch"] == torch.__version__


def test_parts_are_built_again_from_what_is_said_of_them():
    network = build_network(network_part(SMALL(3)), 5, "it")
    assert type(network) is CNN
    assert network.settings == SMALL(5).settings
    assert network(torch.zeros(1, 96, 71)).shape == (1, 5)
    frontend = build_frontend(frontend_part(LogMel(n_mels=40, level="keep")), "it")
    assert frontend.settings == LogMel(n_mels=40, level="keep").settings


def test_settings_have_their_former_names_in_older_checkpoints():
    part = network_part(SMALL(3))
    settings = dict(part["settings"])
    settings["n_columns"] = settings.pop("n_stft_frames")
    assert build_network({**part, "settings": settings}, 3, "it").settings == part["settings"]


def test_quick_front_ends_compute_by_fft_unless_their_bases_are_learnt():
    part = frontend_part(LogMel())
    assert build_frontend(part, "it", quick=True).settings == {**part, "backend": "fft"}
    assert build_frontend(part, "it").settings == part
    learnt = frontend_part(LogMel(trainable_mel=True))
    assert build_frontend(learnt, "it", quick=True).settings == learnt


def test_a_network_that_is_not_known_is_named():
    with pytest.raises(RebuildError, match="'it' was trained with Nope, which is not known here"):
        build_network({"name": "Nope", "settings": {}}, 3, "it")


def test_compare_names_the_setting():
    wanted = small_model().description()
    compare(wanted, wanted)
    for key in ("labels", "network", "frontend", "frames", "output"):
        with pytest.raises(CheckpointMismatchError, match=f"differ in {key}"):
            compare({**wanted, key: None}, wanted)


def test_settings_that_are_younger_than_a_checkpoint_have_their_defaults():
    wanted = small_model().description()
    frontend = {key: value for key, value in wanted["frontend"].items() if key != "compression"}
    settings = wanted["network"]["settings"]
    kept = {key: value for key, value in settings.items() if key != "conv_dropout"}
    older = {**wanted, "frontend": frontend, "network": {"name": "CNN", "settings": kept}}
    compare(older, wanted)
    compare(wanted, older)
    older["network"]["settings"] = {
        {"n_stft_frames": "n_columns"}.get(key, key): value for key, value in settings.items()
    }
    compare(older, wanted)
    older["network"]["settings"] = {**older["network"]["settings"], "n_columns": 72}
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare(older, wanted)
    older["network"]["settings"] = kept
    other = small_model(frontend=LogMel(compression="log10-10000")).description()
    with pytest.raises(CheckpointMismatchError, match="differ in frontend"):
        compare(older, other)
    kept["dropout"] = 0.3
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare(older, wanted)
    with pytest.raises(CheckpointMismatchError, match="differ in network"):
        compare({**wanted, "network": {"name": "CNN"}}, wanted)
