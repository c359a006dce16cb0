"""Loss and perplexity: one definition for every backend."""

from __future__ import annotations

import numpy as np

from common.array import Array


def log_softmax(logits: Array) -> Array:
    """The log-probabilities (N, V) of logits (N, V)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(logits: Array, labels: Array, dtype: str = "float64") -> float:
    """The mean cross-entropy, in nats a token, of logits (N, V) against labels (N,).

    The mean is taken in `dtype`.
    """
    log_probabilities = log_softmax(logits)[np.arange(len(labels)), labels]
    return -float(log_probabilities.mean(dtype=dtype))


def perplexity(loss_sum: float, tokens: int) -> float:
    """Token-weighted perplexity, exp(sum of loss x tokens / tokens); inf where that overflows."""
    with np.errstate(over="ignore"):
        return float(np.exp(loss_sum / tokens))


def time_major(Y: Array) -> Array:
    """Labels (batch, steps) as (steps x batch,): the order of the logits' rows.

    Without the transpose a network learns only how often each token occurs (d2l-en issue 1349).
    """
    return Y.T.reshape(-1)
