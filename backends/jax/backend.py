"""The contract on JAX; see `common.interface` for what each method promises."""

from __future__ import annotations

from typing import SupportsFloat

import jax
import numpy as np

from backends.jax import (
    adapter,
    book,
    compiled,
    concise,
    devices,
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

programs = 0


def count_compilations(event: str, duration_secs: float, **_: str | int) -> None:
    """Count what XLA compiles: JAX reports the seconds of every compilation."""
    global programs
    programs += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(count_compilations)

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
    """Programs that XLA has compiled so far."""
    return programs


def build(experiment: Experiment, variant: str, weights: Weights) -> interface.Model:
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment, parallel.join), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment: Experiment, network: Build, weights: Weights) -> None:
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        if experiment.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        device, name = devices.taken(experiment)
        self.device = named(name, experiment.devices)
        params = [jax.device_put(weights[n].astype(experiment.dtype), device) for n in self.names]
        self.net = network(params, experiment.activation, experiment.lr, experiment.clip_theta)

    def begin_state(self, batch_size: int) -> State:
        return self.net.begin_state(batch_size)

    def read_state(self, state: State) -> Array:
        return np.stack(whole(state))

    def write_state(self, H: Array) -> State:
        param = self.net.params[0]
        state = tuple(jax.device_put(layer.astype(param.dtype), param.sharding) for layer in H)
        if isinstance(self.net, parallel.ParallelNetwork):
            return self.net.split_state(state)
        return state

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        logits, state = self.net(X, state)
        return np.asarray(logits), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        return float(l), {n: np.array(g) for n, g in zip(self.names, grads, strict=True)}, state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        X, Y = X.astype(np.int32), Y.astype(np.int32)  # one type, so one compilation
        return self.net.train_step(X, Y, state)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        writer = generate.Writer(self.net.params, self.experiment)
        return written(writer, prefix, num_preds, vocab, self.experiment)

    def weights(self) -> Weights:
        return {n: np.array(p) for n, p in zip(self.names, self.net.params, strict=True)}

    def load_weights(self, weights: Weights) -> None:
        named = zip(self.names, self.net.params, strict=True)
        self.net.set_params(
            [jax.device_put(weights[n].astype(p.dtype), p.sharding) for n, p in named]
        )

    def synchronize(self) -> None:
        jax.block_until_ready(self.net.params)
