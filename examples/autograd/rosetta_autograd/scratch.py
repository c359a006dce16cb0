"""The chapter "Recurrent neural networks from scratch" in HIPS autograd, by the book's names.

All is NumPy; a gradient is a function of a function, as in JAX, which autograd came before.
"""

import autograd.numpy as np
from autograd import value_and_grad
from autograd.tracer import getval

from common.decoding import greedy


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases."""

    def normal(*shape):
        return np.random.standard_normal(shape) * 0.01

    hidden = normal(vocab_size, num_hiddens), normal(num_hiddens, num_hiddens)
    return [*hidden, np.zeros(num_hiddens), normal(num_hiddens, vocab_size), np.zeros(vocab_size)]


def init_rnn_state(batch_size, num_hiddens, dtype="float64"):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (np.zeros((batch_size, num_hiddens), dtype),)


def relu(A):
    """A where it is positive, else 0; `np.maximum` would give half of a gradient at 0."""
    return np.where(A > 0, A, 0)


def rnn(inputs, state, params, activation=np.tanh):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = activation(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs), (H,)


def one_hot(X, params):
    """One-hot rows (num_steps, batch_size, vocab_size) of indices X (batch_size, num_steps)."""
    return np.eye(len(params[-1]), dtype=params[-1].dtype)[X.T]


def cross_entropy(y_hat, y):
    """The cross-entropy of every row of logits with its label."""
    shifted = y_hat - np.max(y_hat, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(len(y)), y]


def loss_and_grads(params, X, Y, state, activation=np.tanh):
    """The mean loss, the gradients before clipping, and the new state."""
    inputs, y, values = one_hot(X, params), Y.T.reshape(-1), []

    def objective(params):
        y_hat, (H,) = rnn(inputs, state, params, activation)
        values.append(getval(H))
        return np.mean(cross_entropy(y_hat, y))

    l, grads = value_and_grad(objective)(params)
    return l, grads, tuple(values)


def grad_clipping(grads, theta):
    """Scale all gradients together so that their norm is at most theta."""
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    return [grad * (theta / norm) for grad in grads] if norm > theta else grads


def sgd(params, grads, lr):
    """Stochastic gradient descent: new parameters."""
    return [param - lr * grad for param, grad in zip(params, grads, strict=True)]


def predict_rnn(prefix, num_preds, params, vocab, activation=np.tanh, choose=greedy):
    """The prefix and num_preds tokens after it."""
    outputs = vocab[vocab.split(prefix)]
    X, state = np.array([outputs]), init_rnn_state(1, len(params[1]), params[1].dtype)
    for _ in range(num_preds):
        Y, state = rnn(one_hot(X, params), state, params, activation)
        outputs.append(choose(Y[-1]))
        X = np.array([outputs[-1:]])
    return vocab.join(outputs)
