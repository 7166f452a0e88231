"""The recurrent cell of Keras 1, with which the published taggers were trained.

It differs from `torch.nn.GRU` in three ways: one bias per gate instead of two, *hard* sigmoid
gates, and a reset gate that multiplies the state **before** the recurrent matrix. torch's GRU
multiplies after, so it cannot hold the published weights.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return the piecewise-linear sigmoid of Keras 1: ``clip(0.2 * x + 0.5, 0, 1)``."""
    return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


class Keras1GRU(nn.Module):
    """A stack of GRU layers as Keras 1 computes them.

    Parameters
    ----------
    input_size : int > 0
    hidden_size : int > 0
    num_layers : int > 0

    Attributes
    ----------
    input_weights : list of Parameter, shape (input, 3 * hidden)
        Columns in the order update gate z, reset gate r, candidate h.
    state_weights : list of Parameter, shape (hidden, 3 * hidden)
        Same order.
    biases : list of Parameter, shape (3 * hidden,)

    Notes
    -----
    Cho et al. (2014), in the variant of Keras 1.x: with x the input and s the state,

    ``z = hs(x Wz + s Uz + bz)``, ``r = hs(x Wr + s Ur + br)``,
    ``c = tanh(x Wh + (r * s) Uh + bh)``, ``s' = z * s + (1 - z) * c``.

    The inputs of all time steps are one matrix product; only the state is computed step by step.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        width = 3 * hidden_size
        self.input_weights = nn.ParameterList(torch.empty(size, width) for size in sizes)
        self.state_weights = nn.ParameterList(torch.empty(hidden_size, width) for _ in sizes)
        self.biases = nn.ParameterList(torch.zeros(width) for _ in sizes)
        for inputs, states in zip(self.input_weights, self.state_weights, strict=True):
            nn.init.xavier_uniform_(inputs)
            for gate in states.chunk(3, dim=1):
                nn.init.orthogonal_(gate)

    def forward(self, x: Tensor) -> Tensor:
        """Run the stack over a batch of sequences.

        Parameters
        ----------
        x : Tensor, shape (batch, time, input_size)

        Returns
        -------
        Tensor, shape (batch, time, hidden_size)
            States of the last layer at all steps.
        """
        weights = zip(self.input_weights, self.state_weights, self.biases, strict=True)
        for inputs, states, bias in weights:
            x = self._layer(x @ inputs + bias, states)
        return x

    def _layer(self, projected: Tensor, states: Tensor) -> Tensor:
        n = self.hidden_size
        gate_weights, candidate_weights = states[:, : 2 * n], states[:, 2 * n :]
        state = projected.new_zeros(projected.shape[0], n)
        outputs = []
        for step in projected.unbind(dim=1):
            gates = hard_sigmoid(step[:, : 2 * n] + state @ gate_weights)
            update, reset = gates[:, :n], gates[:, n:]
            candidate = torch.tanh(step[:, 2 * n :] + (reset * state) @ candidate_weights)
            state = update * state + (1.0 - update) * candidate
            outputs.append(state)
        return torch.stack(outputs, dim=1)


class StepwiseGRU(nn.Module):
    """`torch.nn.GRU` as plain operations, for exporters that lack the operator.

    Parameters
    ----------
    gru : torch.nn.GRU
        Unidirectional, with biases, batch first; its weights are shared.
    """

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.hidden_size = gru.hidden_size
        layers = range(gru.num_layers)

        def held(part: str) -> nn.ParameterList:
            return nn.ParameterList(getattr(gru, f"{part}_l{layer}") for layer in layers)

        self.weight_ih, self.weight_hh = held("weight_ih"), held("weight_hh")
        self.bias_ih, self.bias_hh = held("bias_ih"), held("bias_hh")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last layer's states at all steps, and every layer's last state."""
        last = []
        weights = zip(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, strict=True)
        for inputs, states, input_bias, state_bias in weights:
            projected = x @ inputs.T + input_bias
            state = projected.new_zeros(projected.shape[0], self.hidden_size)
            outputs = []
            for step in projected.unbind(dim=1):
                reset, update, candidate = step.chunk(3, dim=1)
                r, z, c = (state @ states.T + state_bias).chunk(3, dim=1)
                reset, update = torch.sigmoid(reset + r), torch.sigmoid(update + z)
                state = (1.0 - update) * torch.tanh(candidate + reset * c) + update * state
                outputs.append(state)
            x = torch.stack(outputs, dim=1)
            last.append(state)
        return x, torch.stack(last)


def is_stepwise(module: nn.Module) -> TypeGuard[nn.GRU]:
    """Return whether `StepwiseGRU` computes the same as a module."""
    return (
        type(module) is nn.GRU and module.bias and module.batch_first and not module.bidirectional
    )
