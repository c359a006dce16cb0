"""The exercises of the chapter in PyTorch: an embedding, further layers, a graph that is kept.

Inputs, outputs and all that is not here are as in ``scratch.py``; parameters are in the order of
`common.weights.shapes`. The step that keeps the graph is explained in `common.kept_graph`.
"""

from __future__ import annotations

from copy import copy

import torch

from backends.torch import scratch
from common.kept_graph import KeptState, pullbacks_behind, through_all
from common.weights import by_layer


def init_rnn_state(batch_size, num_hiddens, num_layers):
    """The state before the first token: a tensor of zeros a layer."""
    return scratch.init_rnn_state(batch_size, num_hiddens) * num_layers


def rnn(inputs, state, params, activation=torch.tanh):
    """The chapter's recurrence in each layer, on the hidden states of the one below."""
    W_emb, layers, (W_hq, b_q) = by_layer(params)
    if W_emb is not None:
        inputs = inputs @ W_emb  # one row of W_emb a token
    new_state = []
    for H, (W_xh, W_hh, b_h) in zip(state, layers, strict=True):
        hiddens = []
        for X in inputs:
            H = activation(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
            hiddens.append(H)
        inputs = hiddens
        new_state.append(H)
    return torch.mm(torch.cat(inputs, dim=0), W_hq) + b_q, tuple(new_state)


def window(model, X, Y, state, loss):
    """The mean loss, the last state and the pullback of a window.

    Its parameters and its first state are leaves of its own: what is updated later, it has not met.
    """
    model = copy(model)
    model.params = [param.detach().clone().requires_grad_() for param in model.params]
    first = tuple(H.detach().requires_grad_() for H in state)
    y = torch.as_tensor(Y, device=first[0].device).T.reshape(-1).long()
    y_hat, last = model(X, first)
    l = loss(y_hat, y).mean()

    def pullback(dl, dH, grads):
        found = torch.autograd.grad(
            [l, *last], [*model.params, *first], [torch.full_like(l, dl), *dH], retain_graph=True
        )
        here, before = found[: len(grads)], found[len(grads) :]
        return [total + grad for total, grad in zip(grads, here, strict=True)], before

    return l.detach(), tuple(H.detach() for H in last), pullback


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients through all windows before clipping, the state."""
    l, last, pullback = window(model, X, Y, state, loss)
    pullbacks = (*pullbacks_behind(state), pullback)
    dH = tuple(torch.zeros_like(H) for H in last)
    grads = through_all(pullbacks, dH, [torch.zeros_like(param) for param in model.params])
    return l, grads, KeptState(last, pullbacks)


def detach(state):
    """The state with its pullbacks: it is the kept graph."""
    return state


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward through all windows, clip (not where theta is 0), update."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    for param, grad in zip(model.params, grads, strict=True):
        param.grad = grad
    if theta:
        scratch.grad_clipping(model, theta)
    updater(batch_size=1)  # the loss is a mean already
    return l, state
