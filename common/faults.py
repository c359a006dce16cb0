"""Faults of ports: how to mend each, and the pieces of a step that it replaces."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.linalg import norm

from common.faulty import Step
from common.reference import clip
from common.weights import NAMES
from common.wrong_pieces import (
    Pieces,
    adam,
    after,
    by_batch,
    changed,
    clipping,
    first_read,
    kept,
    linear,
    never,
    rated,
    remembers,
    reshaped,
    rmsprop,
    scaled,
    softmax,
    stale,
    told,
    transposed,
    weighed,
)

FORWARD: dict[str, Pieces] = {
    "the inputs are in the order of the batch: transpose X to (steps, batch), do not reshape it": {
        "inputs": lambda self, X, V: np.eye(V)[transposed(X)]
    },
    "the one-hot counts from one: index 0 is the first column": {
        "inputs": lambda self, X, V: np.eye(V)[(X.T + 1) % V]
    },
    "W_hh is transposed: H W_hh, not H W_hh^T": linear("W_hh", np.transpose),
    "W_xh is reshaped where it should be transposed": reshaped("W_xh"),
    "W_hq is reshaped where it should be transposed": reshaped("W_hq"),
    "the recurrent part H W_hh is left out": linear("W_hh", np.zeros_like),
    "b_h is left out": linear("b_h", np.zeros_like),
    "b_q is left out": linear("b_q", np.zeros_like),
    "b_h counts twice: a layer with two biases needs zeros in one of them": {
        "read": changed("b_h", lambda b: 2 * b)
    },
    "the state that is given is ignored: go on from it, and warm up with it": {
        "begin": lambda self, state: np.zeros_like(state)
    },
    "the state is not reset: a new sequence goes on from the last one's state": {
        "begin": lambda self, state: self.state if remembers(self, state) else state
    },
    "the state does not go on from step to step": {
        "previous": lambda self, H: H[0],
        "later": lambda self, dH, t: np.zeros_like(dH),
    },
    "the activation is ReLU, not tanh": {
        "act": lambda self, A: np.maximum(A, 0),
        "derivative": lambda self, A, H: (A > 0) * 1.0,
    },
    "the activation is the sigmoid, not tanh": {
        "act": lambda self, A: 1 / (1 + np.exp(-A)),
        "derivative": lambda self, A, H: H * (1 - H),
    },
    "the activation is left out": {
        "act": lambda self, A: A,
        "derivative": lambda self, A, H: np.ones_like(A),
    },
    "the activation is applied to the outputs too: logits have none": {
        "output": lambda self, O: np.tanh(O),
        "output_back": lambda self, dO, O: dO * (1 - O**2),
    },
    "softmax twice: the loss takes logits, so the network has none": {
        "output": lambda self, O: softmax(O),
        "output_back": lambda self, dO, P: P * (dO - (P * dO).sum(-1, keepdims=True)),
    },
    "the outputs are in the order of the batch: join them along time, the first axis": told(
        logits=lambda found, Y: by_batch(found["logits"])
    ),
    "probabilities are given for logits": told(logits=lambda found, Y: softmax(found["logits"])),
    "log-probabilities are given for logits": told(
        logits=lambda found, Y: Step().log_softmax(found["logits"])[0]
    ),
    "the state of before the minibatch is given back": {
        "report": lambda self, found, X, Y, state: found | {"state": state}
    },
}

LOSS: dict[str, Pieces] = {
    "the labels are in the order of the batch: transpose Y before it becomes one row": {
        "labels": lambda self, X, Y: transposed(Y)
    },
    "outputs in the order of the batch meet labels in the order of time: join both along time": {
        "labels": lambda self, X, Y: transposed(Y.T).T,
        **told(logits=lambda found, Y: by_batch(found["logits"])),
    },
    "the labels are the inputs: Y is X one token later": {"labels": lambda self, X, Y: X.T},
    "softmax over the steps: take it over the vocabulary, the last axis": {"axis": 0},
    "softmax over the batch: take it over the vocabulary, the last axis": {"axis": 1},
    "softmax over all rows: take it over the vocabulary, the last axis": {"axis": (0, 1)},
    "the loss takes log-probabilities, but is given logits: apply log_softmax": {
        "log_softmax": lambda self, O: (O, np.zeros_like(O))
    },
    "the loss is a sum over all tokens: take the mean": weighed(lambda y: 1.0),
    "the loss is summed over the steps: take the mean over them too": weighed(
        lambda y: 1 / y.shape[1]
    ),
    "the loss is summed over the batch: take the mean over it too": weighed(
        lambda y: 1 / y.shape[0]
    ),
    "the loss is a mean already: do not divide it by the batch size again": weighed(
        lambda y: 1 / y.size / y.shape[1]
    ),
    "the loss is of the last step alone: take the outputs of every step": weighed(
        lambda y: (np.arange(len(y)) == len(y) - 1)[:, None] / y.shape[1]
    ),
    "token 0 is left out of the loss, as if it were padding": weighed(
        lambda y: (y > 0) / max((y > 0).sum(), 1)
    ),
    "the loss that is given is a sum over all tokens, the gradients are of the mean": told(
        loss=lambda found, Y: found["loss"] * Y.size
    ),
    "the loss that is given is summed over the steps, the gradients are of the mean": told(
        loss=lambda found, Y: found["loss"] * Y.shape[1]
    ),
    "the perplexity is given for the loss": told(loss=lambda found, Y: np.exp(found["loss"])),
    "the loss is in bits: take the natural logarithm": told(
        loss=lambda found, Y: found["loss"] / np.log(2)
    ),
    "the loss is that after the update: give the one before": {"report": after},
}

BACKWARD: dict[str, Pieces] = {
    "no gradient flows from step to step: do not detach the state within a window": {
        "later": lambda self, dH, t: np.zeros_like(dH)
    },
    "the gradient through time is cut within the window: truncate at its first state alone": {
        "later": lambda self, dH, t: dH * (t != self.num_steps // 2)
    },
    "the gradient flows into the window before: detach the state that is given": {
        "behind": lambda self, state: (
            self.windows if remembers(self, state) and np.allclose(state, self.state) else []
        )
    },
    "the derivative of tanh is 1 - H^2 of its value, not of its argument": {
        "derivative": lambda self, A, H: 1 - A**2
    },
    "the derivative of the activation is left out": {
        "derivative": lambda self, A, H: np.ones_like(A)
    },
    "gradients add up over minibatches: set them to zero before each": {
        "gradients": lambda self, grads: kept(self, "", grads)
    },
    "the loss is a mean, but its gradient is divided by the batch size again": scaled(
        lambda self: 1 / self.batch
    ),
    "the loss is a mean, but its gradient is that of the sum over all tokens": scaled(
        lambda self: self.tokens
    ),
    "the gradients have the wrong sign": scaled(lambda self: -1.0),
    "the gradients of biases are means: sum over steps and batch": {
        "gradients": lambda self, grads: {
            n: g / self.tokens if n.startswith("b") else g for n, g in grads.items()
        }
    },
    "the weights of the first minibatch are kept: load those that are given": {"read": first_read},
    **{
        f"no gradient reaches {name}: is it cut off, or not among what is differentiated?": {
            "adjoint": changed(name, np.zeros_like)
        }
        for name in NAMES
    },
}

UPDATE: dict[str, Pieces] = {
    "the gradients are not clipped": {"clip": lambda self, grads, theta: grads},
    "each gradient is clipped by its own norm: take the norm of all together": {
        "clip": lambda self, grads, theta: {n: clip({n: g}, theta)[n] for n, g in grads.items()}
    },
    "each number is clipped: scale all gradients by one norm": {
        "clip": lambda self, grads, theta: {n: np.clip(g, -theta, theta) for n, g in grads.items()}
    },
    "the norm lacks its square root": clipping(lambda g: norm(g) ** 2),
    "the norm is the largest number: take the root of the sum of squares": clipping(
        lambda g: norm(g, np.inf)
    ),
    "the norm is the sum of sizes: take the root of the sum of squares": clipping(
        lambda g: norm(g, 1)
    ),
    "the norm leaves biases out": clipping(norm, lambda name: name.startswith("W")),
    "gradients shorter than theta are scaled up: leave them": {
        "clip": lambda self, grads, theta: clip({n: 1e9 * g for n, g in grads.items()}, theta)
    },
    "an epsilon is added to the norm, as clip_grad_norm_ does": clipping(lambda g: norm(g) + 1e-6),
    "theta stays that of the first minibatch: take the one that is given": {
        "clip": lambda self, grads, theta: clip(grads, cast(float, self.theta))
    },
    "theta is another than the one that is given": {
        "clip": lambda self, grads, theta: clip(grads, theta * 1.5)
    },
    "the step is clipped, not the gradient: clip before the learning rate": {
        "clip": lambda self, grads, theta: clip(grads, theta / self.lr)
    },
    "the gradients are given after clipping": {
        "report": lambda self, found, *_: found | {"gradients": self.clipped}
    },
    "the learning rate is applied twice": rated(lambda self: self.lr**2),
    "the learning rate is halved": rated(lambda self: self.lr / 2),
    "the update is made twice": rated(lambda self: self.lr * 2),
    "the update divides by the batch size: the loss is a mean already": rated(
        lambda self: self.lr / self.batch
    ),
    "the update divides by the number of tokens: the loss is a mean already": rated(
        lambda self: self.lr / self.tokens
    ),
    "the gradient is added: subtract it": rated(lambda self: -self.lr),
    "the old weights are given back: is there no update?": rated(lambda self: 0.0),
    "the update uses the gradients of the minibatch before: go back first, then update": {
        "update": stale
    },
    "SGD has momentum": {
        "update": lambda self, w, grads, lr: Step.update(self, w, kept(self, "", grads, 0.9), lr)
    },
    "Adam updates, not SGD": {"update": adam},
    "RMSprop updates, not SGD": {"update": rmsprop},
    "SGD has weight decay": {
        "update": lambda self, w, grads, lr: Step.update(
            self, w, {n: g + 0.01 * w[n] for n, g in grads.items()}, lr
        )
    },
    "a layer has two biases, and both learn: b_h moves twice": {
        "clip": lambda self, grads, theta: clip(grads | {"second": grads["b_h"]}, theta),
        "update": lambda self, w, grads, lr: Step.update(
            self, w, grads | {"b_h": 2 * grads["b_h"]}, lr
        ),
    },
    **{
        f"{name} is not updated: is it among the parameters of the optimizer?": {
            "update": never(name)
        }
        for name in NAMES
    },
}

CAUSES = {**FORWARD, **LOSS, **BACKWARD, **UPDATE}
"""The pieces of each fault, by how to mend it."""


def faulty(cause: str) -> Step:
    """A step function with the fault of a cause."""
    return cast(Step, type("Faulty", (Step,), dict(CAUSES[cause]))())
