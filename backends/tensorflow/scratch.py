"""The chapter "Recurrent neural networks from scratch" in TensorFlow, by the book's names.

A minibatch X is (batch_size, num_steps) of indices, in NumPy or as a tensor; inputs are (num_steps,
batch_size, vocab_size); outputs are time-major, (num_steps x batch_size, vocab_size). Parameters
are variables; gradients are values, passed and returned. The training step is compiled by XLA.
"""

from __future__ import annotations

import math
import time
from functools import partial

import tensorflow as tf

from common.by_hand import check_minibatch, checked_prefixes
from common.decoding import greedy
from common.metrics import perplexity


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases, as variables."""

    def normal(shape):
        return tf.random.normal(shape) * 0.01

    # Hidden layer parameters
    W_xh = tf.Variable(normal((vocab_size, num_hiddens)))
    W_hh = tf.Variable(normal((num_hiddens, num_hiddens)))
    b_h = tf.Variable(tf.zeros(num_hiddens))
    # Output layer parameters
    W_hq = tf.Variable(normal((num_hiddens, vocab_size)))
    b_q = tf.Variable(tf.zeros(vocab_size))
    return [W_xh, W_hh, b_h, W_hq, b_q]


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (tf.zeros((batch_size, num_hiddens)),)


def rnn(inputs, state, params, activation=tf.tanh):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in tf.unstack(inputs):
        H = activation(tf.matmul(X, W_xh) + tf.matmul(H, W_hh) + b_h)
        Y = tf.matmul(H, W_hq) + b_q
        outputs.append(Y)
    return tf.concat(outputs, axis=0), (H,)


class RNNModelScratch:
    """The parameters and the functions that use them."""

    def __init__(self, vocab_size, num_hiddens, get_params, init_state, forward):
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.params = get_params(vocab_size, num_hiddens)
        self.init_state, self.forward_fn = init_state, forward

    def __call__(self, X, state):
        """The outputs and the new state for indices X, once it is seen that they fit."""
        check_minibatch(self, X, state)
        return self.forward(X, state)

    def forward(self, X, state):
        """The outputs and the new state for indices X."""
        W_xh = self.params[0]
        X = tf.cast(tf.transpose(X), tf.int32)
        inputs = tf.one_hot(X, self.vocab_size, dtype=W_xh.dtype)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        W_xh, state = self.params[0], self.init_state(batch_size, self.num_hiddens)
        return tuple(tf.cast(H, W_xh.dtype) for H in state)


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    vocab.check_prefix(prefix)
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    for y in prefix[1:]:  # Warm the state up with the prefix
        _, state = model(tf.constant([outputs[-1:]]), state)
        outputs.append(vocab[y])
    for _ in range(num_predicts):
        Y, state = model(tf.constant([outputs[-1:]]), state)
        outputs.append(choose(Y[0].numpy()))
    return vocab.join(outputs)


def grad_clipping(grads, theta):
    """The gradients, scaled together so that their norm is at most theta."""
    norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
    scale = tf.where(norm > theta, theta / norm, tf.ones_like(norm))
    return [grad * scale for grad in grads]


def sgd(params, grads, lr, batch_size):
    """Minibatch stochastic gradient descent, in place."""
    for param, grad in zip(params, grads, strict=True):
        param.assign_sub(lr * grad / batch_size)


def sgd_updater(model, lr):
    """The updater of `train_rnn`: `sgd` with a learning rate."""
    return partial(sgd, lr=lr)


def cross_entropy(y_hat, y):
    """The cross-entropy (N,) of logits (N, V) against labels (N,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=y_hat)


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping, and the new state."""
    y = tf.cast(tf.reshape(tf.transpose(Y), [-1]), tf.int32)
    with tf.GradientTape() as tape:
        y_hat, state = model(X, state)
        l = tf.reduce_mean(loss(y_hat, y))
    return l, tape.gradient(l, model.params), state


def detach(state):
    """The state as values alone: the tape that saw how it came about is closed."""
    return state


@tf.function(jit_compile=True)
def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        grads = grad_clipping(grads, theta)
    updater(model.params, grads, batch_size=1)  # the loss is a mean already
    return l, state


def train_epoch_rnn(model, train_iter, loss, updater, use_random_iter, theta=1):
    """Train one epoch; the perplexity and the tokens a second.

    A batch drawn at random begins a new state; one that goes on where the last ended carries its
    state on, detached.
    """
    start, state, losses = time.perf_counter(), None, []
    for X, Y in train_iter:
        if state is None or use_random_iter:
            state = model.begin_state(batch_size=len(X))
        else:
            state = detach(state)
        check_minibatch(model, X, state, Y)
        l, state = train_step(model, X, Y, state, loss, updater, theta)
        losses.append((l, math.prod(Y.shape)))  # reading l here would wait for the device
    tokens = sum(n for _, n in losses)
    loss_sum = sum(float(l) * n for l, n in losses)
    return perplexity(loss_sum, tokens), tokens / (time.perf_counter() - start)


def train_rnn(
    model, train_iter, vocab, lr, num_epochs, use_random_iter=False, theta=1, prefixes=None
):
    """Train and show the progress; the last perplexity and tokens a second.

    The progress is how each of the prefixes goes on; where none is given, the text's own beginning.
    """
    prefixes = checked_prefixes(prefixes, model, train_iter, vocab)
    updater = sgd_updater(model, lr)
    ppl = speed = math.nan
    for epoch in range(num_epochs):
        ppl, speed = train_epoch_rnn(
            model, train_iter, cross_entropy, updater, use_random_iter, theta
        )
        if (epoch + 1) % 10 == 0:
            text = predict_rnn(prefixes[0], 50, model, vocab)
            print(f"epoch {epoch + 1}, perplexity {ppl:.2f}: {text}")
    print(f"perplexity {ppl:.2f}, {speed:,.0f} tokens/s")
    for prefix in prefixes:
        print(predict_rnn(prefix, 50, model, vocab))
    return ppl, speed
