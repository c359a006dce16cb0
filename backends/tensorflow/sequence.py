"""The section "Working with sequences" in TensorFlow, by the book's names.

It follows section 9.1 of the book: linear regression and, beside it, the chapter's `rnn` on real
numbers. X is a minibatch of windows (batch, steps); outputs are (values, 1), time-major for the
RNN, which gives one for every input. Parameters are variables; gradients are values, passed and
returned. The training step is a graph.
"""

from __future__ import annotations

import tensorflow as tf

from backends.tensorflow.scratch import grad_clipping, init_rnn_state, rnn, sgd
from common.sequence import CLIP_THETA


def get_params(weights, dtype):
    """The parameters, copies of NumPy weights, as variables."""
    return [tf.Variable(weight, dtype=dtype) for weight in weights.values()]


def linreg(X, params):
    """The value after each window, as a weighted sum of it: (batch, 1)."""
    W, b = params
    return tf.matmul(X, W) + b


def rnn_series(X, state, params):
    """The value after each input, and the new state: `rnn` with inputs and outputs of width 1."""
    inputs = tf.transpose(X)[:, :, tf.newaxis]  # (steps, batch, 1)
    return rnn(inputs, state, params)


def begin_state(X, params):
    """The state before the windows X: zeros, of their type."""
    (H,) = init_rnn_state(X.shape[0], params[1].shape[0])
    return (tf.cast(H, X.dtype),)


def rnn_windows(X, params):
    """The value after each input of windows that begin with a state of zeros."""
    Y, _ = rnn_series(X, begin_state(X, params), params)
    return Y


def squared_loss(y_hat, y):
    """The squared error of each value."""
    return (y_hat - y) ** 2


@tf.function
def train_step(model, X, y):
    """Forward, backward, clip (not where theta is 0), update: the mean loss before it."""
    with tf.GradientTape() as tape:
        l = tf.reduce_mean(squared_loss(model.forward(X, model.params), y))
    grads = tape.gradient(l, model.params)
    if model.theta:
        grads = grad_clipping(grads, model.theta)
    sgd(model.params, grads, model.lr, batch_size=1)  # the loss is a mean already
    return l


def predict_linreg(X, params, num_preds):
    """The num_preds values after each window, each fed back as the last lag: (n, num_preds)."""
    tau = X.shape[1]
    features = tf.split(X, tau, axis=1)
    for i in range(num_preds):
        features.append(linreg(tf.concat(features[i : i + tau], axis=1), params))
    return tf.concat(features[tau:], axis=1)


def predict_rnn(X, params, num_preds):
    """The num_preds values after each window, each fed back as the next input: (n, num_preds)."""
    Y, state = rnn_series(X, begin_state(X, params), params)
    preds = [Y[-X.shape[0] :]]
    for _ in range(num_preds - 1):
        Y, state = rnn_series(preds[-1], state, params)
        preds.append(Y)
    return tf.concat(preds, axis=1)


MODELS = {"linreg": (linreg, predict_linreg), "rnn": (rnn_windows, predict_rnn)}


class Model:
    """Model of the section behind `common.sequence.Regressor`, which says what each does."""

    def __init__(self, settings, name, weights):
        self.names, self.dtype = tuple(weights), settings.dtype
        self.params = get_params(weights, settings.dtype)
        self.forward, self.predict_fn = MODELS[name]
        self.lr, self.theta = settings.lr, CLIP_THETA[name]

    def train_step(self, X, Y):
        y = tf.constant(Y.T.reshape(-1, 1), self.dtype)
        return train_step(self, tf.constant(X, self.dtype), y)

    def predict(self, X, num_preds):
        return self.predict_fn(tf.constant(X, self.dtype), self.params, num_preds).numpy()

    def weights(self):
        return {n: p.numpy() for n, p in zip(self.names, self.params, strict=True)}
