"""The contract on JAX; see `common.interface` for what each method promises."""

from __future__ import annotations

import importlib.metadata

import jax
import numpy as np

from backends.jax import adapter, book, concise, fused, scratch
from common.decoding import chooser
from common.errors import RequestError
from common.interface import Description
from common.variants import serving

jax.config.update("jax_default_matmul_precision", "highest")  # no TF32, no bfloat16

compiled = 0


def count_compilations(event, duration, **_):
    """Count what XLA compiles: JAX reports the seconds of every compilation."""
    global compiled
    compiled += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(count_compilations)

NETWORKS = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "book": book.RNNModelBook,
}


def describe():
    """JAX's versions, devices and precision; XLA sizes its thread pool by the CPU affinity."""
    gpus = [d.device_kind for d in jax.devices() if d.platform == "gpu"]
    return Description(
        versions={name: importlib.metadata.version(name) for name in ("jax", "jaxlib", "flax")},
        devices=("cpu", *gpus),
        threads=None,
        tf32=jax.config.jax_default_matmul_precision != "highest",
    )


def compilations():
    """How many programs XLA has compiled."""
    return compiled


def build(experiment, variant, weights):
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment, network, weights):
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        if experiment.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        platform = "cpu" if experiment.device == "cpu" else jax.default_backend()
        if experiment.device == "gpu" and platform != "gpu":
            raise RequestError("--device gpu: JAX sees no GPU here; use cpu or auto")
        device = jax.devices(platform)[0]
        self.device = "cpu" if platform == "cpu" else device.device_kind
        params = [jax.device_put(weights[n].astype(experiment.dtype), device) for n in self.names]
        self.net = network(params, experiment)

    def begin_state(self, batch_size):
        return self.net.begin_state(batch_size)

    def read_state(self, state):
        return np.stack(state)

    def forward(self, X, state):
        logits, state = self.net(X, state)
        return np.asarray(logits), state

    def loss_and_grads(self, X, Y, state):
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        return float(l), {n: np.array(g) for n, g in zip(self.names, grads, strict=True)}, state

    def train_step(self, X, Y, state):
        X, Y = X.astype(np.int32), Y.astype(np.int32)  # one type, so one compilation
        return self.net.train_step(X, Y, state)

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab, chooser(self.experiment))

    def weights(self):
        return {n: np.array(p) for n, p in zip(self.names, self.net.params, strict=True)}

    def load_weights(self, weights):
        named = zip(self.names, self.net.params, strict=True)
        self.net.set_params(
            [jax.device_put(weights[n].astype(p.dtype), p.sharding) for n, p in named]
        )

    def synchronize(self):
        jax.block_until_ready(self.net.params)
