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
from common.vocab import Token
from harness.console import note
from harness.records.cells import csv_of
from harness.records.schemas import BaselineTable

MODELS = ("unigram", "bigram", "trigram", "4-gram", "5-gram")
"""The models by n."""

LIMITS: dict[Token, int] = {"char": 10_000_000, "word": 1_000_000}
"""Tokens that are counted at most, from the start of a text: some ten seconds' worth."""


def baselines(train: Array, val: Array | None, vocab_size: int) -> pd.DataFrame:
    """The perplexities of n-gram models that were counted on one text, on it and on another.

    Args:
        train: indices (N,), which are counted.
        val: indices (M,), which are not; or None.
        vocab_size: number of tokens in the vocabulary.

    Returns:
        model, n, smoothing (``none`` or ``kneser-ney``), perplexity (on `train`), val_perplexity
        (on `val`; NaN where there is none). What a model holds impossible makes it infinite.
    """
    counted = NGrams(train, vocab_size)
    own = counted.perplexities(train)
    other = None if val is None else counted.perplexities(val)
    rows = []
    for n, figures in enumerate(own, 1):
        on_val = next(other) if other else {}
        rows += [
            [MODELS[n - 1], n, smoothing, figure, on_val.get(smoothing, np.nan)]
            for smoothing, figure in figures.items()
        ]
    return pd.DataFrame(rows, columns="model n smoothing perplexity val_perplexity".split())


def texts(loader: SeqDataLoader, token: Token) -> tuple[Array, Array | None]:
    """The tokens an experiment trains on, as far as they are counted, and those it validates on."""
    train, val = loader.spans()
    counted = loader.corpus[: min(train.stop, LIMITS[token])]
    return counted, loader.corpus[val.start : val.stop] if val else None


def try_baselines(folder: Path, inputs: Inputs) -> None:
    """Write the baselines of a run that is trained, and stands as it is without them."""
    try:
        write_baselines(folder, inputs)
    except MemoryError:
        note("no baselines: no memory is left to count n-grams; --baselines off leaves them out")


def write_baselines(folder: Path, inputs: Inputs) -> pd.DataFrame:
    """Write the baselines of an experiment's batches into a run folder, as ``baselines.csv``."""
    train, val = texts(inputs.loader, inputs.vocab.token)
    table = baselines(train, val, len(inputs.vocab)).assign(tokens=len(train))
    write_aside(folder / "baselines.csv", csv_of(table[list(BaselineTable.model_fields)]))
    return table
