"""Keras's own layers unrolled and compiled by XLA, two ways to more speed: for benchmarks alone.

``unroll`` of `SimpleRNN` and ``jit_compile`` of `tf.function` are what the documentation of Keras
and of TensorFlow name; all else is as in ``concise.py``.
"""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor

from backends.tensorflow import concise
from common.interface import Array, Outputs, State


class RNNModelCompiled(concise.RNNModel):
    """The network of the layers, faster; see `common.interface.Network`."""

    unroll = True

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return train_step(self, X, Y, state)


train_step = tf.function(concise.train_step.python_function, jit_compile=True)
