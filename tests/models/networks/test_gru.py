"""Recurrent cells, step by step."""

import torch
from torch import nn

from genrenet.models.networks import Keras1GRU
from genrenet.models.networks.gru import StepwiseGRU, is_stepwise


def _keras1_step(x, state, inputs, states, bias):
    """One step as Keras 1.2's GRU writes it, gate by gate."""
    wz, wr, wh = inputs.chunk(3, dim=1)
    uz, ur, uh = states.chunk(3, dim=1)
    bz, br, bh = bias.chunk(3)

    def hard(v):
        return (0.2 * v + 0.5).clip(0, 1)

    z = hard(x @ wz + bz + state @ uz)
    r = hard(x @ wr + br + state @ ur)
    candidate = torch.tanh(x @ wh + bh + (r * state) @ uh)
    return z * state + (1 - z) * candidate


def test_recurrent_cell_step_by_step_and_its_gradients():
    torch.manual_seed(0)
    gru = Keras1GRU(6, 5, num_layers=2).double()
    for bias in gru.biases:
        nn.init.normal_(bias)
    x = torch.randn(3, 7, 6, dtype=torch.double)
    wanted = x
    for layer in range(2):
        weights = gru.input_weights[layer], gru.state_weights[layer], gru.biases[layer]
        state, steps = torch.zeros(3, 5, dtype=torch.double), []
        for t in range(7):
            state = _keras1_step(wanted[:, t], state, *weights)
            steps.append(state)
        wanted = torch.stack(steps, dim=1)
    assert torch.allclose(gru(x), wanted, atol=1e-12)
    gru(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gru.parameters())


def test_torchs_gru_step_by_step():
    gru = torch.nn.GRU(6, 5, 2, batch_first=True)
    x = torch.randn(3, 7, 6, generator=torch.Generator().manual_seed(0))
    assert is_stepwise(gru)
    assert not is_stepwise(torch.nn.GRU(6, 5, batch_first=True, bidirectional=True))
    for found, wanted in zip(StepwiseGRU(gru)(x), gru(x), strict=True):
        torch.testing.assert_close(found, wanted)
