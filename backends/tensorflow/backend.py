"""The contract on TensorFlow; see `common.interface` for what each method promises."""

from __future__ import annotations

from typing import SupportsFloat

import numpy as np
import tensorflow as tf

from backends.tensorflow import (
    adapter,
    book,
    compiled,
    concise,
    devices,
    exercises,
    fused,
    generate,
    object,
    parallel,
    scratch,
)
from common import interface
from common.experiment import Experiment
from common.generation import written
from common.interface import Array, State
from common.shards import named, whole
from common.variants import Build, Networks, serving
from common.vocab import Vocab
from common.weights import Weights

NETWORKS: Networks = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "object": object.RNNModelObject,
    "book": book.RNNModelBook,
    "compiled": compiled.RNNModelCompiled,
}


describe, device_memory_mb = devices.describe, devices.device_memory_mb
predict_rnn = scratch.predict_rnn


def compilations() -> int:
    """Traces of the compiled functions so far: one for each new shape."""
    return sum(function.experimental_get_tracing_count() for function in COMPILED)


def build(experiment: Experiment, variant: str, weights: Weights) -> interface.Model:
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment, parallel.join), weights)


COMPILED = [
    scratch.train_step,
    *exercises.COMPILED,
    *fused.COMPILED,
    *generate.COMPILED,
    *parallel.COMPILED,
    concise.train_step,
    compiled.train_step,
]


class Model:
    """A network behind the contract."""

    def __init__(self, experiment: Experiment, network: Build, weights: Weights) -> None:
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        self.place, name = devices.taken(experiment)
        self.device = named(name, experiment.devices)
        with tf.device(self.place):
            params = [tf.Variable(weights[n], dtype=experiment.dtype, name=n) for n in self.names]
            self.net = network(params, experiment.activation, experiment.lr, experiment.clip_theta)

    def begin_state(self, batch_size: int) -> State:
        with tf.device(self.place):
            return self.net.begin_state(batch_size)

    def read_state(self, state: State) -> Array:
        return np.stack(whole(state))

    def write_state(self, H: Array) -> State:
        with tf.device(self.place):
            state = tuple(tf.constant(layer, self.experiment.dtype) for layer in H)
            if isinstance(self.net, parallel.ParallelNetwork):
                return self.net.split_state(state)
            return state

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        with tf.device(self.place):
            logits, state = self.net(X.astype(np.int32), state)
        return logits.numpy(), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        X, Y = X.astype(np.int32), Y.astype(np.int32)
        with tf.device(self.place):
            l, grads, state = self.net.loss_and_grads(X, Y, state)
        return float(l), {n: g.numpy() for n, g in zip(self.names, grads, strict=True)}, state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        X, Y = X.astype(np.int32), Y.astype(np.int32)  # one type, so one compilation
        with tf.device(self.place):
            return self.net.train_step(X, Y, state)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        with tf.device(self.place):
            writer = generate.Writer(self.net.params, self.experiment)
            return written(writer, prefix, num_preds, vocab, self.experiment)

    def weights(self) -> Weights:
        return {n: p.numpy() for n, p in zip(self.names, self.net.params, strict=True)}

    def load_weights(self, weights: Weights) -> None:
        with tf.device(self.place):
            self.net.set_params([weights[n] for n in self.names])

    def synchronize(self) -> None:
        if self.experiment.devices > 1:  # those of other processes it could not ask
            self.net.params[-1].numpy()
        else:
            tf.test.experimental.sync_devices()
