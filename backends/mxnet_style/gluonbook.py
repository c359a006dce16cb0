"""The book's helper package, as far as the chapter on the lyrics needs it to run as it stands.

What the chapter says it saves here takes the arguments it has there, and is made of `scratch`.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np

from backends.mxnet_style import scratch
from backends.mxnet_style.engine import cpu, nd
from common.batches import seq_data_iter_random, seq_data_iter_sequential
from common.corpus import load_data_jay_lyrics
from common.vocab import Vocab

__all__ = [
    "data_iter_consecutive",
    "data_iter_random",
    "grad_clipping",
    "load_data_jay_lyrics",
    "predict_rnn",
    "sgd",
    "to_onehot",
    "train_and_predict_rnn",
    "try_gpu",
]

sgd, to_onehot = scratch.sgd, scratch.to_onehot


def try_gpu():
    """The device to compute on; neither engine has another."""
    return cpu()


def data_iter_random(corpus_indices, batch_size, num_steps, ctx=None):
    """Minibatches in random order, which the engine's seed decides, as arrays on a device."""
    seed = int(nd.random.uniform(0, 2**24).asscalar())  # float32 counts as far
    batches = seq_data_iter_random(
        np.asarray(corpus_indices), batch_size, num_steps, np.random.default_rng(seed)
    )
    return ((nd.array(X, ctx), nd.array(Y, ctx)) for X, Y in batches)


def data_iter_consecutive(corpus_indices, batch_size, num_steps, ctx=None):
    """Minibatches whose rows go on in the next, as arrays on a device."""
    batches = seq_data_iter_sequential(np.asarray(corpus_indices), batch_size, num_steps)
    return ((nd.array(X, ctx), nd.array(Y, ctx)) for X, Y in batches)


def model_of(rnn, params, init_rnn_state, num_hiddens, vocab_size, ctx):
    """The chapter's functions as a model of `scratch`, whose outputs are one array."""

    def forward(inputs, state, params):
        outputs, state = rnn(inputs, state, params)
        return nd.concat(*outputs, dim=0), state

    return scratch.RNNModelScratch(
        vocab_size,
        num_hiddens,
        get_params=lambda *sizes: params,
        init_state=lambda *sizes: init_rnn_state(*sizes, ctx),
        forward=forward,
    )


def predict_rnn(
    prefix, num_chars, rnn, params, init_rnn_state,
    num_hiddens, vocab_size, ctx, idx_to_char, char_to_idx
):  # fmt: skip
    """The prefix and the num_chars most likely characters after it."""
    model = model_of(rnn, params, init_rnn_state, num_hiddens, vocab_size, ctx)
    vocab = Vocab.from_idx_to_token(idx_to_char, "char")
    return scratch.predict_rnn(prefix, num_chars, model, vocab)


def grad_clipping(params, theta, ctx):
    """Scale all gradients together so that their norm is at most theta."""
    scratch.grad_clipping(SimpleNamespace(params=params), theta)


def train_and_predict_rnn(
    rnn, get_params, init_rnn_state, num_hiddens, vocab_size, ctx, corpus_indices, idx_to_char,
    char_to_idx, is_random_iter, num_epochs, num_steps, lr, clipping_theta, batch_size,
    pred_period, pred_len, prefixes
):  # fmt: skip
    """Train new parameters; every pred_period epochs, show perplexity and how prefixes go on."""
    network = rnn, get_params(), init_rnn_state, num_hiddens, vocab_size, ctx
    model = model_of(*network)
    updater = scratch.sgd_updater(model, lr)
    data_iter = data_iter_random if is_random_iter else data_iter_consecutive
    for epoch in range(num_epochs):
        start = time.time()
        ppl, _ = scratch.train_epoch_rnn(
            model,
            data_iter(corpus_indices, batch_size, num_steps, ctx),
            scratch.cross_entropy,
            updater,
            is_random_iter,
            clipping_theta,
        )
        if (epoch + 1) % pred_period == 0:
            seconds = time.time() - start
            print(f"epoch {epoch + 1}, perplexity {ppl:f}, time {seconds:.2f} sec")
            for prefix in prefixes:
                print(" -", predict_rnn(prefix, pred_len, *network, idx_to_char, char_to_idx))
