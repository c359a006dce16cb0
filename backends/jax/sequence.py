"""The section "Working with sequences" in JAX, compiled, by the book's names.

It follows section 9.1 of the book: linear regression and, beside it, the chapter's `rnn` on real
numbers. X is a minibatch of windows (batch, steps); outputs are (values, 1), time-major for the
RNN, which gives one for every input. Gradients are values, passed and returned.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from backends.jax.scratch import grad_clipping, init_rnn_state, rnn, sgd
from common.sequence import CLIP_THETA


def get_params(weights, dtype):
    """The parameters, copies of NumPy weights."""
    return [jnp.array(weight, dtype) for weight in weights.values()]


def linreg(X, params):
    """The value after each window, as a weighted sum of it: (batch, 1)."""
    W, b = params
    return X @ W + b


def rnn_series(X, state, params):
    """The value after each input, and the new state: `rnn` with inputs and outputs of width 1."""
    inputs = X.T[:, :, None]  # (steps, batch, 1)
    return rnn(inputs, state, params)


def begin_state(X, params):
    """The state before the windows X: zeros, of their type."""
    (H,) = init_rnn_state(X.shape[0], params[1].shape[0])
    return (H.astype(X.dtype),)


def rnn_windows(X, params):
    """The value after each input of windows that begin with a state of zeros."""
    Y, _ = rnn_series(X, begin_state(X, params), params)
    return Y


def squared_loss(y_hat, y):
    """The squared error of each value."""
    return (y_hat - y) ** 2


@partial(jax.jit, static_argnames=("forward", "theta"))
def train_step(params, X, y, forward, lr, theta):
    """Forward, backward, clip (not where theta is 0), update: the mean loss before it, and they."""

    def objective(params):
        return squared_loss(forward(X, params), y).mean()

    l, grads = jax.value_and_grad(objective)(params)
    if theta:
        grads = grad_clipping(grads, theta)
    return l, sgd(params, grads, lr, batch_size=1)  # the loss is a mean already


@partial(jax.jit, static_argnames="num_preds")
def predict_linreg(X, params, num_preds):
    """The num_preds values after each window, each fed back as the last lag: (n, num_preds)."""

    def step(X, _):
        y = linreg(X, params)
        return jnp.concatenate([X[:, 1:], y], axis=1), y[:, 0]

    _, preds = jax.lax.scan(step, X, length=num_preds)
    return preds.T


@partial(jax.jit, static_argnames="num_preds")
def predict_rnn(X, params, num_preds):
    """The num_preds values after each window, each fed back as the next input: (n, num_preds)."""

    def step(carry, _):
        y, state = carry
        return rnn_series(y, state, params), y[:, 0]

    Y, state = rnn_series(X, begin_state(X, params), params)
    _, preds = jax.lax.scan(step, (Y[-X.shape[0] :], state), length=num_preds)
    return preds.T


MODELS = {"linreg": (linreg, predict_linreg), "rnn": (rnn_windows, predict_rnn)}


class Model:
    """Model of the section behind `common.sequence.Regressor`, which says what each does."""

    def __init__(self, settings, name, weights):
        if settings.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.names, self.dtype = tuple(weights), settings.dtype
        self.params = get_params(weights, settings.dtype)
        self.forward, self.predict_fn = MODELS[name]
        self.lr, self.theta = settings.lr, CLIP_THETA[name]

    def train_step(self, X, Y):
        X, y = X.astype(self.dtype), Y.T.reshape(-1, 1).astype(self.dtype)
        l, self.params = train_step(self.params, X, y, self.forward, self.lr, self.theta)
        return l

    def predict(self, X, num_preds):
        return np.array(self.predict_fn(X.astype(self.dtype), self.params, num_preds))

    def weights(self):
        return {n: np.array(p) for n, p in zip(self.names, self.params, strict=True)}
