"""Needs of `test_d2l` in TensorFlow."""

from contextlib import contextmanager

import keras
import tensorflow as tf


@contextmanager
def floats_are(dtype):
    keras.config.dtype_policy()  # is fixed here, as by a first layer: floatx alone counts
    before = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


seed = keras.utils.set_random_seed


def linear(num_inputs, num_outputs):
    return keras.layers.Dense(num_outputs)


def set_weights(model, weights):
    rnn = model.rnn
    for param, name in [
        (rnn.W_xh, "W_xh"),
        (rnn.W_hh, "W_hh"),
        (rnn.b_h, "b_h"),
        (model.W_hq, "W_hq"),
        (model.b_q, "b_q"),
    ]:
        param.assign(tf.cast(weights[name], param.dtype))


def set_layers(model, weights):
    layers = model.rnn.rnn.trainable_weights + model.linear.trainable_weights
    for param, value in zip(layers, weights.values(), strict=True):
        param.assign(value)
