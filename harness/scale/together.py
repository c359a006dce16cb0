"""Sizes that take turns with each other: as many at once as the machine has memory for.

A ratio of two sizes is told by rounds in which both had a turn, so that the drift of a machine,
which minutes show, cancels. Each size of a form has a process of its own, for its memory is told,
and all of them stay open. Where they are too many, there are several groups, each with the first
size, over which the ratios are.
"""

from __future__ import annotations

from collections.abc import Sequence

EACH = 2**29
"""Bytes of a process in the mean, at most: frameworks take from 0.06 to 0.9 GB."""


def groups(values: Sequence[int], processes: int, available: int) -> list[tuple[int, ...]]:
    """Sizes by group, each with the first; two at least are open at once.

    Args:
        values: sizes, rising.
        processes: number of those that a size has.
        available: bytes of memory that are free.
    """
    others = max(1, available // (EACH * processes) - 1)
    starts = range(1, len(values), others)
    return [(values[0], *values[start : start + others]) for start in starts]
