"""Section 9.7, backpropagation through time, in TensorFlow; `common.bptt` derives it by hand."""

from __future__ import annotations

import tensorflow as tf

from common.weights import NAMES


def link(H, factor):
    """H, through which a gradient is multiplied by the factor."""
    return tf.stop_gradient(H) + factor * (H - tf.stop_gradient(H))


def rnn(inputs, H, params, links, probes, activation):
    """The outputs of every step; a probe is zero, and its gradient is that of its hidden state."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X, factor, probe in zip(*map(tf.unstack, (inputs, links, probes)), strict=True):
        H = activation(tf.matmul(X, W_xh) + tf.matmul(link(H, factor), W_hh) + b_h) + probe
        outputs.append(tf.matmul(H, W_hq) + b_q)
    return tf.stack(outputs)


def total_loss(outputs, labels, loss_weights):
    """The sum of the steps' mean cross-entropies, each times its weight."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs)
    return tf.tensordot(loss_weights, tf.reduce_mean(losses, axis=1), axes=1)


@tf.function
def loss_and_grads(params, X, Y, state, links, loss_weights, activation):
    """The loss, the gradients of the parameters, and those of the probes."""
    inputs = tf.one_hot(tf.transpose(X), params[0].shape[0], dtype=params[0].dtype)
    probes = tf.zeros((X.shape[1], *state.shape), params[0].dtype)
    with tf.GradientTape() as tape:
        tape.watch([params, probes])
        outputs = rnn(inputs, state, params, links, probes, getattr(tf.nn, activation))
        l = total_loss(outputs, tf.transpose(Y), loss_weights)
    return l, *tape.gradient(l, [params, probes])


def gradients(weights, X, Y, state, links, loss_weights, activation):
    """The loss, the five gradients by name and dl/dH; see `common.bptt.gradients`."""
    given = [tf.constant(each) for each in (state, links, loss_weights)]
    params = [tf.constant(weights[name]) for name in NAMES]
    X, Y = (tf.constant(each, tf.int32) for each in (X, Y))
    l, grads, dH = loss_and_grads(params, X, Y, *given, activation)
    return float(l), {n: g.numpy() for n, g in zip(NAMES, grads, strict=True)}, dH.numpy()
