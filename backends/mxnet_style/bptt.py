"""Section 9.7, backpropagation through time, in MXNet's `nd`; `common.bptt` derives it by hand."""

from __future__ import annotations

import numpy as np

from backends.mxnet_style.engine import autograd, gluon, nd
from backends.mxnet_style.scratch import to_onehot
from common.weights import NAMES


def link(H, factor):
    """H, through which a gradient is multiplied by the factor."""
    return H.detach() + factor * (H - H.detach())


def rnn(inputs, H, params, links, probes, activation):
    """The outputs of every step; a probe is zero, and its gradient is that of its hidden state."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X, factor, probe in zip(inputs, links, probes, strict=True):
        H = activation(nd.dot(X, W_xh) + nd.dot(link(H, factor), W_hh) + b_h) + probe
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs


def total_loss(outputs, labels, loss_weights):
    """The sum of the steps' mean cross-entropies, each times its weight."""
    losses = map(gluon.loss.SoftmaxCrossEntropyLoss(), outputs, labels)
    return sum(weight * l.mean() for weight, l in zip(loss_weights, losses, strict=True))


def gradients(weights, X, Y, state, links, loss_weights, activation):
    """The loss, the five gradients by name and dl/dH; see `common.bptt.gradients`."""
    params = [nd.array(weights[name], dtype="float64") for name in NAMES]
    probes = [nd.zeros(state.shape, dtype="float64") for _ in links]
    for each in [*params, *probes]:
        each.attach_grad()
    inputs = to_onehot(nd.array(X), len(weights["W_xh"]), "float64")
    H = nd.array(state, dtype="float64")
    with autograd.record():
        outputs = rnn(inputs, H, params, links.tolist(), probes, getattr(nd, activation))
        l = total_loss(outputs, nd.array(Y).T, loss_weights.tolist())
    l.backward()
    grads = {name: param.grad.asnumpy() for name, param in zip(NAMES, params, strict=True)}
    return float(l.asscalar()), grads, np.stack([probe.grad.asnumpy() for probe in probes])
