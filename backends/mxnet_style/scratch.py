"""The chapter "Recurrent neural networks from scratch" in MXNet's `nd`, by the book's names.

A minibatch X is (batch_size, num_steps) of indices, in NumPy or as an array; inputs are num_steps
arrays (batch_size, vocab_size); outputs are time-major, (num_steps x batch_size, vocab_size).
Gradients live in ``param.grad``, and computations are remembered only while they are recorded.
"""

from __future__ import annotations

import math
import time
from functools import partial

from backends.mxnet_style.engine import autograd, gluon, nd
from common.by_hand import check_minibatch, checked_prefixes
from common.decoding import greedy
from common.metrics import perplexity


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases, with gradients attached."""

    def normal(shape):
        return nd.random.normal(shape=shape) * 0.01

    # Hidden layer parameters
    W_xh = normal((vocab_size, num_hiddens))
    W_hh = normal((num_hiddens, num_hiddens))
    b_h = nd.zeros(num_hiddens)
    # Output layer parameters
    W_hq = normal((num_hiddens, vocab_size))
    b_q = nd.zeros(vocab_size)
    # Attach a gradient
    params = [W_xh, W_hh, b_h, W_hq, b_q]
    for param in params:
        param.attach_grad()
    return params


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (nd.zeros((batch_size, num_hiddens)),)


def to_onehot(X, size, dtype="float32"):
    """Indices (batch_size, num_steps) as num_steps one-hot arrays (batch_size, size)."""
    return [nd.one_hot(x, size, dtype=dtype) for x in X.T]


def rnn(inputs, state, params, activation=nd.tanh):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = activation(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        Y = nd.dot(H, W_hq) + b_q
        outputs.append(Y)
    return nd.concat(*outputs, dim=0), (H,)


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
        X = nd.array(X, ctx=W_xh.context)
        inputs = to_onehot(X, self.vocab_size, W_xh.dtype)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        W_xh, state = self.params[0], self.init_state(batch_size, self.num_hiddens)
        return tuple(H.as_in_context(W_xh.context).astype(W_xh.dtype) for H in state)


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    vocab.check_prefix(prefix)
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    for y in prefix[1:]:  # Warm the state up with the prefix
        _, state = model(nd.array([outputs[-1:]]), state)
        outputs.append(vocab[y])
    for _ in range(num_predicts):
        Y, state = model(nd.array([outputs[-1:]]), state)
        outputs.append(choose(Y[0].asnumpy()))
    return vocab.join(outputs)


def grad_clipping(model, theta):
    """Scale all gradients together so that their norm is at most theta."""
    norm = sum((param.grad**2).sum() for param in model.params).sqrt().asscalar()
    if norm > theta:
        for param in model.params:
            param.grad[:] *= theta / norm


def sgd(params, lr, batch_size):
    """Minibatch stochastic gradient descent, in place."""
    for param in params:
        param[:] = param - lr * param.grad / batch_size


def sgd_updater(model, lr):
    """The updater of `train_rnn`: `sgd` with a learning rate."""
    return partial(sgd, model.params, lr)


cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping (also in ``param.grad``), and the new state."""
    y = nd.array(Y, ctx=model.params[0].context).T.reshape((-1,))
    with autograd.record():
        y_hat, state = model(X, state)
        l = loss(y_hat, y).mean()
    l.backward()
    return l, [param.grad for param in model.params], state


def detach(state):
    """The state as values alone: no gradient flows back into what led to it."""
    return tuple(H.detach() for H in state)


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update."""
    l, _, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        grad_clipping(model, theta)
    updater(batch_size=1)  # the loss is a mean already
    return l.asscalar(), state


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
