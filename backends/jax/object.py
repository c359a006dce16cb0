"""The chapter in object style as a variant: the classes of `d2l`, trained by its `Trainer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array as Tensor

from backends.jax import d2l
from common.interface import Array, Gradients, Outputs, State


class Remembering(d2l.RNNScratch):
    """The chapter's RNN, which keeps its last hidden state: its language model returns none."""

    def forward(self, inputs: Tensor, state: State = None) -> tuple[list[Tensor], Tensor]:
        """The hidden states and the last of them."""
        outputs, last = super().forward(inputs, state)
        self.last = nnx.Intermediate(last)
        return outputs, last


class Unplotted(d2l.RNNLMScratch):
    """The chapter's language model without curves, for which every loss would be waited for."""

    def plot(self, key: str, value: Tensor, train: bool) -> None:
        """Leave the curves alone."""


class RNNModelObject:
    """The chapter's classes on minibatches (X, state, Y); see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.vocab_size, self.num_hiddens = params[0].shape
        rngs = nnx.Rngs(0)
        self.rnn = Remembering(self.vocab_size, self.num_hiddens, rngs)
        self.rnn.activation = getattr(jax.nn, activation)
        self.model: Any = Unplotted(self.rnn, self.vocab_size, rngs, lr)
        self.set_params(params)
        self.trainer: Any = d2l.Trainer(max_epochs=1, gradient_clip_val=theta)
        self.trainer.prepare_model(self.model)
        self.trainer.optim = self.model.configure_optimizers()
        d2l.move(self.trainer.optim, params[0].sharding)  # else its second step compiles again
        self.apply = nnx.jit(Unplotted.forward)
        self.gradients = nnx.jit(self.trainer.gradients)

    def _canonical(self, model: Any) -> list[Any]:
        """The parameters of a model, or their gradients."""
        return [model.rnn.W_xh, model.rnn.W_hh, model.rnn.b_h, model.W_hq, model.b_q]

    @property
    def params(self) -> list[Tensor]:
        return [param.get_value() for param in self._canonical(self.model)]

    def set_params(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self._canonical(self.model), values, strict=True):
            param.set_value(value)

    def begin_state(self, batch_size: int) -> State:
        b_h = self.rnn.b_h.get_value()
        return (jnp.zeros((batch_size, len(b_h)), b_h.dtype, device=b_h.sharding),)

    def _last(self) -> State:
        """The state that the network keeps, which it then forgets."""
        return tuple(jax.tree.leaves(nnx.pop(self.rnn, nnx.Intermediate)))

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        """The outputs, made time-major, and the new state."""
        logits = self.apply(self.model, jnp.asarray(X), state)
        return logits.swapaxes(0, 1).reshape(-1, self.vocab_size), self._last()

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        (l, _), grads = self.gradients(self.model, (X, state, Y))
        return l, [grad.get_value() for grad in self._canonical(grads)], self._last()

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l = self.trainer.train_on((X, state, Y))
        return l, self._last()
