"""Cost of a strategy of backpropagation through time: its gradient against the full one.

Of a randomized strategy it is the mean over draws that counts: an estimate without bias comes to
the full gradient like 1 / sqrt(draws), and no nearer to anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from common.array import Array
from common.weights import Weights

ALL = "gradient"
"""The name of all five gradients together."""

T_LIMIT = 4.0
"""An unbiased scheme exceeds this |t| once in several thousand times, given `ENOUGH` draws."""

ENOUGH = 30
"""Draws below which t follows its own law rather than the normal one, and judges nothing."""


@dataclass(frozen=True)
class Cost:
    """Distance of a strategy's gradient from the full one.

    Attributes:
        quantity: name of the gradient: `ALL`, or one of the five.
        draws: number of draws it is the mean of; 1 where nothing is drawn.
        error: ``||found - full|| / ||full||``.
        cosine: of the angle between them; nan where one of them is zero.
        standard_error: `error` to be expected without bias: sqrt(variance / draws).
        variance: mean of ``||draw - mean||^2 / ||full||^2`` over all draws.
        t: Student's, of the mean along what came through the links; nan for too few to tell.
    """

    quantity: str
    draws: int
    error: float
    cosine: float
    standard_error: float = np.nan
    variance: float = np.nan
    t: float = np.nan

    @property
    def verdict(self) -> str:
        """``biased``, ``unbiased`` (as far as the draws can tell), or nothing."""
        if self.draws < ENOUGH or np.isnan(self.t):
            return ""
        return "biased" if abs(self.t) > T_LIMIT else "unbiased"


def vectors(grads: Weights) -> dict[str, Array]:
    """All five gradients as one vector (P,), and each as its own, by `Cost.quantity`."""
    each = {name: g.reshape(-1) for name, g in grads.items()}
    return {ALL: np.concatenate(list(each.values())), **each}


def cost(quantity: str, found: Array, full: Array) -> Cost:
    """The cost of a strategy in which nothing is drawn; two vectors (P,)."""
    return Cost(quantity, 1, _error(found, full), _cosine(found, full))


def costs_of_draws(quantity: str, draws: Array, full: Array, through: Array) -> list[Cost]:
    """The cost of the mean of the first 1, 2, 4 ... draws, and of all of them.

    Args:
        quantity: name of the gradient.
        draws: its draws (n, P), at least two.
        full: the full gradient (P,).
        through: the part of `full` that came through links (P,), known beforehand: a scheme that
            loses or inflates it is off in this direction, and all draws speak on it.
    """
    scale = float(np.linalg.norm(full)) or 1.0
    variance = float(draws.var(axis=0, ddof=1).sum()) / scale**2
    counts = [1 << k for k in range(len(draws).bit_length()) if 1 << k < len(draws)]
    found = []
    for n in [*counts, len(draws)]:
        mean = draws[:n].mean(axis=0)
        t = student_t((draws[:n] - full) @ through) if n > 1 else np.nan
        error, cosine = _error(mean, full), _cosine(mean, full)
        found.append(Cost(quantity, n, error, cosine, np.sqrt(variance / n), variance, t))
    return found


def student_t(values: Array) -> float:
    """Student's t of values (n,) whose mean should be zero; nan if they do not vary."""
    deviation = float(values.std(ddof=1))
    return float(values.mean() / deviation * np.sqrt(len(values))) if deviation else np.nan


def _error(found: Array, full: Array) -> float:
    difference, scale = np.linalg.norm(found - full), np.linalg.norm(full)
    return float(difference / scale if scale else difference)


def _cosine(found: Array, full: Array) -> float:
    scale = float(np.linalg.norm(found) * np.linalg.norm(full))
    return float(found @ full / scale) if scale else np.nan
