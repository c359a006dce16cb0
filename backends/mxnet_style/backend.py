"""The contract in MXNet's surface, on either engine; see `common.interface` for the promises."""

from __future__ import annotations

import numpy as np

from backends.mxnet_style import adapter, book, concise, engine, fused, scratch
from backends.mxnet_style.engine import cpu, nd
from common.decoding import chooser
from common.errors import RequestError
from common.interface import Description
from common.variants import serving

ENVIRONMENT = engine.ENVIRONMENT

NETWORKS = {
    "scratch": adapter.ScratchNetwork,
    "fused": fused.RNNModelFused,
    "concise": concise.RNNModel,
    "book": book.RNNModelBook,
}


def describe():
    """The versions of the engine; it computes on the CPU, on how many threads it cannot tell."""
    return Description(engine.VERSIONS, devices=("cpu",), threads=None, tf32=False)


def compilations():
    """None: both engines run eagerly."""
    return 0


def build(experiment, variant, weights):
    """A model of one of the `NETWORKS`."""
    return Model(experiment, serving(NETWORKS, variant, experiment), weights)


class Model:
    """A network behind the contract."""

    device = "cpu"

    def __init__(self, experiment, network, weights):
        self.experiment = experiment
        self.names = tuple(experiment.shapes(len(weights["b_q"])))
        if experiment.device == "gpu":
            raise RequestError("--device gpu: this engine is for the CPU; use cpu or auto")
        params = [nd.array(weights[n], ctx=cpu(), dtype=experiment.dtype) for n in self.names]
        self.net = network(params, experiment)

    def begin_state(self, batch_size):
        return self.net.begin_state(batch_size)

    def read_state(self, state):
        return np.stack([H.asnumpy() for H in state])

    def forward(self, X, state):
        logits, state = self.net(X, state)
        return logits.asnumpy(), state

    def loss_and_grads(self, X, Y, state):
        l, grads, state = self.net.loss_and_grads(X, Y, state)
        named = {n: g.asnumpy() for n, g in zip(self.names, grads, strict=True)}
        return float(l.asscalar()), named, state

    def train_step(self, X, Y, state):
        return self.net.train_step(X, Y, state)

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab, chooser(self.experiment))

    def weights(self):
        return {n: p.asnumpy() for n, p in zip(self.names, self.net.params, strict=True)}

    def load_weights(self, weights):
        self.net.set_params([nd.array(weights[n], dtype=weights[n].dtype) for n in self.names])

    def synchronize(self):
        nd.waitall()
