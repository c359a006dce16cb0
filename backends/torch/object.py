"""The chapter in object style as a variant: the classes of `d2l`, trained by its `Trainer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from backends.torch import d2l
from common.interface import Array, Gradients, Outputs, State


class Remembering(d2l.RNNScratch):
    """The chapter's RNN, which keeps its last hidden state: its language model returns none."""

    def forward(self, inputs: Tensor, state: State = None) -> tuple[list[Tensor], Tensor]:
        """The hidden states and the last of them."""
        outputs, self.last = super().forward(inputs, state)
        return outputs, self.last


class Unplotted(d2l.RNNLMScratch):
    """The chapter's language model without curves, for which every loss would be waited for."""

    def plot(self, key: str, value: Tensor, train: bool) -> None:
        """Leave the curves alone."""


class RNNModelObject:
    """The chapter's classes on minibatches (X, state, Y); see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.vocab_size, self.num_hiddens = params[0].shape
        self.rnn = Remembering(self.vocab_size, self.num_hiddens)
        self.rnn.activation = getattr(torch, activation)
        self.model: Any = Unplotted(self.rnn, self.vocab_size, lr).to(params[0])
        self.params: list[Any] = [
            self.rnn.W_xh,
            self.rnn.W_hh,
            self.rnn.b_h,
            self.model.W_hq,
            self.model.b_q,
        ]
        self.set_params(params)
        self.trainer: Any = d2l.Trainer(max_epochs=1, gradient_clip_val=theta)
        self.trainer.prepare_model(self.model)
        self.trainer.optim = self.model.configure_optimizers()

    def set_params(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for param, value in zip(self.params, values, strict=True):
                param.copy_(value)

    def begin_state(self, batch_size: int) -> State:
        return (self.params[0].new_zeros((batch_size, self.num_hiddens)),)

    def _indices(self, X: Array) -> Tensor:
        return torch.as_tensor(X, device=self.params[0].device).long()

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        """The outputs, made time-major, and the new state."""
        logits = self.model(self._indices(X), state)
        return logits.swapaxes(0, 1).flatten(0, 1), (self.rnn.last,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        l = self.model.training_step((self._indices(X), state, self._indices(Y)))
        self.model.zero_grad()
        l.backward()
        return l.detach(), [param.grad for param in self.params], (self.rnn.last.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l = self.trainer.train_on((self._indices(X), state, self._indices(Y)))
        return l, (self.rnn.last.detach(),)
