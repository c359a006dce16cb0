"""The exercises of the chapter in JAX: an embedding, further layers, a graph that is kept.

Inputs, outputs and all that is not here are as in ``scratch.py``; parameters are in the order of
`common.weights.shapes`. The step that keeps the graph is explained in `common.kept_graph`.
"""

from __future__ import annotations

from functools import cache, partial

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


@cache
def bound(rnn, activation):
    """The function with an activation: one function, so one compilation."""
    return partial(rnn, activation=getattr(jax.nn, activation))


class RNNModelExercises(scratch.RNNModelScratch):
    """The chapter's model with these functions; see `backend.FORMS`."""

    __call__ = scratch.RNNModelScratch.forward  # what the contract is given fits

    def __init__(self, params, activation, lr, theta):
        num_hiddens, vocab_size = params[-2].shape
        _, layers, _ = by_layer(params)
        super().__init__(
            vocab_size,
            num_hiddens,
            get_params=lambda *sizes: params,
            init_state=partial(init_rnn_state, num_layers=len(layers)),
            forward=bound(rnn, activation),
        )
        self.loss = scratch.cross_entropy
        self.updater = scratch.sgd_updater(self, lr)
        self.theta = theta

    def loss_and_grads(self, X, Y, state):
        """The mean loss, the gradients before clipping, the new state."""
        return scratch.loss_and_grads(self.params, X, Y, state, self.forward_fn, self.loss)

    def train_step(self, X, Y, state):
        """Forward, backward, clip, update: the mean loss and the new state."""
        return scratch.train_step(self, X, Y, state, self.loss, self.updater, self.theta)


class RNNModelKeptGraph(RNNModelExercises):
    """The same, whose gradients flow on through all windows since the state began."""

    def loss_and_grads(self, X, Y, state):
        """The mean loss, the gradients before clipping, the state with what led to it."""
        return loss_and_grads(self, X, Y, state, self.loss)

    def train_step(self, X, Y, state):
        """Forward, backward, clip, update: the mean loss and the state with what led to it."""
        return train_step(self, X, Y, state, self.loss, self.updater, self.theta)


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


def window(model, X, Y, state, loss):
    """The mean loss, the last state and the pullback of a window.

    Arrays never change: what is updated later, it has not met.
    """
    l, last, vjp = forward(model.params, X, Y, tuple(state), model.forward_fn, loss)
    return l, last, partial(pull_back, vjp)


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients through all windows before clipping, the state."""
    l, last, pullback = window(model, X, Y, state, loss)
    pullbacks = (*pullbacks_behind(state), pullback)
    dH = tuple(jnp.zeros_like(H) for H in last)
    grads = through_all(pullbacks, dH, [jnp.zeros_like(param) for param in model.params])
    return l, grads, KeptState(last, pullbacks)


@partial(jax.jit, static_argnames="theta")
def update(params, grads, updater, theta):
    """Clip (not where theta is 0), update: the new parameters."""
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    return updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward through all windows, and an `update`."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    model.set_params(update(model.params, grads, updater, theta))
    return l, state
