"""Checks of the functional chapter's blanks: right code passes, and a mistake gets its hint."""

import importlib
import math
from functools import partial

import numpy as np
import pytest

import backends
from common.verdicts import BLANK
from common.vocab import Vocab, as_numpy

FUNCTIONS = """
    get_params init_rnn_state rnn predict_rnn grad_clipping train_epoch_rnn train_rnn
""".split()


@pytest.fixture
def page(backend):
    return backends.section(backend, "scratch")


@pytest.fixture
def check(backend):
    return backends.section(backend, "blanks").check


def verdict(check, name, *given):
    """The verdict of a check, once it is seen that it is printed and answered."""
    key = {"model": "RNNModelScratch", "data": "train_iter, vocab"}.get(name, name)
    back, (student, *_) = getattr(check, name)(*given), given
    told = check.verdicts[key]
    assert told == "right" or told.startswith("not yet: ")
    assert "\n" not in told
    if name not in ("data", "x_one_hot", "one_hot"):
        assert back is (student if told == "right" else getattr(check.page, key))
    return told


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_chapters_own_code_is_right(check, page, name, capsys):
    assert verdict(check, name, getattr(page, name)) == "right"
    assert capsys.readouterr().out == f"{name}: right\n"


def test_the_chapters_own_class_is_right(check, page):
    assert verdict(check, "model", page.RNNModelScratch) == "right"


def test_one_hot_vectors(check):
    X = np.arange(10).reshape(2, 5)
    right, wrong = np.eye(12)[X.T], np.eye(12)[X.T + 1]
    assert verdict(check, "one_hot", right, X, 12) == "right"
    assert check.one_hot(right, X, 12) is right
    assert "transpose X first" in verdict(check, "one_hot", np.eye(12)[X], X, 12)
    assert "off by" in verdict(check, "one_hot", wrong, X, 12)
    np.testing.assert_array_equal(as_numpy(check.one_hot(wrong, X, 12)), right)
    assert verdict(check, "x_one_hot", np.eye(12)[[0, 2]], [0, 2], 12) == "right"
    assert "off by" in verdict(check, "x_one_hot", np.eye(12)[[0, 3]], [0, 2], 12)


def test_minibatches(check, backend):
    load = backends.section(backend, "data").load_data
    given = "embedded", 4, 6

    def told(train_iter, vocab):
        return verdict(check, "data", train_iter, vocab, *given)

    train_iter, vocab = load(*given)
    assert told(train_iter, vocab) == "right"
    assert check.data(train_iter, vocab, *given) == (train_iter, vocab)
    assert "leave use_random_iter False" in told(load(*given, True)[0], vocab)
    assert "the shape of X is (4, 5), not (4, 6)" in told(load("embedded", 4, 5)[0], vocab)
    assert "one token later" in told([(X, X) for X, _ in train_iter], vocab)
    assert "ends after one epoch" in told(iter(train_iter), vocab)
    assert "not ndarray" in told(train_iter.loader, vocab)
    assert "its tokens are" in told(train_iter, Vocab("ab"))
    again, own = check.data(..., ..., *given)
    assert check.verdicts["train_iter, vocab"] == "not yet: write your code where the dots are"
    assert list(own) == list(vocab)
    assert len([*again]) == len(again)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_blank_is_not_yet(check, name):
    told = verdict(check, name, lambda *given, **named: ...)
    in_place = {"grad_clipping": "are not scaled", "train_rnn": "no epoch is trained"}
    assert BLANK in told or in_place[name] in told


def test_a_class_that_stops_leaves_the_next_checks_as_they_are(check, page):
    class Blank:
        def __init__(self, *given): ...

        def begin_state(self, batch_size):
            return ...

    class Stopped(page.RNNModelScratch):
        def __call__(self, X, state):
            return 1 / 0

    class Bare:
        def __init__(self, vocab_size, num_hiddens, get_params, init_state, forward):
            self.of = page.RNNModelScratch(vocab_size, num_hiddens, get_params, init_state, forward)
            self.begin_state = self.of.begin_state

        def __call__(self, X, state):
            return self.of(X, state)

    assert BLANK in verdict(check, "model", Blank)
    assert "it stops with ZeroDivisionError" in verdict(check, "model", Stopped)
    assert "the functions below need forward_fn, init_state, num_hiddens, params" in verdict(
        check, "model", Bare
    )
    for name in FUNCTIONS:
        assert verdict(check, name, getattr(page, name)) == "right"


def torch_page():
    return importlib.import_module("backends.torch.scratch")


# What students write: each function is the chapter's with one mistake in it, in PyTorch.


def rnn_with(mistake):
    import torch

    def rnn(inputs, state, params):
        W_xh, W_hh, b_h, W_hq, b_q = params
        (H,), outputs = state, []
        first = H
        for X in inputs:
            W = W_hh.T if mistake == "transposed" else W_hh
            before = first if mistake == "state" else H
            H = torch.mm(X, W_xh) + torch.mm(before, W) + (0 if mistake == "bias" else b_h)
            H = torch.relu(H) if mistake == "relu" else torch.tanh(H)
            Y = torch.mm(H, W_hq) + (0 if mistake == "output bias" else b_q)
            outputs.append(torch.softmax(Y, dim=1) if mistake == "softmax" else Y)
        if mistake == "joined":
            return torch.stack(outputs, dim=1).reshape(-1, Y.shape[1]), (H,)
        return torch.cat(outputs, dim=0), (H,)

    return rnn


def predict_with(mistake):
    def predict_rnn(prefix, num_predicts, model, vocab):
        state, outputs = model.begin_state(batch_size=1), [vocab[prefix[0]]]
        for y in prefix[1:]:
            if mistake != "warm-up":
                _, state = model([outputs[-1:]], state)
            outputs.append(vocab[y])
        if mistake == "twice":
            _, state = model([outputs[-1:]], state)
        for _ in range(num_predicts):
            fresh = model.begin_state(batch_size=1)
            Y, state = model([outputs[-1:]], fresh if mistake == "state" else state)
            outputs.append(int(Y.argmax(dim=0)[0] if mistake == "axis" else Y.argmax(dim=1)))
        return "".join(vocab.idx_to_token[i] for i in outputs)

    return predict_rnn


def clipping_with(mistake):
    import torch

    def grad_clipping(model, theta):
        squares = [(p.grad**2).sum() for p in model.params]
        norm = sum(squares) if mistake == "root" else torch.sqrt(sum(squares))
        for param, square in zip(model.params, squares, strict=True):
            length = torch.sqrt(square) if mistake == "each" else norm
            if length > theta or mistake == "always":
                param.grad[:] *= 1 if mistake == "none" else theta / length

    return grad_clipping


def training_with(mistake):
    def train_epoch_rnn(model, train_iter, loss, updater, use_random_iter):
        state, losses = None, []
        for X, Y in train_iter:
            if (
                state is None
                or (use_random_iter and mistake != "never reset")
                or mistake == "always reset"
            ):
                state = model.begin_state(batch_size=X.shape[0])
            elif mistake != "no detach":
                state = tuple(H.detach() for H in state)
            y = (Y if mistake == "labels" else Y.T).reshape(-1)
            y_hat, state = model(X, state)
            for param in model.params:
                param.grad = None
            l = loss(y_hat, y)
            l.backward()
            if mistake != "no clip":
                torch_page().grad_clipping(model, 1)
            updater(batch_size=X.shape[0] if mistake == "twice" else 1)
            losses.append(float(l.detach()))
        return math.exp(sum(losses) / len(losses)), 0

    return train_epoch_rnn


def loop_with(mistake):
    def train_rnn(model, train_iter, vocab, lr, num_epochs, use_random_iter=False):
        page = torch_page()
        updater = page.sgd_updater(model, 1 if mistake == "lr" else lr)
        random = False if mistake == "random" else use_random_iter
        for _ in range(1 if mistake == "epochs" else num_epochs):
            page.train_epoch_rnn(model, train_iter, page.cross_entropy, updater, random)
        print("a text as long as one likes")

    return train_rnn


def one_hot_of_floats():
    import torch

    class RNNModelScratch(torch_page().RNNModelScratch):
        def __call__(self, X, state):
            inputs = torch.nn.functional.one_hot(X.T.float(), self.vocab_size)
            return self.forward_fn(inputs.float(), state, self.params)

    return RNNModelScratch


MISTAKES = [
    ("rnn", partial(rnn_with, "bias"), "is b_h left out"),
    ("rnn", partial(rnn_with, "output bias"), "is b_q left out"),
    ("rnn", partial(rnn_with, "transposed"), "W_hh is transposed"),
    ("rnn", partial(rnn_with, "state"), "go on from step to step"),
    ("rnn", partial(rnn_with, "softmax"), "no softmax"),
    ("rnn", partial(rnn_with, "relu"), "the activation is tanh"),
    ("rnn", partial(rnn_with, "joined"), "joined along time"),
    ("model", one_hot_of_floats, "one-hot takes whole numbers"),
    ("predict_rnn", partial(predict_with, "warm-up"), "warm the state up"),
    ("predict_rnn", partial(predict_with, "twice"), "read twice"),
    ("predict_rnn", partial(predict_with, "state"), "from token to token"),
    ("predict_rnn", partial(predict_with, "axis"), "over the vocabulary"),
    ("grad_clipping", partial(clipping_with, "each"), "all gradients together"),
    ("grad_clipping", partial(clipping_with, "root"), "square root"),
    ("grad_clipping", partial(clipping_with, "none"), "are not scaled"),
    ("grad_clipping", partial(clipping_with, "always"), "shorter than theta"),
    ("train_epoch_rnn", partial(training_with, "labels"), "transpose Y"),
    ("train_epoch_rnn", partial(training_with, "no detach"), "detach it"),
    ("train_epoch_rnn", partial(training_with, "never reset"), "begins a new state"),
    ("train_epoch_rnn", partial(training_with, "always reset"), "carries its state on"),
    ("train_epoch_rnn", partial(training_with, "twice"), "divide by no batch size"),
    ("train_epoch_rnn", partial(training_with, "no clip"), "are not scaled"),
    ("train_rnn", partial(loop_with, "epochs"), "as num_epochs says"),
    ("train_rnn", partial(loop_with, "random"), "give use_random_iter"),
    ("train_rnn", partial(loop_with, "lr"), "give lr"),
]


@pytest.fixture
def torch_check(backend, check):
    if backend != "torch":
        pytest.skip("the mistakes are written in PyTorch")
    return check


@pytest.mark.parametrize(("name", "wrong", "hint"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_gets_its_hint(torch_check, name, wrong, hint):
    assert hint in verdict(torch_check, name, wrong())


def test_without_a_mistake_each_of_them_is_right(torch_check):
    made = {
        "rnn": rnn_with,
        "predict_rnn": predict_with,
        "grad_clipping": clipping_with,
        "train_epoch_rnn": training_with,
        "train_rnn": loop_with,
    }
    for name, with_mistake in made.items():
        assert verdict(torch_check, name, with_mistake("")) == "right"


def test_what_is_wrong_in_another_way_is_measured(check, page):
    def get_params(vocab_size, num_hiddens):
        return page.get_params(vocab_size, num_hiddens)[:4]

    assert "the shapes are" in verdict(check, "get_params", get_params)
    assert "a tuple, with a comma" in verdict(
        check, "init_rnn_state", lambda B, H: page.init_rnn_state(B, H)[0]
    )
    assert "it stops with ZeroDivisionError" in verdict(check, "rnn", lambda *_: 1 / 0)
    assert "is a return missing" in verdict(check, "rnn", lambda *_: None)
