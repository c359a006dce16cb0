"""The exercises of the chapter in TensorFlow: an embedding, further layers, a graph that is kept.

Inputs, outputs and all that is not here are as in ``scratch.py``; parameters are in the order of
`common.weights.shapes`. The step that keeps the graph is explained in `common.kept_graph`.
"""

from __future__ import annotations

import tensorflow as tf

from backends.tensorflow import scratch
from common.kept_graph import KeptState, pullbacks_behind, through_all
from common.weights import by_layer


def init_rnn_state(batch_size, num_hiddens, num_layers):
    """The state before the first token: a tensor of zeros a layer."""
    return scratch.init_rnn_state(batch_size, num_hiddens) * num_layers


def rnn(inputs, state, params, activation=tf.tanh):
    """The chapter's recurrence in each layer, on the hidden states of the one below."""
    W_emb, layers, (W_hq, b_q) = by_layer(params)
    if W_emb is not None:
        inputs = tf.matmul(inputs, W_emb)  # one row of W_emb a token
    inputs = tf.unstack(inputs)
    new_state = []
    for H, (W_xh, W_hh, b_h) in zip(state, layers, strict=True):
        hiddens = []
        for X in inputs:
            H = activation(tf.matmul(X, W_xh) + tf.matmul(H, W_hh) + b_h)
            hiddens.append(H)
        inputs = hiddens
        new_state.append(H)
    return tf.matmul(tf.concat(inputs, axis=0), W_hq) + b_q, tuple(new_state)


@tf.function(jit_compile=True)
def forward(model, X, Y, state, loss):
    """The mean loss and the last state of a window."""
    y = tf.cast(tf.reshape(tf.transpose(Y), [-1]), tf.int32)
    y_hat, last = model(X, state)
    return tf.reduce_mean(loss(y_hat, y)), last


def window(model, X, Y, state, loss):
    """The mean loss, the last state and the pullback of a window.

    Its tape holds the values that it read: what the variables become later, it has not met.
    """
    first = tuple(tf.identity(H) for H in state)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(first)
        l, last = forward(model, X, Y, first, loss)

    def pullback(dl, dH, grads):
        found = tape.gradient(
            [l, *last], [*model.params, *first], output_gradients=[tf.ones_like(l) * dl, *dH]
        )
        here, before = found[: len(grads)], found[len(grads) :]
        return [total + grad for total, grad in zip(grads, here, strict=True)], before

    return l, last, pullback


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients through all windows before clipping, the state."""
    l, last, pullback = window(model, X, Y, state, loss)
    pullbacks = (*pullbacks_behind(state), pullback)
    dH = tuple(tf.zeros_like(H) for H in last)
    grads = through_all(pullbacks, dH, [tf.zeros_like(param) for param in model.params])
    return l, grads, KeptState(last, pullbacks)


@tf.function(jit_compile=True)
def update(model, grads, updater, theta):
    """Clip (not where theta is 0), update."""
    if theta:
        grads = scratch.grad_clipping(grads, theta)
    updater(model.params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward through all windows, and an `update`."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    update(model, grads, updater, theta)
    return l, state


COMPILED = [forward, update]
