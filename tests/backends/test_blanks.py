"""Checks of the functional chapter's blanks: right code passes, and a mistake gets its hint."""

import importlib
import math
from functools import partial

import numpy as np
import pytest

import backends

FUNCTIONS = "get_params init_rnn_state rnn predict_rnn grad_clipping train_epoch_rnn".split()


@pytest.fixture
def page(backend):
    return backends.section(backend, "scratch")


@pytest.fixture
def check(backend):
    return backends.section(backend, "blanks").check


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_chapters_own_code_is_right(check, page, name, capsys):
    assert getattr(check, name)(getattr(page, name)) == f"{name}: right"
    assert capsys.readouterr().out == f"{name}: right\n"


def test_the_chapters_own_class_is_right(check, page):
    assert check.model(page.RNNModelScratch) == "RNNModelScratch: right"


def test_one_hot_vectors(check):
    X = np.arange(10).reshape(2, 5)
    assert check.one_hot(np.eye(12)[X.T], X, 12) == "one_hot: right"
    assert "transpose X first" in check.one_hot(np.eye(12)[X], X, 12)
    assert "off by" in check.one_hot(np.eye(12)[X.T + 1], X, 12)


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
]


@pytest.fixture
def torch_check(backend, check):
    if backend != "torch":
        pytest.skip("the mistakes are written in PyTorch")
    return check


@pytest.mark.parametrize(("name", "wrong", "hint"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_gets_its_hint(torch_check, name, wrong, hint):
    assert hint in getattr(torch_check, name)(wrong())


def test_without_a_mistake_each_of_them_is_right(torch_check):
    made = {
        "rnn": rnn_with,
        "predict_rnn": predict_with,
        "grad_clipping": clipping_with,
        "train_epoch_rnn": training_with,
    }
    for name, with_mistake in made.items():
        assert getattr(torch_check, name)(with_mistake("")) == f"{name}: right"


def test_what_is_wrong_in_another_way_is_measured(check, page):
    def get_params(vocab_size, num_hiddens):
        return page.get_params(vocab_size, num_hiddens)[:4]

    assert "the shapes are" in check.get_params(get_params)
    assert "a tuple, with a comma" in check.init_rnn_state(
        lambda B, H: page.init_rnn_state(B, H)[0]
    )
    assert "it stops with ZeroDivisionError" in check.rnn(lambda *_: 1 / 0)
