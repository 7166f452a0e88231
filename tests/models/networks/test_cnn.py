"""The CNN: its stages, the size of its embedding, and dropout."""

import pytest
import torch
from torch import nn

from genrenet.models.networks import CNN, NetworkError

SMALL = {"n_mels": 24, "n_stft_frames": 40, "channels": (4, 6), "pools": ((4, 5), (3, 4))}


def test_pooling_first_changes_nothing():
    network = CNN(4).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)  # even negative scales: only the activation moves
            nn.init.normal_(norm.running_mean)
    x = torch.randn(2, 96, 1366)
    y = network.input_norm(x).unsqueeze(1)
    for convolution, norm, pool, activation, _ in network.convolutions:
        y = pool(nn.functional.elu(norm(convolution(y))))
        assert isinstance(activation, nn.ELU)
    assert torch.allclose(network(x), network.head(y.flatten(1)), atol=1e-5)


def test_the_embedding_is_the_last_convolution_flattened():
    network = CNN(3, **SMALL).eval()
    features = network.forward_features(torch.randn(2, 24, 40))
    assert features.shape == (2, 6, 2, 2)
    assert network.embedding_size == 24
    assert torch.equal(network.pool_features(features), features.flatten(1))


def test_stages_and_steps_have_the_same_names():
    network = CNN(3, **SMALL)
    names = ["input_norm", "conv1", "conv2"]
    assert list(network.steps()) == names
    assert list(network.stages()) == [*names, "head"]
    held = {id(p) for stage in network.stages().values() for p in stage.parameters()}
    assert held == {id(p) for p in network.parameters()}


def test_settings_are_plain_and_whole():
    network = CNN(3, **SMALL, conv_dropout=0.1, dropout=0.2)
    assert network.settings == {
        "n_mels": 24,
        "n_stft_frames": 40,
        "channels": [4, 6],
        "pools": [[4, 5], [3, 4]],
        "conv_dropout": 0.1,
        "dropout": 0.2,
    }


def test_dropout_works_in_training_only():
    network, x = CNN(3, **SMALL, conv_dropout=0.5, dropout=0.5), torch.randn(8, 24, 40)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))
    kinds = [type(stage[-1]) for stage in CNN(3, **SMALL).convolutions]
    assert kinds == [nn.Identity, nn.Identity]


@pytest.mark.parametrize("shape", [(1, 24, 41), (24, 40), (1, 1, 24, 40)])
def test_log_mels_of_another_shape_are_named(shape):
    with pytest.raises(NetworkError, match=r"wanted \(batch, n_mels, 40\)"):
        CNN(3, **SMALL)(torch.zeros(shape))
