"""Blanks of the functional chapter: what a student writes into them, checked with NumPy in float64.

A check computes what a blank should give, and what it gives with each of the mistakes that people
make there. A result that is that of a mistake gets a hint that names it; any other wrong one is
told by how much which quantity is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.array import Array
from common.errors import in_one_line
from common.mistakes import (
    CLIPPING,
    FORWARD,
    PREDICTION,
    SHAPES,
    TRAINING,
    Quantities,
    clip,
    flat,
    forward_pass,
    trained,
    trained_quantities,
    written,
)
from common.parity import relative_error
from common.vocab import Vocab, as_numpy

Function = Callable[..., Any]

CLOSE = 1e-4
"""Relative error below which a float32 result is that of NumPy."""

STOPS = {
    "one_hot": "one-hot takes whole numbers: leave X an integer tensor",
    "OneHot": "one-hot takes whole numbers: leave X an integer tensor",
    "second time": "the state still hangs on the minibatch before: detach it",
    "inplace operation": "the state still hangs on the minibatch before: detach it",
}
"""Hints for errors that a framework raises, by words in them."""


@dataclass(frozen=True)
class Framework:
    """A framework as the checks need it.

    Attributes:
        tensor: makes a tensor of a NumPy array.
        parameters: makes trainable tensors of NumPy arrays.
        trainable: True if a parameter has a gradient, or needs none to be attached.
        clip: calls a student's grad_clipping on gradients, NumPy in and out.
        model: builds the chapter's network of parameters and a forward function.
        forward: the chapter's own `rnn`.
        state: the chapter's own `init_rnn_state`.
        loss: the chapter's loss.
        updater: makes the chapter's updater of a model and a learning rate.
    """

    tensor: Callable[[Array], Any]
    parameters: Callable[[list[Array]], list[Any]]
    trainable: Callable[[Any], bool]
    clip: Callable[[Function, list[Array], float], list[Array]]
    model: Function
    forward: Function
    state: Function
    loss: Any
    updater: Callable[[Any, float], Any]


class Checker:
    """Checks of the blanks, in the order of the chapter; each prints its verdict and returns it.

    Args:
        framework: what the student writes in.
    """

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        rng = np.random.default_rng(7)
        self.weights = [1.5 * rng.standard_normal(shape) for shape in SHAPES]
        self.batches = [rng.integers(5, size=(2, 4)) for _ in range(3)]

    def one_hot(self, found: Any, X: Any, vocab_size: int) -> str:
        """Check the one-hot vectors (num_steps, batch_size, vocab_size) of a minibatch X."""
        right = np.eye(vocab_size)[as_numpy(X).T.astype(int)]
        wrong = {"transpose X first, so that time comes first": np.swapaxes(right, 0, 1)}
        return self._judge("one_hot", lambda: {"the tensor": as_numpy(found)}, right, wrong)

    def get_params(self, get_params: Function) -> str:
        """Check shapes, deviation, biases and gradients of the parameters."""

        def compute() -> str:
            params = get_params(30, 400)
            shapes = [tuple(param.shape) for param in params]
            expected = [(30, 400), (400, 400), (400,), (400, 30), (30,)]
            if shapes != expected:
                return f"the shapes are {shapes}, not {expected}"
            if any(as_numpy(params[i]).any() for i in (2, 4)):
                return "biases begin at zero"
            if not 0.009 < as_numpy(params[1]).std() < 0.011:
                return "the weights are drawn with a deviation of 0.01"
            if not all(self.framework.trainable(param) for param in params):
                return "attach a gradient to each parameter"
            return ""

        return self._say("get_params", self._caught(compute))

    def init_rnn_state(self, init_rnn_state: Function) -> str:
        """Check that the state is a tuple of zeros (batch_size, num_hiddens)."""

        def compute() -> str:
            state = init_rnn_state(2, 4)
            if not isinstance(state, tuple):
                return f"the state is a tuple, with a comma: (H,); this is a {type(state).__name__}"
            zeros = [tuple(H.shape) == (2, 4) and not as_numpy(H).any() for H in state]
            return "" if zeros == [True] else "one tensor of zeros (batch_size, num_hiddens)"

        return self._say("init_rnn_state", self._caught(compute))

    def rnn(self, rnn: Function) -> str:
        """Check the outputs and the state of the network's function."""
        inputs = np.eye(5)[self.batches[0].T]
        H = np.random.default_rng(8).standard_normal((2, 4)) / 2

        def compute() -> Quantities:
            given = self.framework.tensor(inputs), (self.framework.tensor(H),)
            outputs, state = rnn(*given, self.framework.parameters(self.weights))
            return {"the outputs": as_numpy(outputs), "the state": as_numpy(state[0])}

        wrong = {hint: forward_pass(inputs, H, self.weights, hint) for hint in FORWARD}
        return self._judge("rnn", compute, forward_pass(inputs, H, self.weights, ""), wrong)

    def model(self, RNNModelScratch: Function) -> str:
        """Check the class that holds the functions and the parameters."""
        X = self.batches[0]

        def compute() -> Quantities:
            net = RNNModelScratch(5, 4, self._params, self.framework.state, self.framework.forward)
            outputs, state = net(self.framework.tensor(X), net.begin_state(batch_size=2))
            return {"the outputs": as_numpy(outputs), "the state": as_numpy(state[0])}

        def forward(columns: Array) -> Quantities:
            return forward_pass(np.eye(5)[columns], np.zeros((2, 4)), self.weights, "")

        wrong = {"X is reshaped where it should be transposed": forward(X.reshape(4, 2))}
        return self._judge("RNNModelScratch", compute, forward(X.T), wrong)

    def predict_rnn(self, predict_rnn: Function) -> str:
        """Check the text that a network writes after a prefix."""
        vocab = Vocab(list("abcd"))
        right = written("abca", 12, vocab, self.weights, "")

        def compute() -> str:
            found = predict_rnn("abca", 12, self._model(), vocab)
            if found == right:
                return ""
            for hint in PREDICTION:
                if found == written("abca", 12, vocab, self.weights, hint):
                    return hint
            return f"it writes {found!r}, the reference {right!r}"

        return self._say("predict_rnn", self._caught(compute))

    def grad_clipping(self, grad_clipping: Function) -> str:
        """Check gradients longer than theta, and shorter ones."""
        rng = np.random.default_rng(9)
        grads = [rng.standard_normal(shape) for shape in SHAPES]

        def clipped(hint: str) -> Quantities:
            both = [clip(scale, 1.0, hint) for scale in (grads, [0.01 * g for g in grads])]
            return flat(both)

        def compute() -> Quantities:
            both = [
                self.framework.clip(grad_clipping, scale, 1.0)
                for scale in (grads, [0.01 * g for g in grads])
            ]
            return flat(both)

        wrong = {hint: clipped(hint) for hint in CLIPPING}
        return self._judge("grad_clipping", compute, clipped(""), wrong)

    def train_epoch_rnn(self, train_epoch_rnn: Function) -> str:
        """Check the parameters and the perplexity after an epoch, carried and begun anew."""
        pairs = [(each[:, :-1], each[:, 1:]) for each in self.batches]

        def compute() -> Quantities:
            found: Quantities = {}
            for random in (False, True):
                net = self._model()
                iterator = [tuple(map(self.framework.tensor, pair)) for pair in pairs]
                updater = self.framework.updater(net, 0.5)
                ppl, _ = train_epoch_rnn(net, iterator, self.framework.loss, updater, random)
                found |= trained_quantities([as_numpy(p) for p in net.params], float(ppl), random)
            return found

        right = trained(pairs, self.weights, "")
        wrong = {hint: trained(pairs, self.weights, hint) for hint in [*TRAINING, *CLIPPING]}
        return self._judge("train_epoch_rnn", compute, right, wrong)

    def _params(self, vocab_size: int, num_hiddens: int) -> list[Any]:
        return self.framework.parameters(self.weights)

    def _model(self) -> Any:
        return self.framework.model(
            5, 4, self._params, self.framework.state, self.framework.forward
        )

    def _judge(
        self,
        name: str,
        compute: Callable[[], Quantities],
        right: Quantities | Array,
        wrong: dict[str, Any],
    ) -> str:
        def judge() -> str:
            found = compute()
            told = _errors(found, right)
            if not told:
                return ""
            return next((hint for hint, each in wrong.items() if not _errors(found, each)), told)

        return self._say(name, self._caught(judge))

    def _caught(self, judge: Callable[[], str]) -> str:
        try:
            return judge()
        except Exception as error:  # the student's own, whatever it is
            said = in_one_line(error)
            hints = (hint for words, hint in STOPS.items() if words in said)
            return next(hints, f"it stops with {said[:200]}")

    def _say(self, name: str, fault: str) -> str:
        said = f"{name}: not yet: {fault}" if fault else f"{name}: right"
        print(said)
        return said


def _errors(found: Quantities, right: Quantities | Array) -> str:
    """Words about the first quantity that is off; empty where none is."""
    expected = right if isinstance(right, dict) else dict.fromkeys(found, right)
    for name, value in expected.items():
        if found[name].shape != value.shape:
            return f"the shape of {name} is {found[name].shape}, not {value.shape}"
        error = relative_error(found[name], value)
        if not error <= CLOSE:
            return f"{name} is off by {error:.1g}"
    return ""
