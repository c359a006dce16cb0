"""The section "Working with sequences" in MXNet's `nd`, by the book's names.

It follows section 9.1 of the book: linear regression and, beside it, the chapter's `rnn` on real
numbers. X is a minibatch of windows (batch, steps); outputs are (values, 1), time-major for the
RNN, which gives one for every input. Gradients live in ``param.grad``.
"""

from __future__ import annotations

from backends.mxnet_style.engine import autograd, nd
from backends.mxnet_style.scratch import grad_clipping, init_rnn_state, rnn, sgd
from common.sequence import CLIP_THETA


def get_params(weights, dtype):
    """The parameters, copies of NumPy weights, with gradients attached."""
    params = [nd.array(weight, dtype=dtype) for weight in weights.values()]
    for param in params:
        param.attach_grad()
    return params


def linreg(X, params):
    """The value after each window, as a weighted sum of it: (batch, 1)."""
    W, b = params
    return nd.dot(X, W) + b


def rnn_series(X, state, params):
    """The value after each input, and the new state: `rnn` with inputs and outputs of width 1."""
    inputs = [x.reshape((-1, 1)) for x in X.T]  # steps arrays (batch, 1)
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


def train_step(model, X, y):
    """Forward, backward, clip (not where theta is 0), update: the mean loss before it."""
    with autograd.record():
        l = squared_loss(model.forward(X, model.params), y).mean()
    l.backward()
    if model.theta:
        grad_clipping(model, model.theta)
    sgd(model.params, model.lr, batch_size=1)  # the loss is a mean already
    return l.asscalar()


def predict_linreg(X, params, num_preds):
    """The num_preds values after each window, each fed back as the last lag: (n, num_preds)."""
    tau = X.shape[1]
    features = [X[:, i : i + 1] for i in range(tau)]
    for i in range(num_preds):
        features.append(linreg(nd.concat(*features[i : i + tau], dim=1), params))
    return nd.concat(*features[tau:], dim=1)


def predict_rnn(X, params, num_preds):
    """The num_preds values after each window, each fed back as the next input: (n, num_preds)."""
    Y, state = rnn_series(X, begin_state(X, params), params)
    preds = [Y[-X.shape[0] :]]
    for _ in range(num_preds - 1):
        Y, state = rnn_series(preds[-1], state, params)
        preds.append(Y)
    return nd.concat(*preds, dim=1)


MODELS = {"linreg": (linreg, predict_linreg), "rnn": (rnn_windows, predict_rnn)}


class Model:
    """Model of the section behind `common.sequence.Regressor`, which says what each does."""

    def __init__(self, settings, name, weights):
        self.names, self.dtype = tuple(weights), settings.dtype
        self.params = get_params(weights, settings.dtype)
        self.forward, self.predict_fn = MODELS[name]
        self.lr, self.theta = settings.lr, CLIP_THETA[name]

    def train_step(self, X, Y):
        y = nd.array(Y.T.reshape(-1, 1), dtype=self.dtype)
        return train_step(self, nd.array(X, dtype=self.dtype), y)

    def predict(self, X, num_preds):
        return self.predict_fn(nd.array(X, dtype=self.dtype), self.params, num_preds).asnumpy()

    def weights(self):
        return {n: p.asnumpy() for n, p in zip(self.names, self.params, strict=True)}
