"""Parts of a minibatch for the cores, and blocks of a part that a core's cache can hold."""

from __future__ import annotations

import os

FEWEST = 8
"""Sequences of a part at least: with fewer, products gain less from a core than a part costs."""

CACHE = 1 << 20
"""Bytes of a block's arrays at most: what a core of 2020 and later has of cache to itself."""

NARROWEST = 32
"""Sequences of a block at least: narrower products take longer than memory does."""


def cores() -> int:
    """The number of CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def number_of_parts(sequences: int, cores: int) -> int:
    """The number of parts of a minibatch that are worked on at once, each on a core."""
    return max(1, min(cores, sequences // FEWEST))


def cache_holds(num_hiddens: int) -> bool:
    """True if a core's cache holds W_hh in float32.

    Where it does not, each of several parts reads all of it at every step; cores that share one
    product read a part of it each.
    """
    return 4 * num_hiddens**2 <= CACHE


def number_of_blocks(sequences: int, num_steps: int, num_hiddens: int, vocab_size: int) -> int:
    """The number of equal blocks that a part is worked on in, one after the other.

    A training step passes over states and logits several times. Where they are larger than the
    cache and the sequences are many, that is faster block by block, as the loops of a product are
    (K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).

    Args:
        sequences: of the part, each of num_steps tokens, in float32.
    """
    bytes_each = 4 * num_steps * 2 * (num_hiddens + vocab_size)
    for count in range(1, sequences // NARROWEST + 1):
        if sequences % count == 0 and sequences // count * bytes_each <= CACHE:
            return count
    return 1
