"""Checks of the functional chapter's blanks, for who fills them in with JAX."""

from __future__ import annotations

import numpy as np

from backends.jax import scratch
from backends.jax.data import load_data, tensor
from common.blanks import Checker
from common.verdicts import Framework


def parameters(values):
    """Arrays: in JAX any of them is differentiated by whoever asks."""
    return [tensor(each) for each in values]


def clip(grad_clipping, grads, theta):
    """The gradients that a student's `grad_clipping(grads, theta)` gives."""
    return [np.asarray(grad) for grad in grad_clipping(parameters(grads), theta)]


check = Checker(
    Framework(
        tensor=tensor,
        parameters=parameters,
        trainable=lambda param: True,
        clip=clip,
        page=scratch,
        load_data=load_data,
    )
)
