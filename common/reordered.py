"""The reference in a precision, its sums in another order: what rounding alone does to the numbers.

Which hidden unit is called the first, which token, and which row of a batch, means nothing to the
network, but decides the order in which every product sums its terms. So the reference with its
units, tokens and rows in a random order is the same network, rounded in another way; how far such
evaluations in float32 lie from the one in float64 is what no arithmetic in float32 can promise to
stay within (compare Parker, "Monte Carlo arithmetic", 1997, and Vignes, "A stochastic arithmetic
for reliable scientific computation", 1993).
"""

from __future__ import annotations

import numpy as np

from common.array import Array
from common.experiment import Activation, DType, Experiment
from common.interface import State
from common.reference import Reference, Window
from common.weights import Weights, by_layer


class Reordered(Reference):
    """The reference in a precision, the sums of every window in another random order.

    Args:
        experiment, weights, dtype: as of `Reference`; every operation is rounded to `dtype`.
        seed: decides the orders.
    """

    def __init__(self, experiment: Experiment, weights: Weights, dtype: DType, seed: int) -> None:
        super().__init__(experiment, weights, dtype)
        self.rng = np.random.default_rng(seed)

    def _window(self, X: Array, state: State) -> Window:
        return ReorderedWindow(self.params, self.experiment.activation, X, state, self.rng)


class RoundedWindow(Window):
    """A window whose tanh is off in its last bits, as the libraries' are.

    Of a hundred thousand values in float32 and in float64, those of torch 2.13 were off by up to
    0.6 units in the last place, of NumPy 2.4 by 1.3, of jax 0.10 by 6.5, of TensorFlow 2.21 by 7.4;
    99 of 100 by less than 3.
    """

    def __init__(
        self,
        params: Weights,
        activation: Activation,
        X: Array,
        state: State,
        rng: np.random.Generator,
    ) -> None:
        self.rng = rng
        super().__init__(params, activation, X, state)

    def _act(self, A: Array) -> Array:
        H = super()._act(A)
        if self.activation == "relu":
            return H
        units = self.rng.integers(-2, 3, H.shape).astype(H.dtype)
        return np.asarray(np.clip(H + units * np.spacing(H), -1, 1))


class ReorderedWindow(Window):
    """A minibatch that went through the network in a random order of units, tokens and rows.

    What it takes and gives is in the usual order; the arguments are those of `Window`.
    """

    def __init__(
        self,
        params: Weights,
        activation: Activation,
        X: Array,
        state: State,
        rng: np.random.Generator,
    ) -> None:
        self.orders = random_orders(params, rng)
        tokens, rows = self.orders["b_q"][0], rng.permutation(len(X))
        self.units = [(rows, self.orders[b_h][0]) for _, _, b_h in by_layer([*params])[1]]
        self.rank, self.rows = tokens.argsort(), rows
        taken = {name: w[np.ix_(*self.orders[name])] for name, w in params.items()}
        self.inner = RoundedWindow(taken, activation, self.rank[X[rows]], self._taken(state), rng)
        self.state = self._given(self.inner.state)
        steps_rows_tokens = self.inner.logits.reshape(X.shape[1], len(X), -1)
        usual = steps_rows_tokens[:, rows.argsort()][:, :, self.rank]
        self.logits = usual.reshape(self.inner.logits.shape)

    def back(self, Y: Array, dl: float, dS: State) -> tuple[Weights, State]:
        """The gradients of the weights and of the first state."""
        grads, dS = self.inner.back(self.rank[Y[self.rows]], dl, self._taken(dS))
        usual = {name: g[np.ix_(*map(np.argsort, self.orders[name]))] for name, g in grads.items()}
        return usual, self._given(dS)

    def _taken(self, state: State) -> State:
        return tuple(H[np.ix_(*order)] for H, order in zip(state, self.units, strict=True))

    def _given(self, state: State) -> State:
        return tuple(
            H[np.ix_(*map(np.argsort, order))] for H, order in zip(state, self.units, strict=True)
        )


def random_orders(params: Weights, rng: np.random.Generator) -> dict[str, tuple[Array, ...]]:
    """An order for every axis of every weight, the same wherever the axis means the same."""
    W_emb, layers, (W_hq, b_q) = by_layer([*params])
    below = tokens = rng.permutation(len(params[b_q]))
    orders: dict[str, tuple[Array, ...]] = {}
    if W_emb:
        below = rng.permutation(params[W_emb].shape[1])
        orders[W_emb] = tokens, below
    for W_xh, W_hh, b_h in layers:
        units = rng.permutation(len(params[b_h]))
        orders |= {W_xh: (below, units), W_hh: (units, units), b_h: (units,)}
        below = units
    return orders | {W_hq: (below, tokens), b_q: (tokens,)}
