"""The chapter's loop in JAX as the book compiles it: a variant for benchmarks alone.

Every step of time is unrolled into one program: one-hot inputs, two products for the hidden state
and one for the output at each step, JAX's own differentiation, then the book's clipping and sgd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax import Array as Tensor

from common.interface import Array, Gradients, Outputs, State

Act = Callable[[Tensor], Tensor]


def rnn(inputs: Tensor, state: State, params: list[Tensor], activation: Act) -> Outputs[Tensor]:
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = activation(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return jnp.concatenate(outputs), (H,)


@partial(jax.jit, static_argnames="activation")
def apply(params: list[Tensor], X: Tensor, state: State, activation: Act) -> Outputs[Tensor]:
    """The outputs and the new state for indices X."""
    W_xh = params[0]
    return rnn(jax.nn.one_hot(X.T, len(W_xh), dtype=W_xh.dtype), state, params, activation)


def grad_clipping(grads: list[Tensor], theta: float) -> list[Tensor]:
    """The gradients, scaled together so that their norm is at most theta."""
    norm = jnp.sqrt(sum(jnp.sum(grad**2) for grad in grads))
    return [grad * jnp.where(norm > theta, theta / norm, 1) for grad in grads]


def sgd(params: list[Tensor], grads: list[Tensor], lr: float) -> list[Tensor]:
    """Minibatch stochastic gradient descent: the new parameters."""
    return [param - lr * grad for param, grad in zip(params, grads, strict=True)]


@partial(jax.jit, static_argnames="activation")
def loss_and_grads(
    params: list[Tensor], X: Array, Y: Array, state: State, activation: Act
) -> Gradients[Tensor]:
    """The mean loss, the gradients before clipping, and the new state."""

    def objective(params: list[Tensor]) -> Outputs[Tensor]:
        y_hat, new_state = apply(params, X, state, activation)
        loss = optax.softmax_cross_entropy_with_integer_labels(y_hat, Y.T.reshape(-1))
        return loss.mean(), new_state

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(params)
    return l, grads, state


@partial(jax.jit, static_argnames=("activation", "lr", "theta"))
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
    if theta:
        grads = grad_clipping(grads, theta)
    return l, state, sgd(params, grads, lr)


class RNNModelBook:
    """The network of the contract as the book writes it; see `common.interface.Network`."""

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
