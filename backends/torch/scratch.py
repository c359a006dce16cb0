"""The chapter "Recurrent neural networks from scratch" in PyTorch, by the book's names.

A minibatch X is (batch_size, num_steps) of indices, in NumPy or as a tensor; inputs are (num_steps,
batch_size, vocab_size); outputs are time-major, (num_steps x batch_size, vocab_size). Gradients
live in ``param.grad``, and computations are remembered until they are detached.
"""

from __future__ import annotations

import math
import time
from functools import partial

import torch
from torch.nn import functional as F

from common.by_hand import check_minibatch, checked_prefixes
from common.decoding import greedy
from common.metrics import perplexity


def get_params(vocab_size, num_hiddens):
    """Draw the five parameters, N(0, 0.01²) and zero biases, with gradients attached."""

    def normal(shape):
        return torch.randn(size=shape) * 0.01

    # Hidden layer parameters
    W_xh = normal((vocab_size, num_hiddens))
    W_hh = normal((num_hiddens, num_hiddens))
    b_h = torch.zeros(num_hiddens)
    # Output layer parameters
    W_hq = normal((num_hiddens, vocab_size))
    b_q = torch.zeros(vocab_size)
    # Attach a gradient
    params = [W_xh, W_hh, b_h, W_hq, b_q]
    for param in params:
        param.requires_grad_(True)
    return params


def init_rnn_state(batch_size, num_hiddens):
    """The state before the first token: a tuple of zeros (batch_size, num_hiddens)."""
    return (torch.zeros((batch_size, num_hiddens)),)


def rnn(inputs, state, params, activation=torch.tanh):
    """H_t = act(X_t W_xh + H_{t-1} W_hh + b_h), O_t = H_t W_hq + b_q, step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,) = state
    outputs = []
    for X in inputs:
        H = activation(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
        Y = torch.mm(H, W_hq) + b_q
        outputs.append(Y)
    return torch.cat(outputs, dim=0), (H,)


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
        X = torch.as_tensor(X, device=W_xh.device).T.long()
        inputs = F.one_hot(X, self.vocab_size).to(W_xh.dtype)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        W_xh, state = self.params[0], self.init_state(batch_size, self.num_hiddens)
        return tuple(H.to(W_xh) for H in state)


@torch.no_grad()
def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    vocab.check_prefix(prefix)
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    for y in prefix[1:]:  # Warm the state up with the prefix
        _, state = model(torch.tensor([outputs[-1:]]), state)
        outputs.append(vocab[y])
    for _ in range(num_predicts):
        Y, state = model(torch.tensor([outputs[-1:]]), state)
        outputs.append(choose(Y[0].cpu().numpy()))
    return vocab.join(outputs)


def grad_clipping(model, theta):
    """Scale all gradients together so that their norm is at most theta."""
    norm = sum((param.grad**2).sum() for param in model.params).sqrt()
    if norm > theta:
        for param in model.params:
            param.grad[:] *= theta / norm


def sgd(params, lr, batch_size):
    """Minibatch stochastic gradient descent, in place."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size


def sgd_updater(model, lr):
    """The updater of `train_rnn`: `sgd` with a learning rate."""
    return partial(sgd, model.params, lr)


cross_entropy = torch.nn.CrossEntropyLoss()


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping (also in ``param.grad``), and the new state."""
    for param in model.params:
        param.grad = None
    y = torch.as_tensor(Y, device=model.params[0].device).T.reshape(-1).long()
    y_hat, state = model(X, state)
    l = loss(y_hat, y).mean()
    l.backward()
    return l.detach(), [param.grad for param in model.params], state


def detach(state):
    """The state as values alone: no gradient flows back into what led to it."""
    return tuple(H.detach() for H in state)


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward, clip (not where theta is 0), update."""
    l, _, state = loss_and_grads(model, X, Y, state, loss)
    if theta:
        grad_clipping(model, theta)
    if isinstance(updater, torch.optim.Optimizer):
        updater.step()
    else:
        updater(batch_size=1)  # the loss is a mean already
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
