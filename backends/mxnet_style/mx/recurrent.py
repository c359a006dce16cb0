"""`RNN`, a recurrent layer over all time steps as one operation, its gradient derived by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .base import MXNetError, quiet
from .products import column_sums
from .tape import Parts
from .traced import Array, derive_jointly, expect_arrays, expect_one_type

Elementwise = Callable[[np.ndarray], np.ndarray]

MODES: dict[str, tuple[Elementwise, Elementwise]] = {
    "rnn_relu": (lambda A: np.maximum(A, 0), np.sign),
    "rnn_tanh": (np.tanh, lambda H: 1 - H * H),
}
"""Activations by name: act, and its derivative from its value."""


def RNN(
    data: Array,
    parameters: Array,
    state: Array,
    *,
    state_size: int,
    num_layers: int,
    mode: str,
    state_outputs: bool = False,
) -> Array | list[Array]:
    """Recurrent layer: H_t = act(W_x X_t + b_x + W_h H_{t-1} + b_h) for t = 1 ... T.

    Args:
        data: X, shape (T, batch, C), float32 or float64.
        parameters: W_x (H, C), W_h (H, H), b_x (H,) and b_h (H,), flat, one after another.
        state: H_0, shape (1, batch, H).
        state_size: H.
        num_layers: 1; the engine has no stacks.
        mode: "rnn_relu" or "rnn_tanh".
        state_outputs: give the last state too.

    Returns:
        All states (T, batch, H) or, with `state_outputs`, a list of them and of H_T (1, batch, H).

    Raises:
        MXNetError: shapes or dtypes do not fit, or the engine lacks what is asked for.
    """
    expect_arrays("RNN", data, parameters, state)
    expect_one_type("RNN", (data, parameters, state))
    if mode not in MODES or num_layers != 1:
        raise MXNetError(f"RNN of {num_layers} layers, mode {mode!r}: one of {', '.join(MODES)}")
    if data.values.ndim != 3:
        raise MXNetError(f"RNN of {data.values.shape}: expected (steps, batch, inputs)")
    steps, batch, width = data.values.shape
    shapes = [(state_size, width), (state_size, state_size), (state_size,), (state_size,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    if parameters.values.shape != (sum(sizes),) or state.values.shape != (1, batch, state_size):
        raise MXNetError(
            f"RNN with parameters {parameters.values.shape} and state {state.values.shape}: "
            f"expected {(sum(sizes),)} and {(1, batch, state_size)}"
        )
    parts = np.split(parameters.values, np.cumsum(sizes)[:-1])
    W_x, W_h, b_x, b_h = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
    act, slope = MODES[mode]
    X = data.values.reshape(-1, width)
    H = np.empty((steps + 1, batch, state_size), X.dtype)
    H[0] = state.values[0]
    with quiet():
        A = (np.dot(X, W_x.T) + (b_x + b_h)).reshape(H[1:].shape)
        for t in range(steps):
            H[t + 1] = act(A[t] + np.dot(H[t], W_h.T))
    to_data, to_state = data.on_tape, state.on_tape

    def pull_back(gradients: Parts) -> list[np.ndarray | None]:
        dA = gradients[0].copy() if 0 in gradients else np.zeros_like(H[1:])
        if 1 in gradients:
            dA[-1] += gradients[1][0]
        derivative = slope(H[1:])
        dA[-1] *= derivative[-1]
        for t in reversed(range(steps - 1)):
            dA[t] += np.dot(dA[t + 1], W_h)
            dA[t] *= derivative[t]
        rows = dA.reshape(-1, state_size)
        db = column_sums(rows)
        dW_x, dW_h = np.dot(rows.T, X), np.dot(rows.T, H[:-1].reshape(rows.shape))
        return [
            np.dot(rows, W_x).reshape(steps, batch, width) if to_data else None,
            np.concatenate([dW_x.reshape(-1), dW_h.reshape(-1), db, db]),
            np.dot(dA[:1], W_h) if to_state else None,
        ]

    inputs = (data, parameters, state)
    output, last = derive_jointly([H[1:], H[-1:].copy()], inputs, pull_back)
    return [output, last] if state_outputs else output
