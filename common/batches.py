"""The three samplers of the book: a corpus becomes minibatches of (X, Y).

Every sampler yields X and Y of shape (batch_size, num_steps), where Y is X one token later.
Windows are views of the corpus; only the batches that are gathered at random are copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Literal

import numpy as np

from common.array import Array
from common.errors import RequestError
from common.indices import FileIndices, row_reader

Sampling = Literal["random", "sequential", "sliding"]
Batch = tuple[Array, Array]
"""Indices X and Y, each (batch, num_steps)."""

NUM_TRAIN, NUM_VAL = 10_000, 5_000  # windows to train on and to validate with (chapter 9)


def seq_data_iter_random(
    corpus: Array | FileIndices,
    batch_size: int,
    num_steps: int,
    rng: np.random.Generator,
    offset: int = 0,
    start: int = 0,
) -> Iterator[Batch]:
    """Subsequences that do not overlap, in random order (functional and original chapters).

    The corpus is cut from `offset` on; the last partial batch is dropped. So are the first `start`.
    """
    num_subseqs = (len(corpus) - offset - 1) // num_steps
    order, rows = _shuffled(num_subseqs, rng), row_reader(corpus, num_steps + 1)
    for i in range(start * batch_size, num_subseqs - batch_size + 1, batch_size):
        places = order[i : i + batch_size].astype(np.int64)
        batch = rows(offset + num_steps * places)
        yield batch[:, :-1], batch[:, 1:]


def _shuffled(count: int, rng: np.random.Generator) -> Array:
    """The permutation that ``rng.permutation(count)`` draws, in half the memory."""
    order = np.arange(count, dtype=np.uint32 if count < 2**32 else np.int64)
    rng.shuffle(order)
    return order


def seq_data_iter_sequential(
    corpus: Array | FileIndices,
    batch_size: int,
    num_steps: int,
    offset: int = 0,
    start: int = 0,
) -> Iterator[Batch]:
    """Subsequences whose rows go on in the next batch (functional and original chapters).

    The first `start` batches are left out.
    """
    row_length = (len(corpus) - offset - 1) // batch_size
    steps = range(start * num_steps, row_length - num_steps + 1, num_steps)
    if isinstance(corpus, FileIndices):
        row_starts, rows = (
            offset + row_length * np.arange(batch_size),
            row_reader(corpus, num_steps + 1),
        )
        for i in steps:
            batch = rows(row_starts + i)
            yield batch[:, :-1], batch[:, 1:]
        return
    used = row_length * batch_size
    Xs = corpus[offset : offset + used].reshape(batch_size, row_length)
    Ys = corpus[offset + 1 : offset + 1 + used].reshape(batch_size, row_length)
    for i in steps:
        yield Xs[:, i : i + num_steps], Ys[:, i : i + num_steps]


def seq_data_iter_sliding(
    windows: Array, batch_size: int, rng: np.random.Generator | None = None, start: int = 0
) -> Iterator[Batch]:
    """All windows (N, num_steps + 1), shuffled where an rng is given (chapter 9).

    The last partial batch is kept, the first `start` batches are left out.
    """
    for places in islice(minibatch_places(len(windows), batch_size, rng), start, None):
        batch = windows[places]
        yield batch[:, :-1], batch[:, 1:]


def minibatch_places(
    num_examples: int, batch_size: int, rng: np.random.Generator | None = None
) -> Iterator[Array]:
    """The places of each minibatch's examples, in an order drawn by an rng; the last is partial."""
    order = np.arange(num_examples) if rng is None else rng.permutation(num_examples)
    for i in range(0, num_examples, batch_size):
        yield order[i : i + batch_size]


class SeqDataLoader:
    """One corpus under one sampler: every iteration is the next epoch, repeatable from the seed.

    Args:
        corpus: indices (N,), in memory, mapped, or in a file.
        batch_size, num_steps: the shape of a batch.
        sampling: ``random`` or ``sequential`` (both drop the last partial batch), or ``sliding``
            (all windows at stride 1, the first 10,000 to train, the next 5,000 to validate; of a
            corpus with fewer, two thirds and the rest).
        seed: decides offsets and order; epoch k is the same whatever was drawn before it.
        random_offset: start every epoch at a random offset below num_steps (functional chapter)
            rather than at zero (original chapter). Of no meaning to ``sliding``.

    Raises:
        RequestError: the corpus is too short for a single batch.
    """

    def __init__(
        self,
        corpus: Array | FileIndices,
        batch_size: int,
        num_steps: int,
        sampling: Sampling,
        seed: int = 0,
        random_offset: bool = True,
    ) -> None:
        self.corpus, self.batch_size, self.num_steps = corpus, batch_size, num_steps
        self.sampling, self.seed, self.random_offset = sampling, seed, random_offset
        self.next_epoch = 0
        self._check_length()
        if sampling == "sliding":
            num_train = min(NUM_TRAIN, (len(corpus) - num_steps) * 2 // 3)
            used = corpus[: num_train + NUM_VAL + num_steps]
            windows = np.lib.stride_tricks.sliding_window_view(used, num_steps + 1)
            self.train_windows = windows[:num_train]
            self.val_windows = windows[num_train : num_train + NUM_VAL]

    def _check_length(self) -> None:
        largest_offset = self.num_steps - 1 if self.random_offset else 0
        needed = {
            "random": self.batch_size * self.num_steps + 1 + largest_offset,
            "sequential": self.batch_size * self.num_steps + 1 + largest_offset,
            "sliding": self.num_steps + 3,
        }[self.sampling]
        if len(self.corpus) < needed:
            raise RequestError(
                f"the corpus is too short: {len(self.corpus):,} tokens, but --sampling "
                f"{self.sampling} with --batch-size {self.batch_size} --num-steps "
                f"{self.num_steps} needs {needed:,}: give more text or smaller batches"
            )

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the next epoch."""
        self.next_epoch += 1
        return self.epoch(self.next_epoch)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number`, which counts from 1, but for the first `start`."""
        rng = np.random.default_rng([self.seed, number])
        if self.sampling == "sliding":
            return seq_data_iter_sliding(self.train_windows, self.batch_size, rng, start)
        offset = self._offset(rng)
        shape = self.batch_size, self.num_steps
        if self.sampling == "random":
            return seq_data_iter_random(self.corpus, *shape, rng, offset, start)
        return seq_data_iter_sequential(self.corpus, *shape, offset, start)

    def _offset(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.num_steps)) if self.random_offset else 0

    def __len__(self) -> int:
        """Number of minibatches in an epoch; where it begins at random, in the first."""
        if self.sampling == "sliding":
            return -(-len(self.train_windows) // self.batch_size)
        offset = self._offset(np.random.default_rng([self.seed, 1]))
        return (len(self.corpus) - 1 - offset) // (self.batch_size * self.num_steps)

    def validation(self) -> Iterator[Batch]:
        """The validation batches, in order; none unless the sampling is ``sliding``."""
        if self.sampling != "sliding":
            return iter(())
        return seq_data_iter_sliding(self.val_windows, self.batch_size)

    def spans(self) -> tuple[range, range]:
        """The places in the corpus of what is trained on, and of what is validated on.

        Of sliding windows it is what the windows cover; the last of those to train and the first
        of those to validate share ``num_steps`` tokens, as they do in the book.
        """
        if self.sampling != "sliding":
            return range(len(self.corpus)), range(0)
        middle = len(self.train_windows)
        end = middle + len(self.val_windows) + self.num_steps
        return range(middle + self.num_steps), range(middle, end)

    def shapes(self) -> list[tuple[int, int]]:
        """The shapes of batch that an epoch holds: what a backend compiles for."""
        if self.sampling != "sliding":
            return [(self.batch_size, self.num_steps)]
        sizes = {min(self.batch_size, len(self.train_windows))}
        sizes.add(len(self.train_windows) % self.batch_size or self.batch_size)
        return [(size, self.num_steps) for size in sorted(sizes, reverse=True)]
