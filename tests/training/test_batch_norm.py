"""Batch-norms with too few frames: they keep their statistics, and update again afterwards."""

import pytest
import torch
from torch import nn

from genrenet.training.batch_norm import fixed_norms


def _network():
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten())
    return nn.Sequential(convolution, nn.Linear(2 * 4 * 4, 3), nn.BatchNorm1d(3)).train()


def _counts(network):
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    return [int(norm.num_batches_tracked) for norm in norms]


def test_whole_batches_update_all_statistics():
    network = _network()
    with fixed_norms(network, idle=False, n_frames=2):
        network(torch.randn(2, 1, 6, 6))
    assert _counts(network) == [1, 1]


def test_one_frame_fixes_the_norms_of_vectors_only():
    network, frame = _network(), torch.randn(1, 1, 6, 6)
    with pytest.raises(ValueError, match="more than 1 value"):
        network(frame)
    network = _network()
    with fixed_norms(network, idle=False, n_frames=1):
        found = network(frame)
    assert torch.isfinite(found).all()
    assert _counts(network) == [1, 0]


@pytest.mark.parametrize("n_frames", [1, 4])
def test_where_no_frame_counts_every_norm_uses_what_it_has(n_frames):
    network, frames = _network(), torch.randn(n_frames, 1, 6, 6)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    with fixed_norms(network, idle=True, n_frames=n_frames):
        found = network(frames)
    assert all(torch.equal(value, kept[name]) for name, value in network.state_dict().items())
    torch.testing.assert_close(found, network.eval()(frames))


def test_norms_learn_again_afterwards_and_frozen_ones_stay_frozen():
    network = _network()
    frozen = network[0][1].eval()
    with pytest.raises(RuntimeError), fixed_norms(network, idle=True, n_frames=2):
        network(torch.randn(2, 1, 5, 5))  # of another size, so the linear layer refuses it
    assert network[2].training
    assert not frozen.training
    network(torch.randn(2, 1, 6, 6))
    assert _counts(network) == [0, 1]


def test_synchronised_norms_are_left_alone():
    network = nn.Sequential(nn.SyncBatchNorm(3), nn.BatchNorm1d(3)).train()
    with fixed_norms(network, idle=True, n_frames=2):
        assert not network[0]._forward_pre_hooks
        assert network[1]._forward_pre_hooks
    assert not network[1]._forward_pre_hooks
