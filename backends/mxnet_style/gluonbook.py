"""The book's helper package, as far as the chapter on the lyrics needs it to run as it stands."""

from __future__ import annotations

import numpy as np

from backends.mxnet_style import scratch
from backends.mxnet_style.engine import cpu, nd
from common.batches import seq_data_iter_random, seq_data_iter_sequential
from common.corpus import load_data_jay_lyrics

__all__ = [
    "data_iter_consecutive",
    "data_iter_random",
    "load_data_jay_lyrics",
    "sgd",
    "to_onehot",
    "try_gpu",
]

sgd, to_onehot = scratch.sgd, scratch.to_onehot


def try_gpu():
    """The device to compute on; neither engine has another."""
    return cpu()


def data_iter_random(corpus_indices, batch_size, num_steps, ctx=None):
    """Minibatches in random order, as arrays on a device."""
    batches = seq_data_iter_random(
        np.asarray(corpus_indices), batch_size, num_steps, np.random.default_rng()
    )
    return ((nd.array(X, ctx), nd.array(Y, ctx)) for X, Y in batches)


def data_iter_consecutive(corpus_indices, batch_size, num_steps, ctx=None):
    """Minibatches whose rows go on in the next, as arrays on a device."""
    batches = seq_data_iter_sequential(np.asarray(corpus_indices), batch_size, num_steps)
    return ((nd.array(X, ctx), nd.array(Y, ctx)) for X, Y in batches)
