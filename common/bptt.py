"""Section 9.7, backpropagation through time: links, and the gradients through them by hand.

One factor a step says it all. The state passes from step to step through a link, which leaves its
value alone and multiplies its gradient:

    A_t = one_hot(X_t) W_xh + link(H_{t-1}, links_t) W_hh + b_h
    H_t = act(A_t)             O_t = H_t W_hq + b_q
    l = sum_t loss_weights_t * l_t,    l_t = mean over the batch of the cross-entropy at step t

Links of 1 are full backpropagation through time; a link of 0 cuts the window there (truncation,
Jaeger 2002); links drawn at random whose mean is 1 give a gradient whose mean is the full one
(randomized truncation, Tallec and Ollivier 2017). Derived by hand, B being the batch size:

    dO_t = loss_weights_t (softmax(O_t) - one_hot(Y_t)) / B
    dH_t = dO_t W_hq^T + links_{t+1} dA_{t+1} W_hh^T   (the second term is absent at the last step)
    dA_t = dH_t * act'(A_t)
    dW_xh = sum_t one_hot(X_t)^T dA_t    dW_hh = sum_t H_{t-1}^T dA_t    db_h = sum_t dA_t
    dW_hq = sum_t H_t^T dO_t             db_q = sum_t dO_t

`gradients` is what ``bptt.py`` in every backend is checked against, by `errors`.
"""

from __future__ import annotations

import numpy as np

from common.array import Array
from common.experiment import Activation
from common.metrics import log_softmax
from common.parity import Errors
from common.weights import NAMES, Weights

Gradients = tuple[float, Weights, Array]
"""The loss, the five gradients by name, and dl/dH (num_steps, batch, H)."""

UNDERFLOW = 1e-250
"""A gradient whose norm is below has lost parts to zero: it is measured by this norm instead."""

SLACK = 10.0
"""Tolerated multiple of the change that the last bit of the hidden states makes."""

EPSILON = float(np.finfo(np.float64).eps)


def full_links(num_steps: int) -> Array:
    """The links (num_steps,) of full backpropagation through time."""
    return np.ones(num_steps)


def truncated_links(num_steps: int, tau: int) -> Array:
    """The links (num_steps,) that cut a window into pieces of tau steps, as the book draws it.

    A loss reaches back to where its piece begins: between 0 and tau - 1 steps.
    """
    links = np.ones(num_steps)
    links[tau::tau] = 0
    return links


def random_links(num_steps: int, pi: float, draws: int, rng: np.random.Generator) -> Array:
    """Links (draws, num_steps) that are 1/pi with probability pi and 0 else: of mean 1.

    They are independent, so that the mean of a product of them is 1, too.
    """
    return np.asarray(kept_links(num_steps, pi, draws, rng) / pi)


def kept_links(num_steps: int, pi: float, draws: int, rng: np.random.Generator) -> Array:
    """Links (draws, num_steps) that are 1 with probability pi and 0 else: of mean pi, a bias."""
    return np.asarray(rng.random((draws, num_steps)) < pi, np.float64)


def all_steps(num_steps: int) -> Array:
    """The weights (num_steps,) of the loss that is trained: the mean over all steps."""
    return np.full(num_steps, 1 / num_steps)


def last_step(num_steps: int) -> Array:
    """The weights (num_steps,) of the last step's loss alone."""
    return np.asarray(np.eye(num_steps)[-1])


def gradients(
    weights: Weights,
    X: Array,
    Y: Array,
    state: Array,
    links: Array,
    loss_weights: Array,
    activation: Activation,
    *,
    last_bit: bool = False,
) -> Gradients:
    """The loss and its gradients through links, in float64.

    Args:
        weights: the five, by name.
        X, Y: indices (batch, num_steps).
        state: the hidden state (batch, H) before the first step, a constant.
        links: factors of the gradient from step t to the state before it (num_steps,).
        loss_weights: of each step's loss (num_steps,).
        activation: of the hidden units.
        last_bit: True to move every hidden state by its last bit, up or down at random. Where
            tanh is saturated 1 - H^2 has few digits left, and a gradient that came through many
            such steps may have none: this shows how many.
    """
    W_xh, W_hh, b_h, W_hq, b_q = (weights[name] for name in NAMES)
    batch, num_steps = X.shape
    one_hot = np.eye(len(W_xh))

    coin = np.random.default_rng(0)

    H = [state]
    for X_t in X.T:
        A_t = W_xh[X_t] + H[-1] @ W_hh + b_h
        H_t = np.tanh(A_t) if activation == "tanh" else np.maximum(A_t, 0)
        H.append(H_t * (1 + EPSILON * coin.choice([-1, 1], H_t.shape)) if last_bit else H_t)

    loss = 0.0
    grads = {name: np.zeros_like(w) for name, w in weights.items()}
    dH = np.zeros((num_steps, *state.shape))
    from_next = np.zeros_like(state)
    for t in reversed(range(num_steps)):
        log_p = log_softmax(H[t + 1] @ W_hq + b_q)
        loss -= loss_weights[t] * log_p[np.arange(batch), Y[:, t]].mean()
        dO = loss_weights[t] * (np.exp(log_p) - one_hot[Y[:, t]]) / batch
        dH[t] = dO @ W_hq.T + from_next
        dA = dH[t] * (1 - H[t + 1] ** 2 if activation == "tanh" else H[t + 1] > 0)
        grads["W_xh"] += one_hot[X[:, t]].T @ dA
        grads["W_hh"] += H[t].T @ dA
        grads["b_h"] += dA.sum(axis=0)
        grads["W_hq"] += H[t + 1].T @ dO
        grads["b_q"] += dO.sum(axis=0)
        from_next = links[t] * (dA @ W_hh.T)
    return float(loss), grads, dH


def errors(found: Gradients, expected: Gradients, perturbed: Gradients | None = None) -> Errors:
    """The relative error of the loss, of each gradient, and of dl/dH at its worst step.

    Args:
        found: a backend's.
        expected: `gradients` of the same.
        perturbed: `gradients` of the same with ``last_bit``: what differs between these two no
            float64 can tell, and `SLACK` times that is forgiven.
    """
    pairs = zip(_quantities(found), _quantities(expected), strict=True)
    doubts = [np.zeros(1)] * len(_quantities(expected))
    if perturbed:
        told = zip(_quantities(perturbed), _quantities(expected), strict=True)
        doubts = [b - e for (_, b), (_, e) in told]
    worst: Errors = {}
    for ((name, f), (_, e)), doubt in zip(pairs, doubts, strict=True):
        error = _relative(f, e, SLACK * float(np.linalg.norm(doubt)))
        worst[name] = max(error, worst.get(name, 0.0))
    return worst


def _quantities(given: Gradients) -> list[tuple[str, Array]]:
    loss, grads, dH = given
    named = [(f"gradient {name}", grads[name]) for name in NAMES]
    return [("loss", np.array([loss])), *named, *(("dl/dH", dH_t) for dH_t in dH)]


def _relative(found: Array, expected: Array, forgiven: float) -> float:
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    difference = max(0.0, float(np.linalg.norm(found - expected)) - forgiven)
    return difference / max(float(np.linalg.norm(expected)), UNDERFLOW)


def norms_by_distance(dH: Array) -> Array:
    """``||dl/dH_{T-d}||`` over batch and hidden units: (num_steps,), d from 0 to num_steps - 1."""
    return np.asarray(np.linalg.norm(dH.reshape(len(dH), -1), axis=1)[::-1])


def spectral_radius(W_hh: Array) -> float:
    """The largest absolute eigenvalue of W_hh (H, H); nan if the matrix is not finite."""
    if not np.isfinite(W_hh).all():
        return float("nan")
    return float(np.abs(np.linalg.eigvals(W_hh)).max())
