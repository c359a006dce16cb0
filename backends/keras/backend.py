"""The contract on Keras; see `common.interface` for what each method promises.

One folder serves ``keras-torch``, ``keras-jax`` and ``keras-tensorflow``: KERAS_BACKEND says which,
before Keras is imported. Devices and precision are those of the engine's own backend; but Keras
makes float32 of float64 on PyTorch and JAX (``keras.backend.result_type``).
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any, SupportsFloat

import keras
import numpy as np

from common import interface
from common.decoding import chooser
from common.experiment import Experiment
from common.interface import Array, Description, State
from common.variants import Build, Networks, serving
from common.vocab import Vocab
from common.weights import NAMES, Weights

ENGINE = keras.backend.backend()
ENVIRONMENT = {"KERAS_BACKEND": ENGINE}
"""Variable that this process runs with, whatever was asked for since."""

engine: Any = import_module(f"backends.keras.on_{ENGINE}")
NETWORKS: Networks = {"concise": engine.RNNModel}

compilations, device_memory_mb = engine.compilations, engine.device_memory_mb


def describe() -> Description:
    """The engine's description, with Keras's version."""
    found: Description = engine.describe()
    return replace(found, versions={"keras": keras.__version__} | found.versions)


def build(experiment: Experiment, variant: str, weights: Weights) -> interface.Model:
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment: Experiment, network: Build, weights: Weights) -> None:
        self.experiment = experiment
        _, self.device = engine.taken(experiment)
        number = experiment.device.partition(":")[2] or 0
        self.place = "cpu" if self.device == "cpu" else f"gpu:{number}"
        keras.config.set_floatx(experiment.dtype)
        keras.config.set_dtype_policy(experiment.dtype)
        with keras.device(self.place):
            params = [weights[name].astype(experiment.dtype) for name in NAMES]
            self.net = network(params, experiment.activation, experiment.lr, experiment.clip_theta)

    def begin_state(self, batch_size: int) -> State:
        with keras.device(self.place):
            return self.net.begin_state(batch_size)

    def read_state(self, state: State) -> Array:
        return np.stack([copied(H) for H in state])

    def write_state(self, H: Array) -> State:
        with keras.device(self.place):
            return tuple(keras.ops.convert_to_tensor(layer, self.experiment.dtype) for layer in H)

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        with keras.device(self.place):
            logits, state = self.net(X.astype(np.int32), state)
        return copied(logits), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        with keras.device(self.place):
            l, grads, state = self.net.loss_and_grads(X.astype(np.int32), Y.astype(np.int32), state)
        return float(l), {n: copied(g) for n, g in zip(NAMES, grads, strict=True)}, state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        with keras.device(self.place):  # indices of one type, so one compilation
            return self.net.train_step(X.astype(np.int32), Y.astype(np.int32), state)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        vocab.check_prefix(prefix)
        choose, state = chooser(self.experiment), self.begin_state(1)
        tokens = [vocab[token] for token in vocab.split(prefix)]
        for token in tokens[:-1]:
            _, state = self.forward(np.array([[token]]), state)
        for _ in range(num_preds):
            logits, state = self.forward(np.array([tokens[-1:]]), state)
            tokens.append(choose(logits[0]))
        return vocab.join(tokens)

    def weights(self) -> Weights:
        return {n: copied(p) for n, p in zip(NAMES, self.net.params, strict=True)}

    def load_weights(self, weights: Weights) -> None:
        with keras.device(self.place):
            self.net.set_params([weights[n].astype(self.experiment.dtype) for n in NAMES])

    def synchronize(self) -> None:
        copied(self.net.params[-1])  # the last that a step makes


def copied(tensor: Any) -> Array:
    """A tensor of the engine as an array of its own."""
    return np.array(engine.to_numpy(tensor))
