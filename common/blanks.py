"""Blanks of the functional chapter: what a student writes into them, checked with NumPy in float64.

A check computes what a blank should give, and what it gives with each of the mistakes that people
make there. A result that is that of a mistake gets a hint that names it; any other wrong one is
told by how much which quantity is off.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from common.array import Array
from common.mistakes import (
    CLIPPING,
    EPOCHS,
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
    weights_of,
    written,
)
from common.verdicts import Framework, Function, Verdicts, filled
from common.vocab import Vocab, as_numpy


class Checker(Verdicts):
    """Checks of the blanks, in the order of the chapter.

    Each prints its verdict, keeps it in `verdicts`, and gives back what the student wrote where
    that is right, else the chapter's own. None needs another blank to be right.

    Args:
        framework: what the student writes in.
    """

    def __init__(self, framework: Framework) -> None:
        super().__init__()
        self.framework, self.page = framework, framework.page
        rng = np.random.default_rng(7)
        self.weights = [1.5 * rng.standard_normal(shape) for shape in SHAPES]
        self.batches = [rng.integers(5, size=(2, 4)) for _ in range(3)]
        self.pairs = [(each[:, :-1], each[:, 1:]) for each in self.batches]

    def data(
        self, train_iter: Any, vocab: Any, corpus: str, batch_size: int, num_steps: int
    ) -> Any:
        """Check minibatches and vocabulary, those of sequential sampling."""
        own_iter, own_vocab = self.framework.load_data(corpus, batch_size, num_steps)

        def fault() -> str:
            if list(filled(vocab)) != list(own_vocab):
                return f"the vocabulary is another one: its tokens are {len(own_vocab)}"
            if iter(filled(train_iter)) is train_iter:
                return "train_iter ends after one epoch: it must begin anew each time"
            (X, Y), (later, _), *_ = train_iter
            if not isinstance(X, type(next(iter(own_iter))[0])):
                return f"a minibatch holds tensors of the framework, not {type(X).__name__}"
            if tuple(X.shape) != (batch_size, num_steps):
                return f"the shape of X is {tuple(X.shape)}, not {(batch_size, num_steps)}"
            if (as_numpy(X)[:, 1:] != as_numpy(Y)[:, :-1]).any():
                return "Y is X, one token later"
            if (as_numpy(later)[:, 0] != as_numpy(Y)[:, -1]).any():
                return "a row goes on in the next minibatch: leave use_random_iter False"
            return ""

        student, own = (train_iter, vocab), (own_iter, own_vocab)
        return self.decide("train_iter, vocab", student, own, fault)

    def x_one_hot(self, found: Any, x: Any, vocab_size: int) -> Any:
        """Check the one-hot vectors (N, vocab_size) of indices x (N,)."""
        right = np.eye(vocab_size)[as_numpy(x).astype(int)]
        return self._one_hot("x_one_hot", found, right, {})

    def one_hot(self, found: Any, X: Any, vocab_size: int) -> Any:
        """Check the one-hot vectors (num_steps, batch_size, vocab_size) of a minibatch X."""
        right = np.eye(vocab_size)[as_numpy(X).T.astype(int)]
        wrong = {"transpose X first, so that time comes first": np.swapaxes(right, 0, 1)}
        return self._one_hot("one_hot", found, right, wrong)

    def _one_hot(self, name: str, found: Any, right: Array, wrong: dict[str, Array]) -> Any:
        def compute() -> Quantities:
            return {"the tensor": as_numpy(filled(found))}

        return self.compare(name, found, self.framework.tensor(right), compute, right, wrong)

    def get_params(self, get_params: Function) -> Any:
        """Check shapes, deviation, biases and gradients of the parameters."""

        def fault() -> str:
            params = filled(get_params(30, 400))
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

        return self._decide("get_params", get_params, fault)

    def init_rnn_state(self, init_rnn_state: Function) -> Any:
        """Check that the state is a tuple of zeros (batch_size, num_hiddens)."""

        def fault() -> str:
            state = filled(init_rnn_state(2, 4))
            if not isinstance(state, tuple):
                return f"the state is a tuple, with a comma: (H,); this is a {type(state).__name__}"
            zeros = [tuple(H.shape) == (2, 4) and not as_numpy(H).any() for H in state]
            return "" if zeros == [True] else "one tensor of zeros (batch_size, num_hiddens)"

        return self._decide("init_rnn_state", init_rnn_state, fault)

    def rnn(self, rnn: Function) -> Any:
        """Check the outputs and the state of the network's function."""
        inputs = np.eye(5)[self.batches[0].T]
        H = np.random.default_rng(8).standard_normal((2, 4)) / 2

        def compute() -> Quantities:
            given = self.framework.tensor(inputs), (self.framework.tensor(H),)
            outputs, state = filled(rnn(*given, self.framework.parameters(self.weights)))
            return {"the outputs": as_numpy(outputs), "the state": as_numpy(state[0])}

        wrong = {hint: forward_pass(inputs, H, self.weights, hint) for hint in FORWARD}
        right = forward_pass(inputs, H, self.weights, "")
        return self._compare("rnn", rnn, compute, right, wrong)

    def model(self, RNNModelScratch: Function) -> Any:
        """Check the class that holds the functions and the parameters."""
        X = self.batches[0]

        def compute() -> Quantities:
            net = self._model(RNNModelScratch)
            state = filled(net.begin_state(batch_size=2))
            outputs, state = filled(net(self.framework.tensor(X), state))
            own = [name for name in dir(self._model()) if not name.startswith("_")]
            if lacking := {*own} - {"forward", *dir(net)}:
                raise AttributeError(f"the functions below need {', '.join(sorted(lacking))}")
            return {"the outputs": as_numpy(outputs), "the state": as_numpy(state[0])}

        def forward(columns: Array) -> Quantities:
            return forward_pass(np.eye(5)[columns], np.zeros((2, 4)), self.weights, "")

        wrong = {"X is reshaped where it should be transposed": forward(X.reshape(4, 2))}
        return self._compare("RNNModelScratch", RNNModelScratch, compute, forward(X.T), wrong)

    def predict_rnn(self, predict_rnn: Function) -> Any:
        """Check the text that a network writes after a prefix."""
        vocab = Vocab(list("abcd"))
        right = written("abca", 12, vocab, self.weights, "")

        def fault() -> str:
            found = filled(predict_rnn("abca", 12, self._model(), vocab))
            if found == right:
                return ""
            for hint in PREDICTION:
                if found == written("abca", 12, vocab, self.weights, hint):
                    return hint
            return f"it writes {found!r}, the reference {right!r}"

        return self._decide("predict_rnn", predict_rnn, fault)

    def grad_clipping(self, grad_clipping: Function) -> Any:
        """Check gradients longer than theta, and shorter ones."""
        rng = np.random.default_rng(9)
        grads = [rng.standard_normal(shape) for shape in SHAPES]
        both = [grads, [0.01 * grad for grad in grads]]

        def compute() -> Quantities:
            return flat([self.framework.clip(grad_clipping, each, 1.0) for each in both])

        right, *others = (
            flat([clip(each, 1.0, hint) for each in both]) for hint in ("", *CLIPPING)
        )
        wrong = dict(zip(CLIPPING, others, strict=True))
        return self._compare("grad_clipping", grad_clipping, compute, right, wrong)

    def train_epoch_rnn(self, train_epoch_rnn: Function) -> Any:
        """Check the parameters and the perplexity after an epoch, carried and begun anew."""

        def train(net: Any, train_iter: list[Any], random: bool) -> float:
            updater = self.page.sgd_updater(net, 0.5)
            given = net, train_iter, self.page.cross_entropy, updater, random
            ppl, _ = filled(train_epoch_rnn(*given))
            return float(ppl)

        right = trained(self.pairs, self.weights, "")
        hints = [*TRAINING, *CLIPPING]
        wrong = {hint: trained(self.pairs, self.weights, hint) for hint in hints}

        def compute() -> Quantities:
            return self._trained(train)

        return self._compare("train_epoch_rnn", train_epoch_rnn, compute, right, wrong)

    def train_rnn(self, train_rnn: Function) -> Any:
        """Check the parameters after two epochs, carried and begun anew; silent meanwhile."""
        vocab = Vocab(list("abcd"))

        def train(net: Any, train_iter: list[Any], random: bool) -> float:
            with redirect_stdout(io.StringIO()):
                train_rnn(net, train_iter, vocab, 0.5, 2, use_random_iter=random)
            return 0.0

        right = weights_of(trained(self.pairs, self.weights, "", epochs=2))
        wrong = {
            hint: weights_of(trained(self.pairs, self.weights, hint, epochs))
            for hint, epochs in EPOCHS.items()
        }

        def compute() -> Quantities:
            return weights_of(self._trained(train))

        return self._compare("train_rnn", train_rnn, compute, right, wrong)

    def _trained(self, train: Callable[[Any, list[Any], bool], float]) -> Quantities:
        found: Quantities = {}
        for random in (False, True):
            net = self._model()
            ppl = train(
                net, [tuple(map(self.framework.tensor, pair)) for pair in self.pairs], random
            )
            found |= trained_quantities([as_numpy(p) for p in net.params], ppl, random)
        return found

    def _model(self, built: Function | None = None) -> Any:
        def get_params(vocab_size: int, num_hiddens: int) -> list[Any]:
            return self.framework.parameters(self.weights)

        built = built or self.page.RNNModelScratch
        return built(5, 4, get_params, self.page.init_rnn_state, self.page.rnn)

    def _decide(self, name: str, student: Function, fault: Callable[[], str]) -> Any:
        return self.decide(name, student, getattr(self.page, name), fault)

    def _compare(
        self,
        name: str,
        student: Function,
        compute: Callable[[], Quantities],
        right: Quantities,
        wrong: dict[str, Quantities],
    ) -> Any:
        return self.compare(name, student, getattr(self.page, name), compute, right, wrong)
