"""Checks of the functional chapter's blanks, for who fills them in with MXNet's nd."""

from __future__ import annotations

from types import SimpleNamespace

from backends.mxnet_style import scratch
from backends.mxnet_style.data import load_data, tensor
from common.blanks import Checker
from common.verdicts import Framework


def parameters(values):
    """Arrays with gradients attached."""
    params = [tensor(each) for each in values]
    for param in params:
        param.attach_grad()
    return params


def clip(grad_clipping, grads, theta):
    """The gradients after a student's `grad_clipping(model, theta)`."""
    params = parameters(grads)
    for param, grad in zip(params, grads, strict=True):
        param.grad[:] = tensor(grad)
    grad_clipping(SimpleNamespace(params=params), theta)
    return [param.grad.asnumpy() for param in params]


check = Checker(
    Framework(
        tensor=tensor,
        parameters=parameters,
        trainable=lambda param: param.grad is not None,
        clip=clip,
        page=scratch,
        load_data=load_data,
    )
)
