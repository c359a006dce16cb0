"""The loop of the book's Gluon edition, line for line in its sense: for benchmarks alone.

One-hot inputs, three products a step inside the time loop, autograd, the book's clipping and
update. It shares no code with the other variants, so that making them faster leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.mxnet_style.engine import autograd, gluon, nd
from common.interface import Array, Gradients, Outputs, State


class RNNModelBook:
    """The network of the contract as the book writes it; see `common.interface.Network`."""

    def __init__(self, params: list[nd.NDArray], activation: str, lr: float, theta: float) -> None:
        self.params: list[Any] = params
        for param in params:
            param.attach_grad()
        self.activation = getattr(nd, activation)
        self.loss = gluon.loss.SoftmaxCrossEntropyLoss()
        self.lr, self.theta = lr, theta

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param[:] = value

    def begin_state(self, batch_size: int) -> State:
        W_hh = self.params[1]
        return (nd.zeros(shape=(batch_size, len(W_hh)), ctx=W_hh.context, dtype=W_hh.dtype),)

    def __call__(self, X: Array, state: State) -> Outputs[nd.NDArray]:
        W_xh, W_hh, b_h, W_hq, b_q = self.params
        X = nd.array(X, ctx=W_xh.context)
        inputs = [nd.one_hot(x, len(W_xh), dtype=W_xh.dtype) for x in X.T]
        (H,) = state
        outputs = []
        for X in inputs:
            H = self.activation(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
            Y = nd.dot(H, W_hq) + b_q
            outputs.append(Y)
        return nd.concat(*outputs, dim=0), (H,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        (H,) = state
        with autograd.record():
            outputs, (H,) = self(X, (H.detach(),))
            y = nd.array(Y, ctx=H.context).T.reshape((-1,))
            l = self.loss(outputs, y).mean()
        l.backward()
        return l, [param.grad for param in self.params], (H.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        if self.theta:
            norm = nd.array([0.0], ctx=l.context, dtype=l.dtype)
            for grad in grads:
                norm += (grad**2).sum()
            norm = norm.sqrt().asscalar()
            if norm > self.theta:
                for grad in grads:
                    grad[:] *= self.theta / norm
        for param in self.params:
            param[:] = param - self.lr * param.grad
        return l.asscalar(), state
