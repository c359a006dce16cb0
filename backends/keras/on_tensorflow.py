"""Keras on TensorFlow: the step is a `tf.function`, which XLA compiles on GPUs alone by default."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

from backends.keras import concise
from backends.tensorflow.devices import describe as describe
from backends.tensorflow.devices import device_memory_mb as device_memory_mb
from backends.tensorflow.devices import taken as taken
from common.interface import Array, Gradients, Outputs, State


def compilations() -> int:
    """Traces of the step so far: one for each new shape."""
    return int(train_step.experimental_get_tracing_count())


def to_numpy(tensor: Tensor) -> Array:
    """A tensor as an array, which may share its memory."""
    return tensor.numpy()


class RNNModel(concise.RNNModel):
    """The network and its step; see `common.interface.Network`."""

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        with tf.GradientTape() as tape:
            logits, H = self.logits(X, state)
            l = self.loss(Y, logits)
        return l, tape.gradient(l, self.params), (H,)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return train_step(self, X, Y, state)


@tf.function
def train_step(net: RNNModel, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
    """Forward, backward, clip, update: the mean loss before it and the new state."""
    l, grads, state = net.loss_and_grads(X, Y, state)
    net.optimizer.apply(grads, net.model.trainable_variables)
    return l, state
