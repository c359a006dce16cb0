"""The contract in MXNet's surface, on either engine; see `common.interface` for the promises."""

from __future__ import annotations

from typing import SupportsFloat

import numpy as np

from backends.mxnet_style import (
    adapter,
    book,
    concise,
    engine,
    fused,
    generate,
    object,
    parallel,
    scratch,
)
from backends.mxnet_style.engine import cpu, nd
from common import interface
from common.experiment import Experiment
from common.generation import written
from common.interface import Array, Description, State
from common.places import deterministic, place
from common.shards import named, whole
from common.variants import Build, Networks, serving
from common.vocab import Vocab
from common.weights import Weights

ENVIRONMENT = engine.ENVIRONMENT

NETWORKS: Networks = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "object": object.RNNModelObject,
    "book": book.RNNModelBook,
}


predict_rnn = scratch.predict_rnn


def describe() -> Description:
    """The versions of the engine; it computes on the CPU, on how many threads it cannot tell.

    It has nothing to set for the same bits each time.
    """
    same_bits = deterministic()
    return Description(
        engine.VERSIONS, devices=("cpu",), threads=None, tf32=False, deterministic=same_bits
    )


def compilations() -> int:
    """Programs compiled so far: none, for both engines run eagerly."""
    return 0


def build(experiment: Experiment, variant: str, weights: Weights) -> interface.Model:
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment, parallel.join), weights)


class Model:
    """A network behind the contract."""

    def __init__(self, experiment: Experiment, network: Build, weights: Weights) -> None:
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        place(experiment.device, "this engine, which is for the CPU,", {})
        self.device = named("cpu", experiment.devices)
        params = [nd.array(weights[n], ctx=cpu(), dtype=experiment.dtype) for n in self.names]
        self.net = network(params, experiment.activation, experiment.lr, experiment.clip_theta)

    def begin_state(self, batch_size: int) -> State:
        return self.net.begin_state(batch_size)

    def read_state(self, state: State) -> Array:
        return np.stack([H.asnumpy() for H in whole(state)])

    def write_state(self, H: Array) -> State:
        state = tuple(nd.array(layer, ctx=cpu(), dtype=self.experiment.dtype) for layer in H)
        if isinstance(self.net, parallel.ParallelNetwork):
            return self.net.split_state(state)
        return state

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        logits, state = self.net(X, state)
        return logits.asnumpy(), state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        named = {n: g.asnumpy() for n, g in zip(self.names, grads, strict=True)}
        return float(l.asscalar()), named, state

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[SupportsFloat, State]:
        return self.net.train_step(X, Y, state)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        writer = generate.Writer(self.net.params, self.experiment)
        return written(writer, prefix, num_preds, vocab, self.experiment)

    def weights(self) -> Weights:
        return {n: p.asnumpy() for n, p in zip(self.names, self.net.params, strict=True)}

    def load_weights(self, weights: Weights) -> None:
        self.net.set_params([nd.array(weights[n], dtype=weights[n].dtype) for n in self.names])

    def synchronize(self) -> None:
        nd.waitall()
