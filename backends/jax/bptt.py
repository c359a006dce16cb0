"""Section 9.7, backpropagation through time, in JAX; `common.bptt` derives it by hand."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from common.weights import NAMES


def link(H, factor):
    """H, through which a gradient is multiplied by the factor."""
    return jax.lax.stop_gradient(H) + factor * (H - jax.lax.stop_gradient(H))


def rnn(inputs, H, params, links, probes, activation):
    """The outputs of every step; a probe is zero, and its gradient is that of its hidden state."""
    W_xh, W_hh, b_h, W_hq, b_q = params

    def step(H, given):
        X, factor, probe = given
        H = activation(X @ W_xh + link(H, factor) @ W_hh + b_h) + probe
        return H, H @ W_hq + b_q

    return jax.lax.scan(step, H, (inputs, links, probes))[1]


def total_loss(outputs, labels, loss_weights):
    """The sum of the steps' mean cross-entropies, each times its weight."""
    losses = optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
    return losses.mean(axis=1) @ loss_weights


@partial(jax.jit, static_argnames="activation")
def loss_and_grads(params, X, Y, state, links, loss_weights, activation):
    """The loss, the gradients of the parameters, and those of the probes."""
    inputs = jax.nn.one_hot(X.T, len(params[0]), dtype=params[0].dtype)

    def objective(params, probes):
        outputs = rnn(inputs, state, params, links, probes, getattr(jax.nn, activation))
        return total_loss(outputs, Y.T, loss_weights)

    probes = jnp.zeros((X.shape[1], *state.shape), params[0].dtype)
    l, (grads, dH) = jax.value_and_grad(objective, argnums=(0, 1))(params, probes)
    return l, grads, dH


def gradients(weights, X, Y, state, links, loss_weights, activation):
    """The loss, the five gradients by name and dl/dH; see `common.bptt.gradients`."""
    jax.config.update("jax_enable_x64", True)
    params = [jnp.asarray(weights[name]) for name in NAMES]
    l, grads, dH = loss_and_grads(params, X, Y, state, links, loss_weights, activation)
    return float(l), {n: np.array(g) for n, g in zip(NAMES, grads, strict=True)}, np.array(dH)
