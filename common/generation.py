"""Generation: a text a step a token, in calls of a loop that a backend runs on its device.

What such a loop needs is told before it starts: the tokens to read, how many to write, the draws.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from common.array import Array
from common.experiment import Experiment
from common.vocab import Vocab

CHUNK = 1024
"""Tokens that one call reads and writes at most: one compiled loop serves texts of any length."""


class Write(Protocol):
    """A network that goes on with a text, call by call; its state starts at zero."""

    def __call__(self, tokens: Array, count: int, draws: Array | None) -> Array:
        """Read all tokens but the last, then write `count` more, the first after the last.

        Args:
            tokens: indices (n,), of which there is one at least.
            count: number of tokens to write, which may be 0.
            draws: float64 (count,) between 0 and 1, one for each; None to take the likeliest.

        Returns:
            The indices (count,) that it wrote. Of these and of the tokens, the last is not read.
        """


def written(write: Write, prefix: str, num_preds: int, vocab: Vocab, experiment: Experiment) -> str:
    """The prefix and num_preds tokens after it, as `common.interface.Model.predict` promises.

    Raises:
        RequestError: the prefix is empty, or holds what the vocabulary cannot spell.
    """
    vocab.check_prefix(prefix)
    tokens = vocab[vocab.split(prefix)]
    draws = np.random.default_rng(experiment.seed)
    end, read = len(tokens) + num_preds, 0
    while len(tokens) < end:
        given = np.array(tokens[read : read + CHUNK], np.int32)
        last = read + len(given) == len(tokens)
        count = min(CHUNK, end - len(tokens)) if last else 0
        given_draws = draws.random(count) if experiment.decode == "sample" else None
        tokens += write(given, count, given_draws).tolist()
        read += len(given) - 1 + count
    return vocab.join(tokens)
