"""Checks of the functional chapter's blanks, for who fills them in with JAX."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from backends.jax import scratch
from common.blanks import Checker, Framework


def tensor(values):
    """An array of whole numbers, or of float32."""
    return jnp.asarray(values, jnp.int32 if values.dtype.kind in "iu" else jnp.float32)


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
        model=scratch.RNNModelScratch,
        forward=scratch.rnn,
        state=scratch.init_rnn_state,
        loss=scratch.cross_entropy,
        updater=scratch.sgd_updater,
    )
)
