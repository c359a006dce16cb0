"""The chapter in object style as a variant: the classes of `d2l`, trained by its `Trainer`.

It is eager, as the chapter is: nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import Tensor

from backends.tensorflow import d2l
from common.interface import Array, Gradients, Outputs, State


class Remembering(d2l.RNNScratch):
    """The chapter's RNN, which keeps its last hidden state: its language model returns none."""

    def forward(self, inputs: Tensor, state: State = None) -> tuple[list[Tensor], Tensor]:
        """The hidden states and the last of them."""
        outputs, self.last = super().forward(inputs, state)
        return outputs, self.last


class Unplotted(d2l.RNNLMScratch):
    """The chapter's language model without curves, for which every loss would be waited for.

    Its inputs are of the type of its parameters, of whatever type Keras's floats are.
    """

    def one_hot(self, X: Tensor) -> Tensor:
        """Indices (batch_size, num_steps) as inputs (num_steps, batch_size, vocab_size)."""
        return tf.one_hot(tf.transpose(X), self.vocab_size, dtype=self.b_q.dtype)

    def plot(self, key: str, value: Tensor, train: bool) -> None:
        """Leave the curves alone."""


class RNNModelObject:
    """The chapter's classes on minibatches (X, state, Y); see `common.interface.Network`."""

    def __init__(self, params: list[Any], activation: str, lr: float, theta: float) -> None:
        self.vocab_size, self.num_hiddens = params[0].shape
        self.params = params
        self.rnn = Remembering(self.vocab_size, self.num_hiddens)
        self.rnn.activation = getattr(tf.nn, activation)
        self.model: Any = Unplotted(self.rnn, self.vocab_size, lr)
        self.rnn.W_xh, self.rnn.W_hh, self.rnn.b_h, self.model.W_hq, self.model.b_q = params
        self.trainer: Any = d2l.Trainer(max_epochs=1, gradient_clip_val=theta)
        self.trainer.prepare_model(self.model)
        self.trainer.optim = self.model.configure_optimizers()

    def set_params(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param.assign(value)

    def begin_state(self, batch_size: int) -> State:
        return (d2l.zeros((batch_size, self.num_hiddens), self.params[0].dtype),)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        """The outputs, made time-major, and the new state."""
        logits = d2l.swapaxes(self.model(X, state), 0, 1)
        return d2l.reshape(logits, (-1, self.vocab_size)), (self.rnn.last,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        with tf.GradientTape() as tape:
            l = self.model.training_step((X, state, Y))
        return l, tape.gradient(l, self.params), (self.rnn.last,)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return self.trainer.train_on((X, state, Y)), (self.rnn.last,)
