"""A training step in float64 NumPy, in pieces that a fault can replace (`common.faults`).

What a fault does to every number follows from its pieces, so its fingerprint is computed rather
than described. Without a fault it is the step of `common.reference`, whose equations it has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from common.array import Array
from common.reference import clip
from common.weights import Weights

Window = tuple[Array, list[Array], list[Array]]
"""The inputs of a minibatch, its states from the first on, and what they are the activation of."""


class Step:
    """A right step function. A fault replaces some of its methods.

    It remembers the last minibatch, for faults that do.
    """

    axis: int | tuple[int, ...] = -1
    """Axes of the logits (steps, batch, V) over which probabilities add up to 1."""

    def __init__(self) -> None:
        self.kept: Weights = {}
        self.windows: list[Window] = []
        self.state: Array | None = None
        self.theta: float | None = None

    def __call__(
        self, weights: Weights, X: Array, Y: Array, state: Array, lr: float, theta: float
    ) -> dict[str, Any]:
        """All that a step function may give, see `common.port`."""
        self.batch, self.num_steps, self.tokens, self.lr = *X.shape, X.size, lr
        self.theta = self.theta or theta
        params = self.read(weights)
        W_xh, W_hh, b_h, W_hq, b_q = params.values()
        E, H, A = self.inputs(X, len(b_q)), [self.begin(state)], list[Array]()
        for E_t in E:
            A.append(E_t @ W_xh + self.previous(H) @ W_hh + b_h)
            H.append(self.act(A[-1]))
        O = self.output(np.stack(H[1:]) @ W_hq + b_q)
        loss, dO = self.loss(O, self.labels(X, Y))
        self.windows = [*self.behind(state), (E, H, A)]
        grads = self.gradients(self.adjoint(self.back(params, self.output_back(dO, O))))
        self.state = H[-1]
        self.clipped = self.clip(grads, theta)
        found = {"logits": O, "loss": loss, "gradients": grads, "state": H[-1]}
        found["weights"] = self.update(weights, self.clipped, lr)
        return self.report(found, X, Y, state)

    def loss(self, O: Array, labels: Array) -> tuple[float, Array]:
        """The loss and its gradient (steps, batch, V), of labels (steps, batch)."""
        log_P, P = self.log_softmax(O)
        chosen = self.weigh(labels)[..., None] * np.eye(O.shape[-1])[labels]
        return -float((chosen * log_P).sum()), P * chosen.sum(self.axis, keepdims=True) - chosen

    def back(self, params: Weights, dO: Array) -> Weights:
        """The gradients, back through all windows; the loss is of the last."""
        grads = {name: np.zeros_like(w) for name, w in params.items()}
        later = np.zeros_like(self.windows[-1][1][0])
        for E, H, A in reversed(self.windows):
            for t in reversed(range(len(E))):
                dH = dO[t] @ params["W_hq"].T + later
                dA = dH * self.derivative(A[t], H[t + 1])
                later = self.later(dA @ params["W_hh"].T, t)
                before = self.previous(H[: t + 1])
                parts = E[t].T @ dA, before.T @ dA, dA.sum(0), H[t + 1].T @ dO[t], dO[t].sum(0)
                grads = {name: grads[name] + part for name, part in zip(grads, parts, strict=True)}
            dO = np.zeros_like(dO)
        return grads

    def read(self, weights: Weights) -> Weights:
        """The weights that are computed with."""
        return weights

    def adjoint(self, grads: Weights) -> Weights:
        """The gradients of the weights that were given, from those of `read`."""
        return grads

    def begin(self, state: Array) -> Array:
        """The state that the first step goes on from."""
        return state

    def inputs(self, X: Array, vocab_size: int) -> Array:
        """One-hot inputs (steps, batch, V)."""
        return np.asarray(np.eye(vocab_size)[X.T])

    def previous(self, H: list[Array]) -> Array:
        """The state that a step goes on from, of all before it."""
        return H[-1]

    def act(self, A: Array) -> Array:
        """The activation."""
        return np.asarray(np.tanh(A))

    def derivative(self, A: Array, H: Array) -> Array:
        """The derivative of the activation at A, where its value is H."""
        return np.asarray(1 - H**2)

    def output(self, O: Array) -> Array:
        """The logits (steps, batch, V)."""
        return O

    def output_back(self, dO: Array, O: Array) -> Array:
        """The gradient before `output`, from that of its value O."""
        return dO

    def labels(self, X: Array, Y: Array) -> Array:
        """The labels (steps, batch)."""
        return Y.T

    def log_softmax(self, O: Array) -> tuple[Array, Array]:
        """The log-probabilities and the probabilities."""
        log_P = O - np.log(np.exp(O).sum(self.axis, keepdims=True))
        return log_P, np.exp(log_P)

    def weigh(self, labels: Array) -> Array:
        """The weight that the loss of each token has in that of the minibatch."""
        return np.full(labels.shape, 1 / labels.size)

    def behind(self, state: Array) -> list[Window]:
        """The earlier windows that the gradient flows into."""
        return []

    def later(self, dH: Array, t: int) -> Array:
        """The gradient that flows from step t into the state before it."""
        return dH

    def gradients(self, grads: Weights) -> Weights:
        """The gradients that are given, and clipped."""
        return grads

    def clip(self, grads: Weights, theta: float) -> Weights:
        """The gradients, scaled together so that their norm is at most theta."""
        return clip(grads, theta)

    def update(self, weights: Weights, grads: Weights, lr: float) -> Weights:
        """The new weights."""
        return {name: w - lr * grads[name] for name, w in weights.items()}

    def report(self, found: dict[str, Any], X: Array, Y: Array, state: Array) -> dict[str, Any]:
        """All that is given."""
        return found
