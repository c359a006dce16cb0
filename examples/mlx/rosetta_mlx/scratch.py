"""The chapter "Recurrent neural networks from scratch" in MLX, by the book's names.

Functions are pure, as in JAX, and nothing is computed before somebody asks for it: `mx.eval`.
"""

import mlx.core as mx
import numpy as np

from common.decoding import greedy


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases."""

    def normal(*shape):
        return mx.random.normal(shape) * 0.01

    hidden = normal(vocab_size, num_hiddens), normal(num_hiddens, num_hiddens)
    return [*hidden, mx.zeros(num_hiddens), normal(num_hiddens, vocab_size), mx.zeros(vocab_size)]


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (mx.zeros((batch_size, num_hiddens)),)


def relu(A):
    """A where it is positive, else 0."""
    return mx.maximum(A, 0)


def rnn(inputs, state, params, activation=mx.tanh):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = activation(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return mx.concatenate(outputs), (H,)


def indices(X):
    """Indices of any type of integers, time-major, as MLX takes them."""
    return mx.array(np.asarray(X).T.astype(np.int32))


def one_hot(X, params):
    """One-hot rows (num_steps, batch_size, vocab_size) of indices X (batch_size, num_steps)."""
    return mx.eye(params[-1].size)[indices(X)]


def cross_entropy(y_hat, y):
    """The cross-entropy of every row of logits with its label."""
    return mx.logsumexp(y_hat, axis=1) - mx.take_along_axis(y_hat, y[:, None], axis=1)[:, 0]


def mean(losses, shape):
    """The mean, over steps and then over the batch: of many numbers, a sum of MLX is far off."""
    return losses.reshape(shape).mean(axis=0).mean()


def loss_and_grads(params, X, Y, state, activation=mx.tanh):
    """The mean loss, the gradients before clipping, and the new state."""
    inputs, y = one_hot(X, params), indices(Y)

    def objective(params):
        y_hat, state_after = rnn(inputs, state, params, activation)
        return mean(cross_entropy(y_hat, y.reshape(-1)), y.shape), state_after

    (l, state), grads = mx.value_and_grad(objective)(params)
    return l, grads, state


def grad_clipping(grads, theta):
    """Scale all gradients together so that their norm is at most theta."""
    norm = mx.sqrt(sum((grad**2).sum(axis=0).sum() for grad in grads))
    scale = mx.minimum(theta / norm, 1)
    return [grad * scale for grad in grads]


def sgd(params, grads, lr):
    """Stochastic gradient descent: new parameters."""
    return [param - lr * grad for param, grad in zip(params, grads, strict=True)]


def predict_rnn(prefix, num_preds, params, vocab, activation=mx.tanh, choose=greedy):
    """The prefix and num_preds tokens after it."""
    outputs = vocab[vocab.split(prefix)]
    X, state = [outputs], init_rnn_state(1, params[1].shape[0])
    for _ in range(num_preds):
        Y, state = rnn(one_hot(X, params), state, params, activation)
        outputs.append(choose(np.array(Y[-1])))
        X = [outputs[-1:]]
    return vocab.join(outputs)
