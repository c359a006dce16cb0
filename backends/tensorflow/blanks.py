"""Checks of the functional chapter's blanks, for who fills them in with TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from backends.tensorflow import scratch
from backends.tensorflow.data import load_data, tensor
from common.blanks import Checker
from common.verdicts import Framework


def parameters(values):
    """Variables, which tapes watch."""
    return [tf.Variable(tensor(each)) for each in values]


def clip(grad_clipping, grads, theta):
    """The gradients that a student's `grad_clipping(grads, theta)` gives."""
    return [grad.numpy() for grad in grad_clipping([tensor(each) for each in grads], theta)]


check = Checker(
    Framework(
        tensor=tensor,
        parameters=parameters,
        trainable=lambda param: isinstance(param, tf.Variable),
        clip=clip,
        page=scratch,
        load_data=load_data,
    )
)
