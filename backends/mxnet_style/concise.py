"""The chapter "Concise implementation of recurrent neural networks" in Gluon.

`gluon.rnn.RNN` keeps its weights as (H, V) and (H, H) and has a second bias, which is no part of
the network here: it is zero and is not trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backends.mxnet_style.engine import autograd, gluon, nd
from common.interface import Array, Gradients, Outputs, State


class RNNModel:
    """A recurrent layer and an output layer; see `common.interface.Network`."""

    def __init__(self, params: list[nd.NDArray], activation: str, lr: float, theta: float) -> None:
        W_xh = params[0]
        self.vocab_size, self.num_hiddens = W_xh.shape
        self.dtype, self.ctx = W_xh.dtype, W_xh.context
        kind: dict[str, Any] = {"dtype": self.dtype.__name__}
        self.rnn = gluon.rnn.RNN(
            self.num_hiddens, activation=activation, input_size=self.vocab_size, **kind
        )
        self.dense = gluon.nn.Dense(self.vocab_size, in_units=self.num_hiddens, **kind)
        self.rnn.l0_h2h_bias.grad_req = "null"
        for layer in (self.rnn, self.dense):
            layer.initialize(ctx=self.ctx)
            layer.hybridize(static_alloc=True, static_shape=True)
        rnn, dense = self.rnn, self.dense
        exact = activation != "relu" or self.dtype != np.float64
        self.recur = self.rnn if exact else self._recur_in_float64
        self.trained: list[Any] = [
            rnn.l0_i2h_weight, rnn.l0_h2h_weight, rnn.l0_i2h_bias, dense.weight, dense.bias
        ]  # fmt: skip
        self.set_params(params)
        self.loss = gluon.loss.SoftmaxCrossEntropyLoss()
        # A trainer keeps its rate in float32, whatever the weights are: so gradients carry ours.
        self.trainer = gluon.Trainer(self.trained, "sgd", {"learning_rate": 1})
        self.lr, self.theta = lr, theta

    @property
    def params(self) -> list[nd.NDArray]:
        return [canonical(param.data()) for param in self.trained]

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.trained, values, strict=True):
            param.set_data(canonical(value))

    def begin_state(self, batch_size: int) -> State:
        (state,) = self.rnn.begin_state(batch_size, ctx=self.ctx)
        return (state.reshape((batch_size, self.num_hiddens)),)

    def __call__(self, X: Array, state: State) -> Outputs[nd.NDArray]:
        X = nd.array(X, ctx=self.ctx)
        inputs = nd.one_hot(X.T, self.vocab_size, dtype=self.dtype)
        H, (last,) = self.recur(inputs, [state[0].reshape((1, -1, self.num_hiddens))])
        outputs = self.dense(H.reshape((-1, self.num_hiddens)))
        return outputs, (last.reshape((-1, self.num_hiddens)),)

    def _recur_in_float64(
        self, inputs: nd.NDArray, state: list[nd.NDArray]
    ) -> tuple[nd.NDArray, list[nd.NDArray]]:
        """The layer with relu, step by step: its own relu rounds to float32."""
        W_xh, W_hh, b_h = [param.data() for param in self.trained[:3]]
        H, states = state[0][0], []
        for X in inputs:
            from_input = nd.FullyConnected(X, W_xh, b_h, num_hidden=self.num_hiddens)
            H = nd.relu(from_input + nd.dot(H, W_hh.T))
            states.append(H)
        return nd.stack(*states), [H]

    def _backpropagate(self, X: Array, Y: Array, state: State) -> Outputs[nd.NDArray]:
        """The mean loss, the detached state, and gradients in the parameters."""
        y = nd.array(Y, ctx=self.ctx).T.reshape((-1,))
        with autograd.record():
            outputs, (H,) = self(X, state)
            l = self.loss(outputs, y).mean()
        l.backward()
        return l, (H.detach(),)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        l, state = self._backpropagate(X, Y, state)
        return l, [canonical(param.grad()) for param in self.trained], state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l, state = self._backpropagate(X, Y, state)
        grads = [param.grad() for param in self.trained]
        step = self.lr
        if self.theta:
            # Gluon's clip_global_norm adds 1e-8 to the norm, which the book does not.
            flat = [grad.reshape(-1) for grad in grads]
            squares: Any = sum(nd.dot(grad, grad) for grad in flat)
            norm = squares.sqrt().asscalar()
            step *= self.theta / max(self.theta, norm)
        for grad in grads:
            grad *= step
        self.trainer.step(1)
        return l.asscalar(), state


def canonical(x: nd.NDArray) -> nd.NDArray:
    """A layer's weight as the network has it, or the reverse; a bias as it is."""
    return x.T if x.ndim == 2 else x
