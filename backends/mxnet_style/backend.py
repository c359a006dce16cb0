"""The contract in MXNet's surface, on either engine; see `common.interface` for the promises."""

from __future__ import annotations

from functools import partial

from backends.mxnet_style import engine, scratch
from backends.mxnet_style.engine import cpu, gluon, nd
from common.errors import RequestError
from common.interface import Description
from common.weights import NAMES

ENVIRONMENT = engine.ENVIRONMENT
ACTIVATIONS = {"tanh": nd.tanh, "relu": nd.relu}


def describe():
    """The versions of the engine; it computes on the CPU, on how many threads it cannot tell."""
    return Description(engine.VERSIONS, devices=("cpu",), threads=None, tf32=False)


def build(experiment, variant, weights):
    """The scratch model: the only variant so far."""
    return Model(experiment, weights)


class Model:
    """The scratch network behind the contract."""

    device = "cpu"

    def __init__(self, experiment, weights):
        if experiment.device == "gpu":
            raise RequestError("--device gpu: this engine is for the CPU; use cpu or auto")
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

    def predict(self, prefix, num_preds, vocab):
        return scratch.predict_rnn(prefix, num_preds, self.net, vocab)

    def weights(self):
        return {n: p.asnumpy() for n, p in zip(NAMES, self.net.params, strict=True)}

    def load_weights(self, weights):
        for name, param in zip(NAMES, self.net.params, strict=True):
            param[:] = weights[name]

    def synchronize(self):
        nd.waitall()
