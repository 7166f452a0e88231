"""The CRNN: padding, the input of its recurrent layers, and the states that are used."""

import pytest
import torch
from torch import nn

from genrenet.models.networks import CRNN, NetworkError
from genrenet.models.networks.gru import Keras1GRU

SMALL = {
    "n_mels": 12,
    "n_stft_frames": 38,
    "padding": 5,
    "channels": (4, 6),
    "pools": ((4, 2), (3, 3)),
    "hidden_size": 7,
}


@pytest.mark.parametrize(("cell", "kind"), [("keras1", Keras1GRU), ("torch", nn.GRU)])
def test_the_embedding_is_the_last_state(cell, kind):
    network = CRNN(3, **SMALL, cell=cell).eval()
    assert isinstance(network.gru, kind)
    x = torch.randn(2, 12, 38)
    states = network.forward_features(x)
    assert states.shape == (2, 7, 8)  # 38 STFT frames and twice 5 are pooled by 6
    assert torch.equal(network.embed(x), states[..., -1])
    assert network.embedding_size == 7


def test_padding_is_zeros_on_both_sides():
    network = CRNN(3, **SMALL).eval()
    unpadded = CRNN(3, **{**SMALL, "n_stft_frames": 48, "padding": 0}).eval()
    unpadded.load_state_dict(network.state_dict())
    x = torch.randn(2, 12, 38)
    zeros = torch.zeros(2, 12, 5)
    torch.testing.assert_close(network(x), unpadded(torch.cat([zeros, x, zeros], dim=2)))


def test_states_do_not_know_what_comes_later():
    network = CRNN(3, **SMALL).eval()
    x = torch.randn(1, 12, 38)
    later = x.clone()
    later[..., 30:] += 1
    before, after = network.forward_features(x), network.forward_features(later)
    torch.testing.assert_close(before[..., :4], after[..., :4])
    assert not torch.allclose(before[..., -1], after[..., -1])


def test_stages_hold_all_parameters():
    network = CRNN(3, **SMALL)
    assert list(network.stages()) == ["input_norm", "conv1", "conv2", "gru", "head"]
    assert list(network.steps()) == ["input_norm", "conv1", "conv2", "gru"]
    held = {id(p) for stage in network.stages().values() for p in stage.parameters()}
    assert held == {id(p) for p in network.parameters()}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_mels": 24}, "2 mel bands left after pooling, wanted 1"),
        ({"cell": "lstm"}, "found 'lstm', wanted keras1 or torch"),
        ({"channels": (4,)}, "1 channels and 2 pools"),
        ({"n_mels": 11}, "pooling leaves nothing"),
    ],
)
def test_impossible_settings_are_named(settings, words):
    with pytest.raises(NetworkError, match=words):
        CRNN(3, **{**SMALL, **settings})
