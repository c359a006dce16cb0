"""The chapter "Recurrent neural networks from scratch" in PyTorch, eager, by the book's names.

Written after seed 000, the functional chapter. A minibatch X is (batch_size, num_steps) of indices,
in NumPy or as a tensor; inputs are (num_steps, batch_size, vocab_size); outputs are time-major,
(num_steps x batch_size, vocab_size). Gradients live in ``param.grad``.
"""

from __future__ import annotations

import time
from functools import partial

import torch
from torch.nn import functional as F

from common.by_hand import check_fit, prefixes_to_continue
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
    """The state before the first token: a tuple of one tensor of zeros."""
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
        """The outputs and the new state for indices X."""
        check_fit(X, state, self.vocab_size)
        return self.forward(X, state)

    def forward(self, X, state):
        """The same for the training step, unchecked."""
        X = torch.as_tensor(X, device=self.params[0].device).T.long()
        inputs = F.one_hot(X, self.vocab_size).to(self.params[0].dtype)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size):
        """The state before the first token, on the device and of the type of the parameters."""
        return tuple(H.to(self.params[0]) for H in self.init_state(batch_size, self.num_hiddens))


def predict_rnn(prefix, num_predicts, model, vocab, choose=greedy):
    """The prefix and num_predicts tokens after it: the most likely, or as `choose` chooses."""
    prefix = vocab.split(prefix)
    state = model.begin_state(batch_size=1)
    outputs = [vocab[prefix[0]]]
    with torch.no_grad():
        for y in prefix[1:]:  # Warm the state up with the prefix
            _, state = model([outputs[-1:]], state)
            outputs.append(vocab[y])
        for _ in range(num_predicts):
            Y, state = model([outputs[-1:]], state)
            outputs.append(choose(Y[0].cpu().numpy()))
    return vocab.join(outputs)


def grad_clipping(model, theta):
    """Scale all gradients together so that their norm is at most theta."""
    norm = torch.sqrt(sum(torch.sum(param.grad**2) for param in model.params))
    if norm > theta:
        for param in model.params:
            param.grad[:] *= theta / norm


def sgd(params, lr, batch_size):
    """Minibatch stochastic gradient descent, in place."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients before clipping (also in ``param.grad``), the detached state."""
    for param in model.params:
        param.grad = None
    y = torch.as_tensor(Y, device=model.params[0].device).T.reshape(-1).long()
    y_hat, state = model.forward(X, state)
    l = loss(y_hat, y).mean()
    l.backward()
    return l.detach(), [param.grad for param in model.params], tuple(H.detach() for H in state)


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
    loss = torch.nn.CrossEntropyLoss()
    updater = partial(sgd, model.params, lr)
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
