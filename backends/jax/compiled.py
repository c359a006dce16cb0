"""The chapter's network as JAX documents it for speed: a variant for benchmarks alone.

Rows of W_xh are gathered, a `lax.scan` whose body is unrolled runs through time with one product a
step, all outputs are one product after it, and the whole step is one `jax.jit` that is given the
old parameters to write over. Gradients, loss, clipping and descent are JAX's and Optax's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax import Array as Tensor

from backends.jax.concise import optimizer
from common.interface import Array, Gradients, Outputs, State

Act = Callable[[Tensor], Tensor]


@partial(jax.jit, static_argnames="activation")
def apply(params: list[Tensor], X: Array, state: State, activation: Act) -> Outputs[Tensor]:
    """The logits (steps x batch, V) and the new state for indices X (batch, steps)."""
    W_xh, W_hh, b_h, W_hq, b_q = params

    def step(H: Tensor, A: Tensor) -> tuple[Tensor, Tensor]:
        H = activation(A + H @ W_hh)
        return H, H

    (H,) = state
    H, hiddens = jax.lax.scan(step, H, (W_xh + b_h)[X.T], unroll=8)
    return hiddens.reshape(-1, len(b_h)) @ W_hq + b_q, (H,)


@partial(jax.jit, static_argnames="activation")
def loss_and_grads(
    params: list[Tensor], X: Array, Y: Array, state: State, activation: Act
) -> Gradients[Tensor]:
    """The mean loss, the gradients before clipping, and the new state."""

    def objective(params: list[Tensor]) -> Outputs[Tensor]:
        logits, new_state = apply(params, X, state, activation)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, Y.T.reshape(-1))
        return losses.mean(), new_state

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(params)
    return l, grads, state


@partial(jax.jit, static_argnames=("activation", "lr", "theta"), donate_argnames="params")
def update(
    params: list[Tensor],
    X: Array,
    Y: Array,
    state: State,
    activation: Act,
    lr: float,
    theta: float,
) -> tuple[Tensor, State, list[Tensor]]:
    """Forward, backward, clip (not where theta is 0), update: the loss, state and parameters."""
    l, grads, state = loss_and_grads(params, X, Y, state, activation)
    tx = optimizer(lr, theta)
    updates, _ = tx.update(grads, tx.init(params), params)  # it keeps nothing from step to step
    return l, state, optax.apply_updates(params, updates)


class RNNModelCompiled:
    """The parameters and the functions that train them; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.params = params
        self.activation, self.lr, self.theta = getattr(jax.nn, activation), lr, theta

    def set_params(self, values: Sequence[Tensor]) -> None:
        self.params = list(values)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        return apply(self.params, jnp.asarray(X), state, self.activation)

    def begin_state(self, batch_size: int) -> State:
        b_h = self.params[2]
        return (jnp.zeros((batch_size, len(b_h)), b_h.dtype, device=b_h.sharding),)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        return loss_and_grads(self.params, X, Y, state, self.activation)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        settings = self.activation, self.lr, self.theta
        l, state, self.params = update(self.params, X, Y, state, *settings)
        return l, state
