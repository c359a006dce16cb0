"""Checks of the functional chapter's blanks, for who fills them in with MXNet's nd."""

from __future__ import annotations

from types import SimpleNamespace

from backends.mxnet_style import scratch
from backends.mxnet_style.engine import nd
from common.blanks import Checker, Framework


def tensor(values):
    """An array of whole numbers, or of float32."""
    return nd.array(values, dtype="int32" if values.dtype.kind in "iu" else "float32")


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
        model=scratch.RNNModelScratch,
        forward=scratch.rnn,
        state=scratch.init_rnn_state,
        loss=scratch.cross_entropy,
        updater=scratch.sgd_updater,
    )
)
