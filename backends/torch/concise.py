"""The chapter "Concise implementation of recurrent neural networks" in PyTorch.

`torch.nn.RNN` keeps its weights as (H, V) and (H, H) and has a second bias, which is no part of
the network here: it is zero and is not trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from common.interface import Array, Gradients, Outputs, State


class RNNModel(torch.nn.Module):
    """A recurrent layer and an output layer; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        super().__init__()
        self.vocab_size, self.num_hiddens = params[0].shape
        kind: dict[str, Any] = {"device": params[0].device, "dtype": params[0].dtype}
        self.rnn = torch.nn.RNN(self.vocab_size, self.num_hiddens, nonlinearity=activation, **kind)
        self.linear = torch.nn.Linear(self.num_hiddens, self.vocab_size, **kind)
        *_, second_bias = self.rnn.parameters()
        torch.nn.init.zeros_(second_bias.requires_grad_(False))
        self.set_params(params)
        self.loss = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self._trained(), lr)
        self.theta = theta

    def _trained(self) -> list[Any]:
        """The trained parameters, in canonical order but in the layers' layout."""
        rnn, linear = self.rnn, self.linear
        return [rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, linear.weight, linear.bias]

    @property
    def params(self) -> list[Tensor]:
        return [param.T if param.ndim == 2 else param for param in self._trained()]

    def set_params(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for param, value in zip(self.params, values, strict=True):
                param.copy_(value)

    def begin_state(self, batch_size: int) -> State:
        return (self.linear.weight.new_zeros((batch_size, self.num_hiddens)),)

    def forward(self, X: Array, state: State) -> Outputs[Tensor]:
        """The outputs, time-major, and the new state."""
        weight = self.linear.weight
        inputs = torch.as_tensor(X, device=weight.device).T.long()
        inputs = F.one_hot(inputs, self.vocab_size).to(weight.dtype)
        H, last = self.rnn(inputs, state[0].unsqueeze(0))
        return self.linear(H.flatten(0, 1)), (last.squeeze(0),)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        self.optimizer.zero_grad()
        y = torch.as_tensor(Y, device=state[0].device).T.reshape(-1).long()
        y_hat, (H,) = self(X, state)
        l = self.loss(y_hat, y)
        l.backward()
        grads = [param.grad for param in self._trained()]
        return l.detach(), [g.T if g.ndim == 2 else g for g in grads], (H.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        if self.theta:
            # Clipping divides by norm + 1e-6, which the book does not: so take that off before.
            norm = get_total_norm(grads) - 1e-6
            clip_grads_with_norm_(self._trained(), self.theta, norm)
        self.optimizer.step()
        return l, state
