"""The exercises of the chapter in JAX: an embedding, further layers, a graph that is kept.

Inputs, outputs and all that is not here are as in ``scratch.py``; parameters are in the order of
`common.weights.shapes`. The step that keeps the graph is explained in `common.kept_graph`.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from backends.jax import scratch
from common.kept_graph import KeptState, pullbacks_behind, through_all
from common.weights import by_layer


def init_rnn_state(batch_size, num_hiddens, num_layers):
    """The state before the first token: an array of zeros a layer."""
    return scratch.init_rnn_state(batch_size, num_hiddens) * num_layers


def rnn(inputs, state, params, activation=jnp.tanh):
    """The chapter's recurrence in each layer, on the hidden states of the one below."""
    W_emb, layers, (W_hq, b_q) = by_layer(params)
    if W_emb is not None:
        inputs = inputs @ W_emb  # one row of W_emb a token
    new_state = []
    for H, layer in zip(state, layers, strict=True):
        H, inputs = scratch.hidden_states(inputs, H, layer, activation)
        new_state.append(H)
    return inputs.reshape(-1, inputs.shape[-1]) @ W_hq + b_q, tuple(new_state)


@partial(jax.jit, static_argnames=("forward_fn", "loss"))
def forward(params, X, Y, state, forward_fn, loss):
    """The mean loss and the last state of a window, and what JAX needs to pull back through it."""

    def objective(params, state):
        y_hat, last = scratch.apply(params, X, state, forward_fn)
        return loss(y_hat, Y.T.reshape(-1)).mean(), last

    (l, last), vjp = jax.vjp(objective, params, state)
    return l, last, vjp


@jax.jit
def pull_back(vjp, dl, dH, grads):
    """The gradients so far with the window's, and the gradient of its first state."""
    here, before = vjp((dl.astype(dH[0].dtype), dH))
    return [total + grad for total, grad in zip(grads, here, strict=True)], before


def window(params, X, Y, state, forward_fn, loss):
    """The mean loss, the last state and the pullback of a window.

    Arrays never change: what is updated later, it has not met.
    """
    l, last, vjp = forward(params, X, Y, tuple(state), forward_fn, loss)
    return l, last, partial(pull_back, vjp)


def loss_and_grads(params, X, Y, state, forward_fn, loss):
    """The mean loss, the gradients through all windows before clipping, the state."""
    l, last, pullback = window(params, X, Y, state, forward_fn, loss)
    pullbacks = (*pullbacks_behind(state), pullback)
    dH = tuple(jnp.zeros_like(H) for H in last)
    grads = through_all(pullbacks, dH, [jnp.zeros_like(param) for param in params])
    return l, grads, KeptState(last, pullbacks)


@partial(jax.jit, static_argnames="theta")
def update(params, grads, updater, theta):
    """Clip (not where theta is 0), update: the new parameters."""
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    return updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward through all windows, and an `update`."""
    l, grads, state = loss_and_grads(model.params, X, Y, state, model.forward_fn, loss)
    model.set_params(update(model.params, grads, updater, theta))
    return l, state
