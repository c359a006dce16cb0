"""The network of Keras's own layers, loss, optimizer and clipping, in a training loop of our own.

`SimpleRNN` and `Dense` hold the canonical weights as they are: one bias each, nothing transposed.
All is left at Keras's defaults and the training step is a `tf.function`, which is what Keras itself
makes of it on a CPU. Unrolling the layer and compiling by XLA, which its documentation names as two
ways to more speed, are ``compiled.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from tensorflow import Tensor

from common.interface import Array, Gradients, Outputs, State


class RNNModel:
    """`SimpleRNN` on one-hot inputs and a `Dense` output layer; see `common.interface.Network`."""

    unroll = False

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.vocab_size, num_hiddens = params[0].shape
        self.dtype = params[0].dtype
        self.rnn = keras.layers.SimpleRNN(
            num_hiddens,
            activation,
            return_sequences=True,
            return_state=True,
            unroll=self.unroll,
            dtype=self.dtype.name,
        )
        self.dense = keras.layers.Dense(self.vocab_size, dtype=self.dtype.name)
        self.rnn.build((None, None, self.vocab_size))
        self.dense.build((None, None, num_hiddens))
        self.layer_weights = self.rnn.trainable_weights + self.dense.trainable_weights
        self.set_params(params)
        self.loss = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, dtype=self.dtype.name
        )
        self.optimizer = keras.optimizers.SGD(
            lambda: tf.constant(lr, self.dtype),  # a number would be kept in float32
            global_clipnorm=theta or None,
        )
        self.optimizer.build(self.layer_weights)

    @property
    def params(self) -> list[Tensor]:
        return [weight.value for weight in self.layer_weights]

    def set_params(self, values: Sequence[Tensor]) -> None:
        for weight, value in zip(self.layer_weights, values, strict=True):
            weight.assign(value)

    def begin_state(self, batch_size: int) -> State:
        return tuple(self.rnn.get_initial_state(batch_size))

    def logits(self, X: Array, state: State) -> Outputs[Tensor]:
        """Logits (batch, steps, V), as Keras orders them, and the new state."""
        inputs = tf.one_hot(X, self.vocab_size, dtype=self.dtype)
        H, *state = self.rnn(inputs, initial_state=list(state))
        return self.dense(H), tuple(state)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        logits, state = self.logits(X, state)
        return tf.reshape(tf.transpose(logits, (1, 0, 2)), (-1, self.vocab_size)), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        with tf.GradientTape() as tape:
            logits, state = self.logits(X, state)
            l = self.loss(Y, logits)
        return l, tape.gradient(l, self.params), state

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return train_step(self, X, Y, state)


@tf.function
def train_step(model: RNNModel, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
    """Forward, backward, clip, update: the mean loss before it and the new state."""
    l, grads, state = model.loss_and_grads(X, Y, state)
    model.optimizer.apply_gradients(zip(grads, model.layer_weights, strict=True))
    return l, state
