"""Generation with MXNet's parameters, in NumPy on either engine: a step a token, no tape.

With A_t = W_xh[X_t] + b_h + H_{t-1} W_hh in each layer, see `common.reference`, a token costs the
row of a table and the products with W_hh and W_hq, into arrays that were made before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends.mxnet_style.engine import nd
from common.array import Array
from common.decoding import drawn
from common.experiment import Experiment
from common.weights import by_layer

ACTIVATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda A, H: np.maximum(A, 0, out=H),
}
"""By name: act(A, H), into H."""


class Writer:
    """Parameters and the state of a text that they go on with; see `common.generation.Write`."""

    def __init__(self, params: Sequence[nd.NDArray], experiment: Experiment) -> None:
        values = [param.asnumpy() for param in params]
        W_emb, layers, (self.W_hq, self.b_q) = by_layer(values)
        (W_xh, self.W_hh, b_h), *self.layers = layers
        self.table = (W_xh if W_emb is None else W_emb @ W_xh) + b_h
        self.state = [np.zeros_like(b_h) for _ in layers]
        self.A, self.R, self.O = np.empty_like(b_h), np.empty_like(b_h), np.empty_like(self.b_q)
        self.act = ACTIVATIONS[experiment.activation]
        self.sharpness = experiment.alpha, experiment.temperature

    @np.errstate(all="ignore")  # a network that has diverged
    def __call__(self, tokens: Array, count: int, draws: Array | None) -> Array:
        for read in tokens[:-1]:
            self.step(read)
        found = np.empty(count, np.int32)
        x: Any = tokens[-1]
        for t in range(count):
            self.step(x)
            O = self.outputs()
            x = found[t] = O.argmax() if draws is None else drawn(O, draws[t], *self.sharpness)
        return found

    def step(self, x: Any) -> None:
        """Take the state of every layer past token x."""
        H, *others = self.state
        A = np.dot(H, self.W_hh, out=self.A)
        A += self.table[x]
        self.act(A, H)
        for (W_xh, W_hh, b_h), H_above in zip(self.layers, others, strict=True):
            A = np.dot(H_above, W_hh, out=self.A)
            A += np.dot(H, W_xh, out=self.R)
            A += b_h
            H = self.act(A, H_above)

    def outputs(self) -> Array:
        """The logits (V,) after the state, valid until the next call."""
        O = np.dot(self.state[-1], self.W_hq, out=self.O)
        O += self.b_q
        return O
