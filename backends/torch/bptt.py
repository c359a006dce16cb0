"""Section 9.7, backpropagation through time, in PyTorch; `common.bptt` derives it by hand."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from common.weights import NAMES


def link(H, factor):
    """H, through which a gradient is multiplied by the factor."""
    return H.detach() + factor * (H - H.detach())


def rnn(inputs, H, params, links, probes, activation):
    """The outputs of every step; a probe is zero, and its gradient is that of its hidden state."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X, factor, probe in zip(inputs, links, probes, strict=True):
        H = activation(torch.mm(X, W_xh) + torch.mm(link(H, factor), W_hh) + b_h) + probe
        outputs.append(torch.mm(H, W_hq) + b_q)
    return outputs


def total_loss(outputs, labels, loss_weights):
    """The sum of the steps' mean cross-entropies, each times its weight."""
    losses = map(F.cross_entropy, outputs, labels)
    return sum(weight * l for weight, l in zip(loss_weights, losses, strict=True))


def gradients(weights, X, Y, state, links, loss_weights, activation):
    """The loss, the five gradients by name and dl/dH; see `common.bptt.gradients`."""
    params = [torch.tensor(weights[name], requires_grad=True) for name in NAMES]
    probes = torch.zeros((X.shape[1], *state.shape), dtype=params[0].dtype, requires_grad=True)
    inputs = F.one_hot(torch.tensor(X.T).long(), len(params[0])).to(params[0].dtype)
    activation = getattr(torch, activation)
    outputs = rnn(inputs, torch.tensor(state), params, links.tolist(), probes, activation)
    l = total_loss(outputs, torch.tensor(Y.T).long(), loss_weights.tolist())
    *grads, dH = torch.autograd.grad(l, [*params, probes])
    return l.item(), {n: g.numpy() for n, g in zip(NAMES, grads, strict=True)}, dH.numpy()
