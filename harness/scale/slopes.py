"""Slopes: the power of the size that a cost grows with, beside that of the matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from common.floor import unavoidable
from harness.bench.ratios import Logs
from harness.bench.shapes import dimensions
from harness.intervals import Interval, interval
from harness.scale.ranges import OF_SHAPE, size
from harness.scale.swept import Relative, Swept
from harness.scale.tables import FLOOR, series_of, wide

FLAT = ("corpus_size", "num_epochs")
"""Dimensions whose cost is that of a token; of the others it is that of a step."""

WITHIN = 0.10
"""Share by which a cost may differ from what is expected, or memory grow, and still be as it."""

Verdict = Literal["as the products say", "flatter", "steeper", "cannot tell"]


@dataclass(frozen=True)
class Slope:
    """Slope of log cost over log size, of a form on a dimension.

    Attributes:
        first, last: sizes between which it is told: all of a sweep, or its two largest.
        slope: that fits best; its 95 % interval is NaN where there are too few rounds.
        expected: that of the products; of threads, that of twice the speed on twice as many.
        verdict: what its interval says of it beside the expected one.
    """

    dimension: str
    backend: str
    variant: str
    first: int
    last: int
    slope: float
    low: float
    high: float
    expected: float
    verdict: Verdict

    @property
    def found(self) -> Interval:
        """The slope with its interval."""
        return Interval(self.slope, self.low, self.high)


def slopes(swept: Swept, shape: str) -> list[Slope]:
    """Slopes of all forms, the floor's among them: over the whole sweep, then over its end."""
    dimension, costs = swept.vary.dimension, swept.relative | _of_floors(swept, shape)
    found = []
    for part in dict.fromkeys([swept.vary.values, swept.vary.values[-2:]]):
        for name, of in costs.items():
            if not of.keys() >= {*part}:
                continue
            form, slope = series_of(name), interval(fitted(part, [of[size] for size in part]))
            power = expected(dimension, shape, part)
            verdict: Verdict = "cannot tell" if swept.busy else verdict_on(slope, power, part)
            told = (part[0], part[-1], slope.median, slope.low, slope.high, power, verdict)
            found.append(Slope(dimension, form.backend, form.variant, *told))
    return found


def _of_floors(swept: Swept, shape: str) -> Relative:
    """Costs of the floors, by the medians of their few rounds."""
    speeds = wide(swept.table, "tokens_per_sec")
    found: Relative = {}
    for name in (str(each) for each in speeds if str(each).startswith(f"{FLOOR} ")):
        known = {int(str(key)): speed for key, speed in speeds[name].dropna().items()}
        tokens = {key: tokens_of(swept.vary.dimension, shape, key) for key in known}
        found[name] = {key: np.array([math.log(tokens[key] / known[key])]) for key in known}
    return found


def verdict_on(slope: Interval, power: float, sizes: Sequence[int]) -> Verdict:
    """Verdict on a slope: the cost as expected is within `WITHIN` of it, from end to end."""
    if not slope.known:
        return "cannot tell"
    margin = math.log1p(WITHIN) / math.log(sizes[-1] / sizes[0])
    low, high = slope.low - power, slope.high - power
    if -margin <= low and high <= margin:
        return "as the products say"
    if low > margin or high < -margin:
        return "steeper" if (low > margin) == (power >= 0) else "flatter"
    return "cannot tell"


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
    flops = [np.log([float(sum(each.flops for each in step))]) for step in products]
    return float(fitted(sizes, flops)[0])


def fitted(sizes: Sequence[int], costs: Sequence[Logs]) -> NDArray[np.float64]:
    """Slopes of straight lines through the logarithms, by least squares: one a round.

    Args:
        sizes: of each cost.
        costs: logarithms of the costs at each size, round by round.
    """
    x = np.log(sizes) - np.mean(np.log(sizes))
    rounds = min(map(len, costs))
    found: NDArray[np.float64] = x @ np.array([each[:rounds] for each in costs]) / (x @ x)
    return found


def sizes_told(slope: dict[str, Any]) -> str:
    """The sizes between which a slope of ``scale.json`` is told."""
    return "-".join(size(slope["dimension"], slope[end]) for end in ("first", "last"))
