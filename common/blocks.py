"""Blocks of a minibatch whose arrays a core's cache can hold."""

from __future__ import annotations

CACHE = 1 << 20
"""Bytes of a block's arrays at most: what a core of 2020 and later has of cache to itself."""

NARROWEST = 32
"""Sequences of a block at least: narrower products take longer than memory does."""


def number_of_blocks(sequences: int, num_steps: int, num_hiddens: int, vocab_size: int) -> int:
    """The number of equal blocks that a minibatch is worked on in, one after the other.

    A training step passes over states and logits several times. Where they are larger than the
    cache and the sequences are many, that is faster block by block, as the loops of a product are
    (K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).

    Args:
        sequences: of the minibatch, each of num_steps tokens, in float32.
    """
    bytes_each = 4 * num_steps * 2 * (num_hiddens + vocab_size)
    for count in range(1, sequences // NARROWEST + 1):
        if sequences % count == 0 and sequences // count * bytes_each <= CACHE:
            return count
    return 1
