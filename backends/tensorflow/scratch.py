"""The chapter "Recurrent neural networks from scratch" in TensorFlow, by the book's names.

Written after seed 000. A minibatch X is (batch_size, num_steps) of indices; inputs are (num_steps,
batch_size, vocab_size); outputs are time-major, (num_steps x batch_size, vocab_size). Parameters
are variables; gradients are values, passed and returned. The training step is compiled by XLA.
"""

from __future__ import annotations

import time
from functools import partial

import tensorflow as tf

from common.by_hand import check_fit, prefixes_to_continue
from common.decoding import greedy
from common.metrics import perplexity


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases, as variables."""

    def normal(shape):
        return tf.random.normal(shape, stddev=0.01)

    # Hidden layer parameters
    W_xh = tf.Variable(normal((vocab_size, num_hiddens)))
    W_hh = tf.Variable(normal((num_hiddens, num_hiddens)))
    b_h = tf.Variable(tf.zeros(num_hiddens))
    # Output layer parameters
    W_hq = tf.Variable(normal((num_hiddens, vocab_size)))
    b_q = tf.Variable(tf.zeros(vocab_size))
    return [W_xh, W_hh, b_h, W_hq, b_q]


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of one tensor of zeros."""
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
        """The outputs and the new state for indices X."""
        check_fit(X, state, self.vocab_size)
        return self.forward(X, state)

    def forward(self, X, state):
        """The same for the training step, unchecked."""
        X = tf.cast(tf.transpose(X), tf.int32)
        inputs = tf.one_hot(X, self.vocab_size, dtype=self.params[0].dtype)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size):
        """The state before the first token, of the type of the parameters."""
        state = self.init_state(batch_size, self.num_hiddens)
        return tuple(tf.cast(H, self.params[0].dtype) for H in state)


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
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


def cross_entropy(y_hat, y):
    """The cross-entropy (N,) of logits (N, V) against labels (N,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=y_hat)


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping, and the new state."""
    y = tf.cast(tf.reshape(tf.transpose(Y), [-1]), tf.int32)
    with tf.GradientTape() as tape:
        y_hat, state = model.forward(X, state)
        l = tf.reduce_mean(loss(y_hat, y))
    return l, tape.gradient(l, model.params), state


@tf.function(jit_compile=True)
def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        grads = grad_clipping(grads, theta)
    updater(model.params, grads, batch_size=1)  # the loss is a mean already
    return l, state


def train_epoch_rnn(model, train_iter, loss, updater, use_random_iter, theta=1):
    """Train one epoch; the perplexity and the tokens a second."""
    start, state, losses, sizes = time.perf_counter(), None, [], []
    for X, Y in train_iter:
        if state is None or use_random_iter:  # Else the state is carried on, detached
            state = model.begin_state(batch_size=len(X))
        check_fit(X, state, model.vocab_size, Y)
        l, state = train_step(model, X, Y, state, loss, updater, theta)
        losses.append(l)  # As it is: to read it here would be to wait for the device
        sizes.append(len(X) * len(X[0]))
    loss_sum = sum(float(l) * size for l, size in zip(losses, sizes, strict=True))
    return perplexity(loss_sum, sum(sizes)), sum(sizes) / (time.perf_counter() - start)


def train_rnn(
    model, train_iter, vocab, lr, num_epochs, use_random_iter=False, theta=1, prefixes=None
):
    """Train and show the progress; the last perplexity and tokens a second.

    It continues the prefixes, or the beginning of the text.
    """
    loss = cross_entropy
    updater = partial(sgd, lr=lr)
    prefixes = prefixes_to_continue(prefixes, train_iter, vocab)
    predict = partial(predict_rnn, num_predicts=50, model=model, vocab=vocab)
    ppl = speed = float("nan")
    for epoch in range(1, num_epochs + 1):
        ppl, speed = train_epoch_rnn(model, train_iter, loss, updater, use_random_iter, theta)
        if epoch % 10 == 0:
            print(f"epoch {epoch}, perplexity {ppl:.2f}: {predict(prefixes[0])}")
    print(f"perplexity {ppl:.2f}, {speed:,.0f} tokens/s")
    for prefix in prefixes:
        print(predict(prefix))
    return ppl, speed
