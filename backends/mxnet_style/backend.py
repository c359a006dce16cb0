"""The contract on the embedded MXNet-style engine; see `common.interface` for the promises."""

from __future__ import annotations

from functools import partial

import numpy as np

from backends.mxnet_style import scratch
from backends.mxnet_style.mx import cpu, gluon, nd
from common.errors import RequestError
from common.interface import Description
from common.weights import NAMES

ACTIVATIONS = {"tanh": nd.tanh, "relu": nd.relu}


def describe():
    """NumPy's version: the engine is our own."""
    return Description({"numpy": np.__version__}, devices=("cpu",), threads=None, tf32=False)


def build(experiment, variant, weights):
    """The scratch model: the only variant so far."""
    return Model(experiment, weights)


class Model:
    """The scratch network behind the contract."""

    device = "cpu"

    def __init__(self, experiment, weights):
        if experiment.device == "gpu":
            raise RequestError("--device gpu: the embedded engine has none; use cpu or auto")
        params = [nd.array(weights[n], ctx=cpu(), dtype=experiment.dtype) for n in NAMES]
        for param in params:
            param.attach_grad()
        self.net = scratch.RNNModelScratch(
            *weights["W_xh"].shape,
            get_params=lambda vocab_size, num_hiddens: params,
            init_state=scratch.init_rnn_state,
            forward=partial(scratch.rnn, activation=ACTIVATIONS[experiment.activation]),
        )
        self.loss = gluon.loss.SoftmaxCrossEntropyLoss()
        self.updater = partial(scratch.sgd, params, experiment.lr)
        self.theta = experiment.clip_theta

    def begin_state(self, batch_size):
        return self.net.begin_state(batch_size)

    def read_state(self, state):
        return state[0].asnumpy()

    def forward(self, X, state):
        logits, state = self.net(X, state)
        return logits.asnumpy(), state

    def loss_and_grads(self, X, Y, state):
        l, grads, state = scratch.loss_and_grads(self.net, X, Y, state, self.loss)
        named = {n: g.asnumpy() for n, g in zip(NAMES, grads, strict=True)}
        return float(l.asscalar()), named, state

    def train_step(self, X, Y, state):
        return scratch.train_step(self.net, X, Y, state, self.loss, self.updater, self.theta)

    def warm_up(self, shapes):
        for shape in shapes:  # nothing to compile; touch the memory the first step would touch
            X = np.zeros(shape, np.int32)
            scratch.loss_and_grads(self.net, X, X, self.begin_state(len(X)), self.loss)

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab)

    def weights(self):
        return {n: p.asnumpy() for n, p in zip(NAMES, self.net.params, strict=True)}

    def synchronize(self):
        nd.waitall()
