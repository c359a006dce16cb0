"""The initial weights, drawn once in NumPy and handed to every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from common.array import Array

Init = Literal["normal", "he_normal"]
Weights = dict[str, Array]

Shapes = dict[str, tuple[int, ...]]
Param = TypeVar("Param")


def shapes(
    vocab_size: int, num_hiddens: int, num_layers: int = 1, embed_size: int | None = None
) -> Shapes:
    """The names and shapes of the weights, in canonical order.

    The chapter's network has ``W_xh (V,H)  W_hh (H,H)  b_h (H,)  W_hq (H,V)  b_q (V,)``. With an
    embedding of size D, ``W_emb (V,D)`` comes first and W_xh is ``(D,H)``; each further layer l has
    ``W_xh_l (H,H)  W_hh_l (H,H)  b_h_l (H,)`` before W_hq.
    """
    V, H, D = vocab_size, num_hiddens, embed_size or vocab_size
    found: Shapes = {"W_emb": (V, D)} if embed_size else {}
    for layer, width in enumerate([D] + [H] * (num_layers - 1), start=1):
        suffix = f"_{layer}" if layer > 1 else ""
        hidden = {"W_xh": (width, H), "W_hh": (H, H), "b_h": (H,)}
        found |= {name + suffix: shape for name, shape in hidden.items()}
    return found | {"W_hq": (H, V), "b_q": (V,)}


NAMES = tuple(shapes(1, 1))
"""The five weights of the chapter's network."""


def by_layer(
    params: Sequence[Param],
) -> tuple[Param | None, list[tuple[Param, Param, Param]], tuple[Param, Param]]:
    """Parameters in canonical order, or their names, taken apart.

    Returns:
        W_emb or None, the ``(W_xh, W_hh, b_h)`` of every layer, and ``(W_hq, b_q)``.
    """
    *below, W_hq, b_q = params
    W_emb = below.pop(0) if len(below) % 3 else None
    return W_emb, list(zip(below[::3], below[1::3], below[2::3], strict=True)), (W_hq, b_q)


def draw_weights(
    vocab_size: int, num_hiddens: int, init: Init = "normal", sigma: float = 0.01, seed: int = 0
) -> Weights:
    """Draw the five weights of the chapter's network; see `draw`."""
    return draw(shapes(vocab_size, num_hiddens), init, sigma, seed)


def draw(shapes: Shapes, init: Init, sigma: float, seed: int) -> Weights:
    """Draw weights of these names and shapes, in their order; the biases are zero.

    Args:
        shapes: as the function `shapes` gives them.
        init: ``normal`` draws N(0, sigma²) (functional and original chapters, chapter 9);
            ``he_normal`` draws a normal truncated at two deviations, of variance 2 / fan-in (He
            et al., "Delving deep into rectifiers", 2015).
        sigma: the deviation of ``normal``; ``he_normal`` does without.
        seed: the seed of NumPy's default generator.

    Returns:
        float64 arrays by canonical name, every value one that float32 holds exactly, so that
        both precisions start from the same network.
    """
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for name, shape in shapes.items():
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
