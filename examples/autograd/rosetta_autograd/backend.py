"""The contract on HIPS autograd; `common.interface` says what each method promises."""

from importlib.metadata import version

import autograd.numpy as np

from common.decoding import chooser
from common.errors import unknown
from common.interface import Description
from common.places import deterministic, place
from common.weights import NAMES
from rosetta_autograd import scratch

ACTIVATIONS = {"tanh": np.tanh, "relu": scratch.relu}


def describe():
    """The versions of autograd and of NumPy, which computes."""
    versions = {name: version(name) for name in ("autograd", "numpy")}
    return Description(
        versions, devices=("cpu",), threads=None, tf32=False, deterministic=deterministic()
    )


def compilations():
    """Programs compiled so far: none."""
    return 0


def build(experiment, variant, weights):
    """The chapter's network with these weights."""
    if variant != "scratch":
        raise unknown("variant", variant, ["scratch"])
    place(experiment.device, "autograd", {})  # the CPU, or an error
    return Model(experiment, weights)


class Model:
    """The network behind the contract: here NumPy is the framework, too."""

    device = "cpu"

    def __init__(self, experiment, weights):
        self.experiment, self.act = experiment, ACTIVATIONS[experiment.activation]
        self.load_weights(weights)

    def begin_state(self, batch_size):
        """Zeros."""
        return scratch.init_rnn_state(batch_size, len(self.params[1]), self.experiment.dtype)

    def read_state(self, state):
        """The state of the one layer."""
        return np.stack(state)

    def write_state(self, H):
        """The state again."""
        return tuple(H.astype(self.experiment.dtype))

    def forward(self, X, state):
        """Logits and the new state."""
        return scratch.rnn(scratch.one_hot(X, self.params), state, self.params, self.act)

    def loss_and_grads(self, X, Y, state):
        """The mean loss, the gradients by name, and the new state."""
        l, grads, state = scratch.loss_and_grads(self.params, X, Y, state, self.act)
        return float(l), dict(zip(NAMES, grads, strict=True)), state

    def train_step(self, X, Y, state):
        """Forward, backward, clip, update."""
        l, grads, state = scratch.loss_and_grads(self.params, X, Y, state, self.act)
        if self.experiment.clip_theta:
            grads = scratch.grad_clipping(grads, self.experiment.clip_theta)
        self.params = scratch.sgd(self.params, grads, self.experiment.lr)
        return l, state

    def predict(self, prefix, num_preds, vocab):
        """The continuation of a prefix."""
        choose = chooser(self.experiment)
        return scratch.predict_rnn(prefix, num_preds, self.params, vocab, self.act, choose)

    def weights(self):
        """Copies of the weights."""
        return {name: param.copy() for name, param in zip(NAMES, self.params, strict=True)}

    def load_weights(self, weights):
        """Copies of these weights."""
        self.params = [weights[name].astype(self.experiment.dtype) for name in NAMES]

    def synchronize(self):
        """Nothing to wait for."""
