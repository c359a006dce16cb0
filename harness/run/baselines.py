"""Baselines by counting alone on an experiment's own text: lines a network has to get below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from common.array import Array
from common.batches import SeqDataLoader
from common.files import write_aside
from common.inputs import Inputs
from common.ngrams import NGrams
from harness.records.cells import csv_of
from harness.records.schemas import BaselineTable

MODELS = ("unigram", "bigram", "trigram", "4-gram", "5-gram")
"""The models by n."""

LIMIT = 10_000_000
"""Tokens that are counted at most, from the start of a text; what follows is left out."""


def baselines(train: Array, val: Array | None, vocab_size: int) -> pd.DataFrame:
    """The perplexities of n-gram models that were counted on one text, on it and on another.

    Of either, the first `LIMIT` tokens are used: 10 million characters take about ten seconds, as
    many words some minutes.

    Args:
        train: indices (N,), which are counted.
        val: indices (M,), which are not; or None.
        vocab_size: number of tokens in the vocabulary.

    Returns:
        model, n, smoothing (``none`` or ``kneser-ney``), perplexity (on `train`), val_perplexity
        (on `val`; NaN where there is none). What a model holds impossible makes it infinite.
    """
    counted = NGrams(train[:LIMIT], vocab_size)
    own = counted.perplexities(train[:LIMIT])
    other = None if val is None else counted.perplexities(val[:LIMIT])
    rows = []
    for n, figures in enumerate(own, 1):
        on_val = next(other) if other else {}
        rows += [
            [MODELS[n - 1], n, smoothing, figure, on_val.get(smoothing, np.nan)]
            for smoothing, figure in figures.items()
        ]
    return pd.DataFrame(rows, columns=list(BaselineTable.model_fields))


def texts(loader: SeqDataLoader) -> tuple[Array, Array | None]:
    """The tokens an experiment trains on, and those it validates on, each once and in order.

    Of sliding windows it is what the windows cover; the last of those to train and the first of
    those to validate share ``num_steps`` tokens, as they do in the book.
    """
    if loader.sampling != "sliding":
        return loader.corpus, None
    num_train, num_val = len(loader.train_windows), len(loader.val_windows)
    train = loader.corpus[: num_train + loader.num_steps]
    return train, loader.corpus[num_train : num_train + num_val + loader.num_steps]


def write_baselines(folder: Path, inputs: Inputs) -> pd.DataFrame:
    """Write the baselines of an experiment's batches into a run folder, as ``baselines.csv``."""
    table = baselines(*texts(inputs.loader), len(inputs.vocab))
    write_aside(folder / "baselines.csv", csv_of(table))
    return table
