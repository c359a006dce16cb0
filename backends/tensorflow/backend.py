"""The contract on TensorFlow; see `common.interface` for what each method promises."""

from __future__ import annotations

from functools import partial

import numpy as np
import tensorflow as tf

from backends.tensorflow import scratch
from common.errors import RequestError
from common.interface import Description
from common.weights import NAMES

ACTIVATIONS = {"tanh": tf.tanh, "relu": tf.nn.relu}


def describe():
    """TensorFlow's version, devices, threads and precision."""
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return Description(
        versions={"tensorflow": tf.__version__},
        devices=("cpu", *map(_gpu_name, tf.config.list_physical_devices("GPU"))),
        threads=tf.config.threading.get_intra_op_parallelism_threads() or None,
        tf32=tf.config.experimental.tensor_float_32_execution_enabled(),
    )


def _gpu_name(gpu):
    return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)


def build(experiment, variant, weights):
    """The scratch model: the only variant so far."""
    return Model(experiment, weights)


class Model:
    """The scratch network behind the contract."""

    def __init__(self, experiment, weights):
        gpus = tf.config.list_physical_devices("GPU") if experiment.device != "cpu" else []
        if experiment.device == "gpu" and not gpus:
            raise RequestError("--device gpu: TensorFlow sees no GPU here; use cpu or auto")
        self.device = _gpu_name(gpus[0]) if gpus else "cpu"
        self.place = "/GPU:0" if gpus else "/CPU:0"
        with tf.device(self.place):
            params = [tf.Variable(weights[n], dtype=experiment.dtype, name=n) for n in NAMES]
        self.net = scratch.RNNModelScratch(
            *weights["W_xh"].shape,
            get_params=lambda vocab_size, num_hiddens: params,
            init_state=scratch.init_rnn_state,
            forward=partial(scratch.rnn, activation=ACTIVATIONS[experiment.activation]),
        )
        self.updater = partial(scratch.sgd, lr=experiment.lr)
        self.theta = experiment.clip_theta

    def begin_state(self, batch_size):
        with tf.device(self.place):
            return self.net.begin_state(batch_size)

    def read_state(self, state):
        return state[0].numpy()

    def forward(self, X, state):
        with tf.device(self.place):
            logits, state = self.net(X, state)
        return logits.numpy(), state

    def loss_and_grads(self, X, Y, state):
        with tf.device(self.place):
            l, grads, state = scratch.loss_and_grads(self.net, X, Y, state, scratch.cross_entropy)
        return float(l), {n: g.numpy() for n, g in zip(NAMES, grads, strict=True)}, state

    def train_step(self, X, Y, state):
        X, Y = X.astype(np.int32), Y.astype(np.int32)  # one type, so one compilation
        with tf.device(self.place):
            return scratch.train_step(
                self.net, X, Y, state, scratch.cross_entropy, self.updater, self.theta
            )

    def predict(self, prefix, num_preds, vocab):
        with tf.device(self.place):
            return scratch.predict_rnn(prefix, num_preds, self.net, vocab)

    def weights(self):
        return {n: p.numpy() for n, p in zip(NAMES, self.net.params, strict=True)}

    def load_weights(self, weights):
        for name, param in zip(NAMES, self.net.params, strict=True):
            param.assign(weights[name])

    def synchronize(self):
        tf.test.experimental.sync_devices()
