"""Decoding: the next token from the logits. In NumPy, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from common.array import Array
from common.experiment import Experiment

Choose = Callable[[Array], int]
"""From the logits (V,) of the next token to its index."""


def greedy(logits: Array) -> int:
    """The most likely token of the logits (V,), the first of equals."""
    return int(logits.argmax())


def drawn(logits: Array, draw: float, alpha: float, temperature: float) -> int:
    """The token that a draw between 0 and 1 takes from the logits (V,); see `sampler`."""
    with np.errstate(over="ignore", invalid="ignore"):  # a network that has diverged
        exact = logits.astype(np.float64)
        cumulative = np.exp((exact - exact.max()) / temperature * alpha).cumsum()
        index = cumulative.searchsorted(draw * cumulative[-1], side="right")
    return min(int(index), len(logits) - 1)


def sampler(alpha: float, temperature: float, seed: int) -> Choose:
    """Draws from P^alpha at a temperature (an exercise of the functional chapter).

    The probabilities are proportional to ``exp(alpha x logits / temperature)``, in float64. A token
    is the inverse of their cumulative sum at a draw of NumPy's default generator, one draw a token.

    Args:
        alpha: above 1 the likely tokens become likelier, below 1 less so.
        temperature: the other way round.
        seed: begins the draws; a new sampler begins them anew.
    """
    rng = np.random.default_rng(seed)
    return lambda logits: drawn(logits, rng.random(), alpha, temperature)


def chooser(experiment: Experiment) -> Choose:
    """Function from logits (V,) to the next index, as the experiment asks; seeded anew."""
    if experiment.decode == "greedy":
        return greedy
    return sampler(experiment.alpha, experiment.temperature, experiment.seed)
