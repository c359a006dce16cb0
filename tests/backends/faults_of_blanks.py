"""Students' code: each function is the chapter's with one mistake in it, in PyTorch."""

import importlib
import math
from functools import partial


def torch_page():
    return importlib.import_module("backends.torch.scratch")


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
"""Checks, the mistakes that are made there, and words of the hints that they get."""
