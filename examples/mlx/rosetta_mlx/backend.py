"""The contract on MLX; `common.interface` says what each method promises."""

from importlib.metadata import version

import mlx.core as mx
import numpy as np

from common.decoding import chooser
from common.errors import unknown
from common.interface import Description
from common.places import deterministic, place
from common.weights import NAMES
from rosetta_mlx import scratch

mx.set_default_device(mx.cpu)

ACTIVATIONS = {"tanh": mx.tanh, "relu": scratch.relu}
NOTE = (
    "float32 alone, on the CPU: MLX's exp is of single precision in float64, too; its sums add one "
    "number after the other, so the mean loss is taken over steps first, and then over the batch"
)


def describe():
    """MLX's version, and what its readers should know."""
    same_bits = deterministic()  # it has nothing to set for them
    return Description(
        {"mlx": version("mlx")}, ("cpu",), None, tf32=False, deterministic=same_bits, note=NOTE
    )


def compilations():
    """Programs compiled so far: none."""
    return 0


def build(experiment, variant, weights):
    """The chapter's network with these weights."""
    if variant != "scratch":
        raise unknown("variant", variant, ["scratch"])
    place(experiment.device, "this plug-in, which is for the CPU,", {})  # the CPU, or an error
    return Model(experiment, weights)


class Model:
    """The network behind the contract, NumPy in and out."""

    device = "cpu"

    def __init__(self, experiment, weights):
        self.experiment, self.act = experiment, ACTIVATIONS[experiment.activation]
        self.load_weights(weights)

    def begin_state(self, batch_size):
        """Zeros."""
        return scratch.init_rnn_state(batch_size, self.params[1].shape[0])

    def read_state(self, state):
        """The state of the one layer."""
        return np.stack([np.array(H) for H in state])

    def write_state(self, H):
        """The state again."""
        return tuple(map(mx.array, H))

    def forward(self, X, state):
        """Logits and the new state."""
        O, state = scratch.rnn(scratch.one_hot(X, self.params), state, self.params, self.act)
        return np.array(O), state

    def loss_and_grads(self, X, Y, state):
        """The mean loss, the gradients by name, and the new state."""
        l, grads, state = scratch.loss_and_grads(self.params, X, Y, state, self.act)
        return l.item(), self._named(grads), state

    def train_step(self, X, Y, state):
        """Forward, backward, clip, update; it is begun, and not waited for."""
        l, grads, state = scratch.loss_and_grads(self.params, X, Y, state, self.act)
        if self.experiment.clip_theta:
            grads = scratch.grad_clipping(grads, self.experiment.clip_theta)
        self.params = scratch.sgd(self.params, grads, self.experiment.lr)
        mx.async_eval(l, self.params, state)
        return l, state

    def predict(self, prefix, num_preds, vocab):
        """The continuation of a prefix."""
        choose = chooser(self.experiment)
        return scratch.predict_rnn(prefix, num_preds, self.params, vocab, self.act, choose)

    def weights(self):
        """Copies of the weights."""
        return self._named(self.params)

    def load_weights(self, weights):
        """Copies of these weights."""
        self.params = [mx.array(weights[name].astype(np.float32)) for name in NAMES]

    def synchronize(self):
        """Wait for what was begun."""
        mx.eval(self.params)

    def _named(self, arrays):
        return {name: np.array(array) for name, array in zip(NAMES, arrays, strict=True)}
