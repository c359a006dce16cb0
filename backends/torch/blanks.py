"""Checks of the functional chapter's blanks, for who fills them in with PyTorch."""

from __future__ import annotations

from types import SimpleNamespace

from backends.torch import scratch
from backends.torch.data import load_data, tensor
from common.blanks import Checker
from common.verdicts import Framework


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
        page=scratch,
        load_data=load_data,
    )
)
