"""The network from scratch and fast: one operation, with backpropagation through time by hand.

Over T steps, a batch of B, N = T B tokens, and with A_t the argument of act:

    A_t = W_xh[X_t] + H_{t-1} W_hh + b_h        H_t = act(A_t)        O = H W_hq + b_q
    dO = (softmax(O) - one_hot(Y)) / N
    dH_t = dO_t W_hq' + dA_{t+1} W_hh'          dA_t = dH_t * act'(H_t)
    dW_xh = scatter-add of dA_t at X_t          dW_hh = sum_t H_{t-1}' dA_t        db_h = sum dA_t
    dW_hq = H' dO                               db_q = sum dO

A one-hot row times W_xh is a row of W_xh, so inputs are gathered and their gradients scattered.
Only H_{t-1} W_hh and dA_{t+1} W_hh' wait for the step before; every other product is one over all
steps. dA begins as dO W_hq'; each step makes its part of it what the name says. To MXNet the whole
is one `autograd.Function` of the five parameters, which computes in NumPy, as such functions may.
Large arrays are made once: fresh memory costs as much as a pass over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends.mxnet_style.engine import autograd, nd
from common.interface import Array, Gradients, Outputs, State
from common.vocab import as_numpy

Act = Callable[..., Array]
ACTIVATIONS: dict[str, tuple[Act, Act]] = {
    "tanh": (np.tanh, lambda H, out: np.subtract(1, np.multiply(H, H, out=out), out=out)),
    "relu": (lambda A, out: np.maximum(A, 0, out=out), np.sign),
}
"""By name: act(A, out), and act' of the argument where act gave H, as a function of (H, out)."""

EXPONENT = 64
"""exp(x) and its sums are ordinary numbers, in float32 too, while x is between -64 and 64."""


class RNNModelFused:
    """An operation that trains the parameters; see `common.interface.Network`."""

    def __init__(self, params: list[nd.NDArray], activation: str, lr: float, theta: float) -> None:
        weights = [param.asnumpy() for param in params]
        self.passes = Passes(weights, activation)
        self.params: list[Any] = [nd.from_numpy(weight) for weight in weights]  # of the same memory
        for param in self.params:
            param.attach_grad()
        self.lr, self.theta = lr, theta

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param[:] = value

    def begin_state(self, batch_size: int) -> State:
        W_hh = self.params[1]
        return (nd.zeros((batch_size, len(W_hh)), ctx=W_hh.context, dtype=W_hh.dtype),)

    def __call__(self, X: Array, state: State) -> Outputs[nd.NDArray]:
        operation = MeanLoss(self, X, None, state)
        outputs = operation.outputs()
        return nd.array(outputs, dtype=outputs.dtype), operation.state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        operation = MeanLoss(self, X, Y, state)
        with autograd.record():
            l = operation(*self.params)
        l.backward()
        return l, [param.grad for param in self.params], operation.state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        step = self.lr
        if self.theta:
            flat = [grad.reshape(-1) for grad in grads]
            squares: Any = sum(nd.dot(grad, grad) for grad in flat)
            norm = squares.sqrt().asscalar()
            step *= self.theta / max(self.theta, norm)
        for param, grad in zip(self.params, grads, strict=True):
            grad *= step
            param -= grad
        return l.asscalar(), state


class MeanLoss(autograd.Function):
    """The mean loss over a minibatch as a function of the five parameters.

    `state` is at first the state before the minibatch and then, once called, the one after it. A
    network that diverges does so without a warning.
    """

    def __init__(self, model: Any, X: Array, Y: Any, state: State) -> None:
        super().__init__()
        self.model, self.state = model, state
        self.X = time_major(X)
        self.Y: Any = Y if Y is None else time_major(Y)

    @np.errstate(all="ignore")
    def outputs(self) -> Array:
        """Logits (N, V), time-major, valid until the next call."""
        for param in self.model.params:
            param.wait_to_read()  # its memory is read behind MXNet's back
        (H,) = self.state
        last = self.model.passes.hidden_states(self.X, H.asnumpy())
        self.state = (nd.array(last, ctx=H.context, dtype=H.dtype),)
        return self.model.passes.outputs()

    @np.errstate(all="ignore")
    def forward(self, *params: nd.NDArray) -> nd.NDArray:
        """The mean loss; shape (1,)."""
        O = self.outputs()
        return nd.array([self.model.passes.loss(O, self.Y.reshape(-1))], dtype=O.dtype)

    @np.errstate(all="ignore")
    def backward(self, dl: nd.NDArray) -> list[nd.NDArray]:
        """The gradients of the parameters, from that of the loss."""
        return self.model.passes.gradients(self.X, self.Y.reshape(-1), dl.asscalar())


def time_major(indices: Any) -> Array:
    """Indices (B, T), in NumPy, a list or an NDArray, as (T, B)."""
    return as_numpy(indices).T.astype(np.intp)


class Passes:
    """The forward and the backward pass over minibatches, with room for those of one shape."""

    def __init__(self, weights: list[Array], activation: str) -> None:
        self.weights = [weight.view() for weight in weights]
        self.grads = [np.zeros_like(weight) for weight in weights]
        self.given = [nd.from_numpy(grad.view()) for grad in self.grads]  # of the same memory
        self.act, self.slope = ACTIVATIONS[activation]
        self.W_hh = room(weights[1].shape, weights[1].dtype)
        self.W_hh_transposed = np.empty_like(self.W_hh)
        self.table = np.empty_like(weights[0])
        self.shape: tuple[int, ...] | None = None

    def _make_room(self, T: int, B: int) -> None:
        """Make the arrays for T steps of a batch of B."""
        (V, H), dtype = self.table.shape, self.table.dtype
        self.shape = T, B
        self.H, self.dA = room((T + 1, B, H), dtype), room((T, B, H), dtype)
        self.one_step = room((B, H), dtype)
        self.inputs, self.O = np.empty((T, B, H), dtype), np.empty((T * B, V), dtype)
        self.one_hot = np.empty((V, T * B), dtype) if V <= DENSE else None
        self.ones = np.ones(max(T * B, V), dtype)

    def hidden_states(self, X: Array, H: Array) -> Array:
        """H_T from tokens X (T, B) and H_0, valid until the next call; `H` has H_0 ... H_T."""
        W_xh, W_hh, b_h, _, _ = self.weights
        if self.shape != X.shape:
            self._make_room(*X.shape)
        self.W_hh[...] = W_hh
        np.add(W_xh, b_h, out=self.table)
        # "clip" because the default makes a copy of `out`; no token is out of range.
        np.take(self.table, X, axis=0, out=self.inputs, mode="clip")
        self.H[0] = H
        for H_before, H, A in zip(self.H, self.H[1:], self.inputs, strict=False):
            np.matmul(H_before, self.W_hh, out=H)
            np.add(H, A, out=H)
            self.act(H, out=H)
        return H

    def outputs(self) -> Array:
        """Logits (N, V), time-major, of the hidden states; valid until the next call."""
        *_, W_hq, b_q = self.weights
        return np.add(np.matmul(rows(self.H[1:]), W_hq, out=self.O), b_q, out=self.O)

    def loss(self, O: Array, Y: Array) -> np.float64:
        """The mean cross-entropy of logits O against labels Y (N,). Leaves exp(O) in O."""
        N, V = O.shape
        if not (O.max() < EXPONENT and O.min() > -EXPONENT):
            O -= O.max(axis=1, keepdims=True)  # nan stays nan
        right = O.reshape(-1)[np.arange(0, N * V, V) + Y]
        np.exp(O, out=O)
        self.totals = O @ self.ones[:V]
        return np.mean(np.log(self.totals, dtype=np.float64) - right)

    def gradients(self, X: Array, Y: Array, dl: float) -> list[nd.NDArray]:
        """The gradients of the five weights, from dl, that of the loss; valid until the next."""
        W_hq = self.weights[3]
        dW_xh, dW_hh, db_h, dW_hq, db_q = self.grads
        H, dA, dO = self.H, self.dA, self.O
        N, V = dO.shape
        dO *= (dl / N / self.totals)[:, None]
        dO.reshape(-1)[np.arange(0, N * V, V) + Y] -= dl / N

        np.matmul(dO, W_hq.T, out=rows(dA))
        slope = self.slope(H[1:], out=self.inputs)
        for start in range(0, len(self.W_hh), 64):  # blocks that a cache holds
            self.W_hh_transposed[:, start : start + 64] = self.W_hh[start : start + 64].T
        dA[-1] *= slope[-1]
        for t in range(len(dA) - 2, -1, -1):
            np.matmul(dA[t + 1], self.W_hh_transposed, out=self.one_step)
            np.add(dA[t], self.one_step, out=dA[t])
            np.multiply(dA[t], slope[t], out=dA[t])

        scatter_add(X.reshape(-1), rows(dA), dW_xh, self.one_hot)
        sum_of_products(rows(H[:-1]), rows(dA), out=dW_hh)
        sum_of_products(rows(H[1:]), dO, out=dW_hq)
        sum_of_products(self.ones[:N, None], rows(dA), out=db_h[None])
        sum_of_products(self.ones[:N, None], dO, out=db_q[None])
        return self.given


def room(shape: tuple[int, ...], dtype: Any) -> Array:
    """An empty array whose rows lie a line apart, lest multiples of 1 KiB compete in a cache."""
    *before, size = shape
    line = 64 // dtype.itemsize
    apart = line if size % (16 * line) == 0 else 0
    return np.empty((*before, size + apart), dtype)[..., :size]


def rows(H: Array) -> Array:
    """(T, B, H) as (N, H), of the same memory."""
    return H.reshape(-1, H.shape[2])


SMALL, BLOCK = 1_000_000, 512
"""Of few elements, OpenBLAS adds up small products (multiplications, rows) faster than one long.

And more exactly: in float32 a long sum of terms of one sign rounds them all to the same side.
"""


def sum_of_products(A: Array, B: Array, out: Array) -> None:
    """A' B, summed over the rows of (N, m) and (N, n)."""
    whole = len(A) // BLOCK * BLOCK
    if out.size * BLOCK > SMALL or not whole:
        np.matmul(A.T, B, out=out)
        return
    blocks = [M[:whole].reshape(-1, BLOCK, M.shape[1]) for M in (A, B)]
    np.sum(np.matmul(blocks[0].swapaxes(1, 2), blocks[1]), axis=0, out=out)
    out += A[whole:].T @ B[whole:]


DENSE = 128
"""Vocabulary up to which one product with all one-hot rows is fastest; else, a few at a time."""


def scatter_add(tokens: Array, dA: Array, out: Array, one_hot: Array | None) -> None:
    """Sum the rows of each token: (V, H), from tokens (N,) and rows (N, H).

    This is one_hot (V, N) times the rows. Where tokens are many there is none: the rows are sorted
    by token and taken a few at a time, for in sorted rows few tokens meet.
    """
    if one_hot is not None:
        one_hot[...] = 0
        one_hot.reshape(-1)[tokens * len(tokens) + np.arange(len(tokens))] = 1
        sum_of_products(one_hot.T, dA, out)
        return
    out[...] = 0
    order = np.argsort(tokens, kind="stable")
    for few in np.split(order, range(DENSE, len(order), DENSE)):
        first, last = tokens[few[0]], tokens[few[-1]] + 1
        hot = np.arange(first, last)[:, None] == tokens[few]
        out[first:last] += hot.astype(dA.dtype) @ dA[few]
