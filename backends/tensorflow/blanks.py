"""Checks of the functional chapter's blanks, for who fills them in with TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from backends.tensorflow import scratch
from common.blanks import Checker, Framework


def tensor(values):
    """A tensor of whole numbers, or of float32."""
    return tf.constant(values, tf.int32 if values.dtype.kind in "iu" else tf.float32)


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
        model=scratch.RNNModelScratch,
        forward=scratch.rnn,
        state=scratch.init_rnn_state,
        loss=scratch.cross_entropy,
        updater=scratch.sgd_updater,
    )
)
