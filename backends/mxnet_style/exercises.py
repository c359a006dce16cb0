"""The exercises of the chapter in MXNet's `nd`: an embedding, further layers, a graph that is kept.

Inputs, outputs and all that is not here are as in ``scratch.py``; parameters are in the order of
`common.weights.shapes`. The step that keeps the graph is explained in `common.kept_graph`.
"""

from __future__ import annotations

from copy import copy

from backends.mxnet_style import scratch
from backends.mxnet_style.engine import autograd, nd
from common.kept_graph import KeptState, pullbacks_behind, through_all
from common.weights import by_layer


def init_rnn_state(batch_size, num_hiddens, num_layers):
    """The state before the first token: an array of zeros a layer."""
    return scratch.init_rnn_state(batch_size, num_hiddens) * num_layers


def rnn(inputs, state, params, activation=nd.tanh):
    """The chapter's recurrence in each layer, on the hidden states of the one below."""
    W_emb, layers, (W_hq, b_q) = by_layer(params)
    if W_emb is not None:
        inputs = [nd.dot(X, W_emb) for X in inputs]  # one row of W_emb a token
    new_state = []
    for H, (W_xh, W_hh, b_h) in zip(state, layers, strict=True):
        hiddens = []
        for X in inputs:
            H = activation(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
            hiddens.append(H)
        inputs = hiddens
        new_state.append(H)
    return nd.dot(nd.concat(*inputs, dim=0), W_hq) + b_q, tuple(new_state)


def zeros_like(array):
    """Zeros of an array's shape, where and of the type it is."""
    return nd.zeros(array.shape, ctx=array.context, dtype=array.dtype)


def window(model, X, Y, state, loss):
    """The mean loss, the last state and the pullback of a window.

    Its parameters and its first state are variables of its own: what is updated later, it has not
    met.
    """
    model = copy(model)
    model.params = [param.copy() for param in model.params]
    first = tuple(H.copy() for H in state)
    for leaf in (*model.params, *first):
        leaf.attach_grad()
    y = nd.array(Y, ctx=first[0].context).T.reshape((-1,))
    with autograd.record():
        y_hat, last = model(X, first)
        l = loss(y_hat, y).mean()

    def pullback(dl, dH, grads):
        autograd.backward([l, *last], [zeros_like(l) + dl, *dH], retain_graph=True)
        here = [param.grad for param in model.params]
        return [total + grad for total, grad in zip(grads, here, strict=True)], tuple(
            H.grad for H in first
        )

    return l, tuple(H.detach() for H in last), pullback


def loss_and_grads(model, X, Y, state, loss):
    """The mean loss, the gradients through all windows before clipping, the state."""
    l, last, pullback = window(model, X, Y, state, loss)
    pullbacks = (*pullbacks_behind(state), pullback)
    dH = tuple(map(zeros_like, last))
    grads = through_all(pullbacks, dH, list(map(zeros_like, model.params)))
    return l, grads, KeptState(last, pullbacks)


def detach(state):
    """The state with its pullbacks: it is the kept graph."""
    return state


def train_step(model, X, Y, state, loss, updater, theta):
    """Forward, backward through all windows, clip (not where theta is 0), update."""
    l, grads, state = loss_and_grads(model, X, Y, state, loss)
    for param, grad in zip(model.params, grads, strict=True):
        param.grad[:] = grad
    if theta:
        scratch.grad_clipping(model, theta)
    updater(batch_size=1)  # the loss is a mean already
    return l.asscalar(), state
