"""Generation in JAX: a step a token, in one compiled loop a chunk of the text.

With A_t = W_xh[X_t] + b_h + H_{t-1} W_hh in each layer, see `common.reference`, a token costs the
row of a table and the products with W_hh and W_hq. How long the prefix is and how many tokens are
written are values, not shapes: texts of all lengths are one program.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as Tensor
from jax import lax

from common.array import Array
from common.experiment import Experiment
from common.generation import CHUNK
from common.interface import State
from common.weights import by_layer

ACTIVATIONS = {"tanh": jax.nn.tanh, "relu": jax.nn.relu}


class Writer:
    """Parameters and the state of a text that they go on with; see `common.generation.Write`."""

    def __init__(self, params: Sequence[Tensor], experiment: Experiment) -> None:
        self.params = list(params)
        _, layers, _ = by_layer(self.params)
        zeros: Any = [np.zeros(b_h.shape, b_h.dtype) for _, _, b_h in layers]
        self.state = jax.device_put(zeros, self.params[-1].sharding)
        self.activation = experiment.activation
        self.sharpness = np.array([experiment.alpha, experiment.temperature])

    def __call__(self, tokens: Array, count: int, draws: Array | None) -> Array:
        given = padded(tokens), np.int32(len(tokens) - 1), np.int32(count)
        drawing = None if draws is None else (padded(draws), self.sharpness)
        exact = draws is not None or self.params[-1].dtype == np.float64
        with jax.enable_x64(exact):
            found, self.state = write(self.params, self.state, *given, drawing, self.activation)
        return np.asarray(found)[:count]


def padded(values: Array) -> Array:
    """Values (n,) with zeros after them, as many as a chunk has."""
    return np.pad(values, (0, CHUNK - len(values)))


@partial(jax.jit, static_argnames="activation")
def write(
    params: list[Tensor],
    state: State,
    tokens: Tensor,
    before: Tensor,
    count: Tensor,
    drawing: tuple[Tensor, Tensor] | None,
    activation: str,
) -> tuple[Tensor, State]:
    """Tokens written (CHUNK,), of which the first `count` count, and the state before the last.

    Args:
        params, state, activation: a vector (H,) a layer is the state.
        tokens, before, count: tokens (CHUNK,), of which `before` are read; `count` are written
            after the next.
        drawing: draws (CHUNK,), alpha and temperature, in float64; None to take the likeliest.
    """
    W_emb, layers, (W_hq, b_q) = by_layer(params)
    W_xh, _, b_h = layers[0]
    table = (W_xh if W_emb is None else W_emb @ W_xh) + b_h
    act = ACTIVATIONS[activation]

    def step(x: Tensor, state: State) -> State:
        after: list[Tensor] = []
        for H, (W_xh, W_hh, b_h) in zip(state, layers, strict=True):
            inputs = after[-1] @ W_xh + b_h if after else table[x]
            after.append(act(inputs + H @ W_hh))
        return after

    def write_one(t: Tensor, carry: tuple[Tensor, State, Tensor]) -> tuple[Tensor, State, Tensor]:
        x, state, found = carry
        state = step(x, state)
        O = state[-1] @ W_hq + b_q
        x = lax.argmax(O, 0, jnp.int32) if drawing is None else drawn(O, drawing[0][t], drawing[1])
        return x, state, found.at[t].set(x)

    state = lax.fori_loop(0, before, lambda t, state: step(tokens[t], state), list(state))
    start = tokens[before], state, jnp.zeros(CHUNK, jnp.int32)
    _, state, found = lax.fori_loop(0, count, write_one, start)
    return found, state


def drawn(O: Tensor, draw: Tensor, sharpness: Tensor) -> Tensor:
    """The token that a draw takes from the logits O (V,), as `common.decoding` does."""
    exact, (alpha, temperature) = O.astype(jnp.float64), sharpness
    cumulative = jnp.exp((exact - exact.max()) / temperature * alpha).cumsum()
    below = ~(cumulative > draw * cumulative[-1])  # of what is not a number, all
    return jnp.minimum(below.sum(dtype=jnp.int32), len(O) - 1)
