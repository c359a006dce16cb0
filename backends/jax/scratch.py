"""The chapter "Recurrent neural networks from scratch" in JAX, compiled, by the book's names.

Written after seed 000, with the Flax NNX modules that seed 002 begins. A minibatch X is
(batch_size, num_steps) of indices; inputs are (num_steps, batch_size, vocab_size); outputs are
time-major, (num_steps x batch_size, vocab_size). Gradients are values, passed and returned.
"""

from __future__ import annotations

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from common.by_hand import check_fit, prefixes_to_continue
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
    """The state before the first token: a tuple of one array of zeros."""
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


class RNNScratch(nnx.Module):
    """The recurrent layer of seed 002, he_normal."""

    def __init__(self, num_inputs: int, num_hiddens: int, rngs: nnx.Rngs):
        he_normal, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        self.W_xh = nnx.Param(he_normal(rngs(), (num_inputs, num_hiddens)))
        self.W_hh = nnx.Param(he_normal(rngs(), (num_hiddens, num_hiddens)))
        self.b_h = nnx.Param(zeros(rngs(), (num_hiddens,)))
        self.num_hiddens = num_hiddens

    def __call__(self, inputs, state=None):
        """The hidden states as a list, and the last of them."""
        if state is None:
            state = init_rnn_state(inputs.shape[1], self.num_hiddens)
        params = [self.W_xh[...], self.W_hh[...], self.b_h[...]]
        state, outputs = hidden_states(inputs, state[0], params, jnp.tanh)
        return list(outputs), state


@partial(jax.jit, static_argnames="forward_fn")
def apply(params, X, state, forward_fn):
    """The outputs and the new state for indices X."""
    W_xh = params[0]
    inputs = jax.nn.one_hot(X.T, W_xh.shape[0], dtype=W_xh.dtype)
    return forward_fn(inputs, state, params)


class RNNLMScratch(nnx.Module):
    """The language model of seed 002, completed: tanh, he_normal."""

    init_state, forward_fn = staticmethod(init_rnn_state), staticmethod(rnn)

    def __init__(self, rnn: RNNScratch, vocab_size: int, rngs: nnx.Rngs):
        he_normal, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        self.rnn, self.vocab_size = rnn, vocab_size
        self.W_hq = nnx.Param(he_normal(rngs(), (rnn.num_hiddens, vocab_size)))
        self.b_q = nnx.Param(zeros(rngs(), (vocab_size,)))

    @property
    def params(self):
        """The five parameters, in the book's order, as values."""
        return [param.get_value() for param in self._params()]

    def set_params(self, values):
        """Replace the values of the five parameters."""
        for param, value in zip(self._params(), values, strict=True):
            param.set_value(value)

    def _params(self):
        return self.rnn.W_xh, self.rnn.W_hh, self.rnn.b_h, self.W_hq, self.b_q

    def __call__(self, X, state=None):
        """The outputs and the new state for indices X."""
        state = self.begin_state(len(X)) if state is None else state
        check_fit(X, state, self.vocab_size)
        return apply(self.params, jnp.asarray(X), state, self.forward_fn)

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        b_q = self.b_q.get_value()
        state = self.init_state(batch_size, self.rnn.num_hiddens)
        return jax.device_put(tuple(H.astype(b_q.dtype) for H in state), b_q.sharding)


class RNNModelScratch(RNNLMScratch):
    """The same module by the functional chapter's surface: parameters and functions are given."""

    def __init__(self, vocab_size, num_hiddens, get_params, init_state, forward):
        rngs = nnx.Rngs(0)
        super().__init__(RNNScratch(vocab_size, num_hiddens, rngs), vocab_size, rngs)
        self.set_params(get_params(vocab_size, num_hiddens))
        self.init_state, self.forward_fn = init_state, forward


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    for y in prefix[1:]:  # Warm the state up with the prefix
        _, state = model([outputs[-1:]], state)
        outputs.append(vocab[y])
    for _ in range(num_predicts):
        Y, state = model([outputs[-1:]], state)
        outputs.append(choose(np.asarray(Y)[0]))
    return vocab.join(outputs)


def grad_clipping(grads, theta):
    """The gradients, scaled together so that their norm is at most theta."""
    norm = jnp.sqrt(sum(jnp.sum(grad**2) for grad in grads))
    scale = jnp.where(norm > theta, theta / norm, 1)
    return [grad * scale for grad in grads]


def sgd(params, grads, lr, batch_size):
    """Minibatch stochastic gradient descent: the new parameters."""
    return [param - lr * grad / batch_size for param, grad in zip(params, grads, strict=True)]


@partial(jax.jit, static_argnames=("forward_fn", "loss"))
def loss_and_grads(params, X, Y, state, forward_fn, loss):
    """The mean loss, the gradients before clipping, and the new state."""

    def objective(params):
        y_hat, new_state = apply(params, X, state, forward_fn)
        return loss(y_hat, Y.T.reshape(-1)).mean(), new_state

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(params)
    return l, grads, state


@partial(jax.jit, static_argnames=("forward_fn", "loss", "theta"))
def update(params, X, Y, state, forward_fn, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update: the loss, state and parameters."""
    l, grads, state = loss_and_grads(params, X, Y, state, forward_fn, loss)
    if theta:
        grads = grad_clipping(grads, theta)
    return l, state, updater(params, grads, batch_size=1)  # the loss is a mean already


def train_step(model, X, Y, state, loss, updater, theta):
    """One `update` of the model."""
    forward_fn = model.forward_fn
    l, state, params = update(model.params, X, Y, state, forward_fn, loss, updater, theta)
    model.set_params(params)
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
    loss = optax.softmax_cross_entropy_with_integer_labels
    updater = jax.tree_util.Partial(sgd, lr=lr)
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
