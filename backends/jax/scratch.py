"""The chapter "Recurrent neural networks from scratch" in JAX, by the book's names.

A minibatch X is (batch_size, num_steps) of indices, in NumPy or as an array; inputs are (num_steps,
batch_size, vocab_size); outputs are time-major, (num_steps x batch_size, vocab_size). Parameters
and gradients are values, passed and returned. The training step is compiled by XLA. The object
style, which the JAX edition begins in Flax, is in ``d2l.py``.
"""

from __future__ import annotations

import math
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from common.by_hand import check_minibatch, checked_prefixes
from common.decoding import greedy
from common.metrics import perplexity


def get_params(vocab_size, num_hiddens, key=0):
    """Draw the five parameters, N(0, 0.01²) and zero biases."""
    keys = iter(jax.random.split(jax.random.key(key), 3))

    def normal(shape):
        return jax.random.normal(next(keys), shape) * 0.01

    # Hidden layer parameters
    W_xh = normal((vocab_size, num_hiddens))
    W_hh = normal((num_hiddens, num_hiddens))
    b_h = jnp.zeros(num_hiddens)
    # Output layer parameters
    W_hq = normal((num_hiddens, vocab_size))
    b_q = jnp.zeros(vocab_size)
    return [W_xh, W_hh, b_h, W_hq, b_q]


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (jnp.zeros((batch_size, num_hiddens)),)


def hidden_states(inputs, H, params, activation):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h): the last one, and all (num_steps, batch, H)."""
    W_xh, W_hh, b_h = params

    def step(H, X):
        H = activation(X @ W_xh + H @ W_hh + b_h)
        return H, H

    return jax.lax.scan(step, H, inputs, unroll=8)  # as fast as the book's unrolled loop, or faster


def rnn(inputs, state, params, activation=jnp.tanh):
    """The outputs O_t = H_t W_hq + b_q of the whole minibatch, and the new state."""
    *hidden_params, W_hq, b_q = params
    (H,) = state
    H, hiddens = hidden_states(inputs, H, hidden_params, activation)
    Y = hiddens.reshape(-1, hiddens.shape[-1]) @ W_hq + b_q
    return Y, (H,)


@partial(jax.jit, static_argnames="forward_fn")
def apply(params, X, state, forward_fn):
    """The outputs and the new state for indices X, a function of all that it depends on."""
    W_xh = params[0]
    inputs = jax.nn.one_hot(X.T, W_xh.shape[0], dtype=W_xh.dtype)
    return forward_fn(inputs, state, params)


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
        return apply(self.params, jnp.asarray(X), tuple(state), self.forward_fn)

    def set_params(self, params):
        """Take new parameters: nothing changes in place."""
        self.params = params

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        W_xh, state = self.params[0], self.init_state(batch_size, self.num_hiddens)
        return jax.device_put(tuple(H.astype(W_xh.dtype) for H in state), W_xh.sharding)


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    vocab.check_prefix(prefix)
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    for y in prefix[1:]:  # Warm the state up with the prefix
        _, state = model(jnp.array([outputs[-1:]]), state)
        outputs.append(vocab[y])
    for _ in range(num_predicts):
        Y, state = model(jnp.array([outputs[-1:]]), state)
        outputs.append(choose(np.asarray(Y)[0]))
    return vocab.join(outputs)


def grad_clipping(grads, theta):
    """The gradients, scaled together so that their norm is at most theta."""
    norm = jnp.sqrt(sum(jnp.sum(grad**2) for grad in grads))
    scale = jnp.where(norm > theta, theta / norm, jnp.ones_like(norm))
    return [grad * scale for grad in grads]


def sgd(params, grads, lr, batch_size):
    """Minibatch stochastic gradient descent: the new parameters."""
    return [param - lr * grad / batch_size for param, grad in zip(params, grads, strict=True)]


def sgd_updater(model, lr):
    """The updater of `train_rnn`: `sgd` with a learning rate."""
    return jax.tree_util.Partial(sgd, lr=lr)  # a value, too: no other lr compiles anew


cross_entropy = optax.softmax_cross_entropy_with_integer_labels


@partial(jax.jit, static_argnames=("forward_fn", "loss"))
def loss_and_grads(params, X, Y, state, forward_fn, loss):
    """The mean loss, the gradients before clipping, and the new state."""

    def objective(params):
        y_hat, new_state = apply(params, X, state, forward_fn)
        return loss(y_hat, Y.T.reshape(-1)).mean(), new_state

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(params)
    return l, grads, state


def detach(state):
    """The state as values alone: the gradient is that of a function of the parameters."""
    return state


@partial(jax.jit, static_argnames=("forward_fn", "loss", "theta"))
def update(params, X, Y, state, forward_fn, loss, updater, theta):
    """`train_step` as a function of values: the loss, the new state, the new parameters."""
    l, grads, state = loss_and_grads(params, X, Y, state, forward_fn, loss)
    if theta:
        grads = grad_clipping(grads, theta)
    return l, state, updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update."""
    forward_fn = model.forward_fn
    l, state, params = update(model.params, X, Y, state, forward_fn, loss, updater, theta)
    model.set_params(params)
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
