"""Slopes: the power of the size that a cost grows with, beside that of the matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from common.floor import unavoidable
from harness.bench.shapes import dimensions
from harness.intervals import ERROR, Interval
from harness.scale.ranges import OF_SHAPE
from harness.scale.tables import series_of, wide

FLAT = ("corpus_size", "num_epochs")
"""Dimensions whose cost is that of a token; of the others it is that of a step."""


@dataclass(frozen=True)
class Slope:
    """Slope of log cost over log size, of a form on a dimension.

    Attributes:
        slope: that fits best; its 95 % interval is NaN for two sizes.
        expected: that of the products; of threads, that of twice the speed on twice as many.
    """

    dimension: str
    backend: str
    variant: str
    slope: float
    low: float
    high: float
    expected: float


def slopes(table: pd.DataFrame, dimension: str, shape: str) -> list[Slope]:
    """The slopes of all forms that have figures at two sizes or more, the floor's among them."""
    speeds = wide(table, "tokens_per_sec")
    found = []
    for name, column in speeds.items():
        known, form = column.dropna(), series_of(name)
        if len(known) > 1:
            sizes = known.index.tolist()
            tokens = [tokens_of(dimension, shape, size) for size in sizes]
            slope = fitted(sizes, np.array(tokens) / known.to_numpy())
            told = slope.median, slope.low, slope.high, expected(dimension, shape, sizes)
            found.append(Slope(dimension, form.backend, form.variant, *told))
    return found


def tokens_of(dimension: str, shape: str, size: int) -> int:
    """Tokens whose cost is told: those of a step, or one where the cost of a token is."""
    if dimension in FLAT:
        return 1
    B, T, _, _ = sizes_at(dimension, shape, size)
    return B * T


def sizes_at(dimension: str, shape: str, size: int) -> tuple[int, ...]:
    """The numbers of a shape with one dimension of this size."""
    sizes = dict(zip(OF_SHAPE, dimensions(shape), strict=True))
    if dimension in sizes:
        sizes[dimension] = size
    return tuple(sizes.values())


def expected(dimension: str, shape: str, sizes: Sequence[int]) -> float:
    """The slope of what the matrix products of a step compute, at these sizes."""
    if dimension == "threads":
        return -1.0
    if dimension in FLAT:
        return 0.0
    products = [unavoidable(*sizes_at(dimension, shape, size)) for size in sizes]
    return fitted(sizes, [float(sum(each.flops for each in step)) for step in products]).median


def fitted(sizes: Sequence[int], costs: Sequence[float] | np.ndarray) -> Interval:
    """Slope of a straight line through the logarithms, by least squares, with its interval.

    The interval is Student's, of what the points lie off the line: a cost that is no power of its
    size has a wide one.
    """
    from scipy import stats

    line = stats.linregress(np.log(sizes), np.log(costs))
    slope, free = float(line.slope), len(sizes) - 2
    if free < 1:
        return Interval(slope)
    half = float(stats.t.ppf(1 - ERROR / 2, free)) * float(line.stderr)
    return Interval(slope, slope - half, slope + half) if math.isfinite(half) else Interval(slope)
