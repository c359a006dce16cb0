"""Checks of the functional chapter's blanks, for who fills them in with PyTorch."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from backends.torch import scratch
from common.blanks import Checker, Framework


def tensor(values):
    """A tensor of whole numbers, or of float32."""
    kind = torch.long if values.dtype.kind in "iu" else torch.float32
    return torch.tensor(values, dtype=kind)


def parameters(values):
    """Trainable tensors."""
    return [tensor(each).requires_grad_() for each in values]


def clip(grad_clipping, grads, theta):
    """The gradients after a student's `grad_clipping(model, theta)`."""
    params = parameters(grads)
    for param in params:
        param.grad = param.detach().clone()
    grad_clipping(SimpleNamespace(params=params), theta)
    return [param.grad.numpy() for param in params]


check = Checker(
    Framework(
        tensor=tensor,
        parameters=parameters,
        trainable=lambda param: param.requires_grad,
        clip=clip,
        model=scratch.RNNModelScratch,
        forward=scratch.rnn,
        state=scratch.init_rnn_state,
        loss=scratch.cross_entropy,
        updater=scratch.sgd_updater,
    )
)
