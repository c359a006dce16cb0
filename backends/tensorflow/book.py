"""The book's TensorFlow edition, step by step and eager: a variant for benchmarks alone.

Each step multiplies one-hot inputs by W_xh, the state by W_hh and the new state by W_hq; TensorFlow
differentiates what its tape saw. Nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tensorflow import Tensor

from common.interface import Array, Gradients, Outputs, State


class RNNModelBook:
    """The network as the book writes, clips and updates it; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.params, self.lr, self.theta = params, lr, theta
        self.vocab_size, self.num_hiddens = params[0].shape
        self.activation = getattr(tf.nn, activation)

    def set_params(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param.assign(value)

    def begin_state(self, batch_size: int) -> State:
        return (tf.zeros((batch_size, self.num_hiddens), self.params[0].dtype),)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        W_xh, W_hh, b_h, W_hq, b_q = self.params
        inputs = tf.one_hot(tf.transpose(X), self.vocab_size, dtype=W_xh.dtype)
        (H,) = state
        outputs = []
        for X in inputs:
            H = self.activation(tf.matmul(X, W_xh) + tf.matmul(H, W_hh) + b_h)
            outputs.append(tf.matmul(H, W_hq) + b_q)
        return tf.concat(outputs, axis=0), (H,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        y = tf.reshape(tf.transpose(Y), [-1])
        with tf.GradientTape() as tape:
            y_hat, state = self(X, state)
            l = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, y_hat))
        return l, tape.gradient(l, self.params), state

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        if self.theta:
            grads = self.grad_clipping(grads)
        for param, grad in zip(self.params, grads, strict=True):
            param.assign_sub(self.lr * grad)
        return l, state

    def grad_clipping(self, grads: list[Tensor]) -> list[Tensor]:
        """The gradients, scaled together so that their norm is at most theta."""
        norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
        if norm > self.theta:
            grads = [grad * self.theta / norm for grad in grads]
        return grads
