"""Generation in TensorFlow: a step a token, in one compiled loop a chunk of the text.

With A_t = W_xh[X_t] + b_h + H_{t-1} W_hh in each layer, see `common.reference`, a token costs the
row of a table and the products with W_hh and W_hq. How long the prefix is and how many tokens are
written are values, not shapes: texts of all lengths are one program.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from common.array import Array
from common.experiment import Experiment
from common.generation import CHUNK
from common.interface import State
from common.weights import by_layer

ACTIVATIONS = {"tanh": tf.tanh, "relu": tf.nn.relu}


class Writer:
    """Parameters and the state of a text that they go on with; see `common.generation.Write`."""

    def __init__(self, params: Sequence[Tensor], experiment: Experiment) -> None:
        self.params = [tf.convert_to_tensor(param) for param in params]
        _, layers, _ = by_layer(self.params)
        self.state = [tf.zeros_like(b_h)[None] for _, _, b_h in layers]
        self.activation = experiment.activation
        self.sharpness = tf.constant([experiment.alpha, experiment.temperature], tf.float64)

    def __call__(self, tokens: Array, count: int, draws: Array | None) -> Array:
        given = padded(tokens), tf.constant(len(tokens) - 1), tf.constant(count)
        drawing = None if draws is None else (padded(draws), self.sharpness)
        found, self.state = write(self.params, self.state, *given, drawing, self.activation)
        return found.numpy()[:count]


def padded(values: Array) -> Tensor:
    """Values (n,) with zeros after them, as many as a chunk has."""
    return tf.constant(np.pad(values, (0, CHUNK - len(values))))


@tf.function(jit_compile=True, autograph=False)
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
        params, state, activation: a row (1, H) a layer is the state.
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
            inputs = after[-1] @ W_xh + b_h if after else tf.gather(table, x)[None]
            after.append(act(inputs + H @ W_hh))
        return after

    def read_one(t: Tensor, state: State) -> tuple[Tensor, State]:
        return t + 1, step(tf.gather(tokens, t), state)

    def write_one(
        t: Tensor, x: Tensor, state: State, found: tf.TensorArray
    ) -> tuple[Tensor, Tensor, State, tf.TensorArray]:
        state = step(x, state)
        O = (state[-1] @ W_hq + b_q)[0]
        if drawing is None:
            x = tf.argmax(O, output_type=tf.int32)
        else:
            x = drawn(O, tf.gather(drawing[0], t), drawing[1])
        return t + 1, x, state, found.write(t, x)

    _, state = tf.while_loop(lambda t, _: t < before, read_one, (0, list(state)))
    # A slice that begins at a value would be compiled for each: `tf.gather` takes any.
    start = 0, tf.gather(tokens, before), state, tf.TensorArray(tf.int32, CHUNK, element_shape=())
    _, _, state, found = tf.while_loop(lambda t, *_: t < count, write_one, start)
    return found.stack(), state


def drawn(O: Tensor, draw: Tensor, sharpness: Tensor) -> Tensor:
    """The token that a draw takes from the logits O (V,), as `common.decoding` does."""
    exact, (alpha, temperature) = tf.cast(O, tf.float64), tf.unstack(sharpness)
    cumulative = tf.cumsum(tf.exp((exact - tf.reduce_max(exact)) / temperature * alpha))
    below = ~(cumulative > draw * cumulative[-1])  # of what is not a number, all
    return tf.minimum(tf.reduce_sum(tf.cast(below, tf.int32)), O.shape[0] - 1)


COMPILED = [write]
