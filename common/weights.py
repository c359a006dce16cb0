"""The initial weights, drawn once in NumPy and handed to every backend."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Init = Literal["normal", "he_normal"]
Weights = dict[str, NDArray[Any]]

NAMES = ("W_xh", "W_hh", "b_h", "W_hq", "b_q")


def shapes(vocab_size: int, num_hiddens: int) -> dict[str, tuple[int, ...]]:
    """The canonical shapes: ``W_xh (V,H)  W_hh (H,H)  b_h (H,)  W_hq (H,V)  b_q (V,)``."""
    V, H = vocab_size, num_hiddens
    return dict(zip(NAMES, [(V, H), (H, H), (H,), (H, V), (V,)], strict=True))


def draw_weights(
    vocab_size: int, num_hiddens: int, init: Init = "normal", sigma: float = 0.01, seed: int = 0
) -> Weights:
    """Draw the five weights; the biases are zero.

    Args:
        vocab_size: V.
        num_hiddens: H.
        init: ``normal`` draws N(0, sigma²) (functional chapter, seeds 001 and 003);
            ``he_normal`` draws a normal truncated at two deviations, of variance 2 / fan-in (seed
            002; He et al., "Delving deep into rectifiers", 2015).
        sigma: the deviation of ``normal``; ``he_normal`` does without.
        seed: the seed of NumPy's default generator.

    Returns:
        float64 arrays by canonical name, every value one that float32 holds exactly, so that
        both precisions start from the same network.
    """
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for name, shape in shapes(vocab_size, num_hiddens).items():
        if name.startswith("b"):
            weights[name] = np.zeros(shape)
        elif init == "he_normal":
            weights[name] = _truncated_normal(rng, shape) * np.sqrt(2 / shape[0])
        else:
            weights[name] = rng.standard_normal(shape) * sigma
    return {name: w.astype(np.float32).astype(np.float64) for name, w in weights.items()}


# The deviation of a standard normal that was truncated at two deviations.
TRUNCATED_DEVIATION = 0.8796256610342398


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Draws of unit variance from a normal truncated at two deviations."""
    draws = rng.standard_normal(shape)
    while (outside := np.abs(draws) > 2).any():
        draws[outside] = rng.standard_normal(np.count_nonzero(outside))
    return draws / TRUNCATED_DEVIATION
