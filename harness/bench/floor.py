"""The floor: from the turns of libraries to the seconds that no step can do without.

There are two. That of the products has the matrix products alone; that of all operations has, after
them, a pass each for tanh, for its gradient and for softmax with its own (`common.floor`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from common.floor import PASSES
from harness.bench.contenders import Contender

PRODUCTS, OPERATIONS = "products", "operations"
"""Variants of the backend ``floor``. Benchmarks from before passes were timed have the first."""


def floor(found: Sequence[Contender]) -> dict[str, dict[str, float]]:
    """The median seconds of each unavoidable operation, by library and way, the fastest first."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for each in found:
        if each.variant == PRODUCTS and not each.reason:
            for turn in each.products:
                for operation, ways in turn.items():
                    for way, taken in ways.items():
                        kept = seconds.setdefault(operation, {})
                        kept.setdefault(f"{each.backend}: {way}", []).append(taken)
    return {
        operation: dict(
            sorted(((w, float(np.median(s))) for w, s in ways.items()), key=lambda i: i[1])
        )
        for operation, ways in seconds.items()
    }


def limits(found: Sequence[Contender]) -> dict[str, float]:
    """Seconds of a step by `PRODUCTS` and by `OPERATIONS`, each operation where it is fastest."""
    return sums({operation: next(iter(ways.values())) for operation, ways in floor(found).items()})


def sums(seconds: Mapping[str, float]) -> dict[str, float]:
    """The seconds of each operation, as those of all products, and of all operations if there."""
    found = {}
    if products := [taken for name, taken in seconds.items() if name not in PASSES]:
        found[PRODUCTS] = sum(products)
        if all(name in seconds for name in PASSES):
            found[OPERATIONS] = sum(seconds.values())
    return found
