"""Pieces of `common.faulty.Step` that are wrong, of which `common.faults` makes its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from common.array import Array
from common.faulty import Step
from common.weights import Weights

Pieces = Mapping[str, Any]
"""Methods and attributes of `Step` that take the place of its own."""


def transposed(Z: Array) -> Array:
    """A layout (a, b) in the order of (b, a): of labels (batch, steps), or of time's."""
    return Z.reshape(Z.shape[::-1])


def changed(name: str, change: Callable[[Array], Array]) -> Callable[..., Weights]:
    """A method in which one of the weights, or of their gradients, is another."""
    return lambda self, each: each | {name: change(each[name])}


def linear(name: str, change: Callable[[Array], Array]) -> Pieces:
    """A weight that is read in another way, and its gradient, which comes back in that way."""
    return {"read": changed(name, change), "adjoint": changed(name, change)}


def reshaped(name: str) -> Pieces:
    """A weight (a, b) that is read as (b, a) without being transposed, and then transposed."""
    return {
        "read": changed(name, lambda w: transposed(w).T),
        "adjoint": changed(name, lambda g: transposed(g.T)),
    }


def weighed(weight: Callable[[Array], Array | float]) -> Pieces:
    """Another weight of each token's loss, from labels (steps, batch)."""
    return {"weigh": lambda self, labels: np.broadcast_to(weight(labels), labels.shape)}


def scaled(factor: Callable[[Step], float]) -> Pieces:
    """Gradients times a factor."""
    return {"gradients": lambda self, grads: {n: g * factor(self) for n, g in grads.items()}}


def rated(rate: Callable[[Step], float]) -> Pieces:
    """Another learning rate."""
    return {"update": lambda self, w, grads, lr: Step.update(self, w, grads, rate(self))}


def clipping(size: Callable[[Array], Any], among: Callable[[str], bool] = bool) -> Pieces:
    """Another size of all gradients together, or of some, that is held to theta."""

    def wrong(self: Step, grads: Weights, theta: float) -> Weights:
        found = size(np.concatenate([g.ravel() for name, g in grads.items() if among(name)]))
        return {n: g * min(1.0, theta / found) for n, g in grads.items()}

    return {"clip": wrong}


def told(**change: Callable[[dict[str, Any], Array], Any]) -> Pieces:
    """Other numbers given than those computed with, from all that is found and the labels."""
    return {
        "report": lambda self, found, X, Y, state: (
            found | {name: value(found, Y) for name, value in change.items()}
        )
    }


def softmax(O: Array) -> Array:
    """The probabilities of logits."""
    return Step().log_softmax(O)[1]


def by_batch(O: Array) -> Array:
    """Rows (steps, batch, V) in the order of the batch, in the same shape."""
    return O.swapaxes(0, 1).reshape(O.shape)


def kept(self: Step, name: str, new: Weights, decay: float = 1.0) -> Weights:
    """Sums over all minibatches so far, older ones decaying."""
    self.kept |= {
        name + n: decay * self.kept.get(name + n, np.zeros_like(g)) + g for n, g in new.items()
    }
    return {n: self.kept[name + n] for n in new}


def adam(self: Step, weights: Weights, grads: Weights, lr: float) -> Weights:
    """The new weights of Adam with its usual settings."""
    m, v = kept(self, "m", grads, 0.9), kept(self, "v", {n: g**2 for n, g in grads.items()}, 0.999)
    t = float(kept(self, "t", {"": np.ones(())})[""])
    m_scale, v_scale = 0.1 / (1 - 0.9**t), 0.001 / (1 - 0.999**t)
    return {
        n: w - lr * m_scale * m[n] / (np.sqrt(v_scale * v[n]) + 1e-8) for n, w in weights.items()
    }


def rmsprop(self: Step, weights: Weights, grads: Weights, lr: float) -> Weights:
    """The new weights of RMSprop with its usual settings."""
    v = kept(self, "v", {n: g**2 for n, g in grads.items()}, 0.99)
    return {n: w - lr * grads[n] / (np.sqrt(0.01 * v[n]) + 1e-8) for n, w in weights.items()}


def never(name: str) -> Callable[..., Weights]:
    """An update that leaves one of the weights as it is."""
    return lambda self, weights, grads, lr: (
        Step.update(self, weights, grads, lr) | {name: weights[name]}
    )


def remembers(self: Step, state: Array) -> bool:
    """True if there is a state of the last minibatch, which was of the same size."""
    return self.state is not None and self.state.shape == state.shape


def stale(self: Step, weights: Weights, grads: Weights, lr: float) -> Weights:
    """The new weights by the gradients of the minibatch before."""
    old, self.kept = self.kept or {n: 0 * g for n, g in grads.items()}, grads
    return Step.update(self, weights, old, lr)


def first_read(self: Step, weights: Weights) -> Weights:
    """The weights of the first minibatch."""
    self.kept = self.kept or weights
    return self.kept


def after(self: Step, found: dict[str, Any], X: Array, Y: Array, state: Array) -> dict[str, Any]:
    """The loss of the new weights."""
    return found | {"loss": Step()(found["weights"], X, Y, state, 0.0, 1.0)["loss"]}
