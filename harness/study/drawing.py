"""Drawing of cells: points of a cube, evenly or at random, become settings.

Points are Sobol's, scrambled by a seed (SciPy's `qmc`, after Owen): any number of them fills the
cube more evenly than as many random ones do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from common.array import Array
from common.errors import RequestError

Draw = Literal["sobol", "random"]

DIGITS = 6
"""Digits of a number that is drawn: folders and tables are named by it."""


class Range(BaseModel):
    """A range of a setting, of whole numbers if both of its ends are.

    Attributes:
        low, high: its ends.
        log: True if it is drawn by its logarithm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def go_together(self) -> Self:
        """See that it is a range."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise PydanticCustomError("together", "low is to be below high, and both finite")
        if self.log and self.low <= 0:
            raise PydanticCustomError("together", "log is for ranges above 0")
        return self

    def value(self, part: float) -> int | float:
        """The value at a part of the range, from 0 to 1."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, high = float(self.low), float(self.high) + whole  # each whole number has one's room
        found = low * (high / low) ** part if self.log else low + part * (high - low)
        return min(int(found), int(self.high)) if whole else float(f"{found:.{DIGITS}g}")


def drawn(
    choices: Mapping[str, Range | list[Any]], count: int, draw: Draw, seed: int
) -> Iterator[dict[str, Any]]:
    """Settings that are drawn, each time the same ones, and each once.

    Args:
        choices: ranges, and lists of values.
        count: of cells.
        draw, seed: how.

    Raises:
        RequestError: there are not so many.
    """
    seen: set[tuple[Any, ...]] = set()
    for point in _points(len(choices), count, draw, seed):
        parts = zip(choices.values(), point, strict=True)
        values = tuple(_value(choice, float(part)) for choice, part in parts)
        told = tuple(map(str, values))
        if told not in seen:
            seen.add(told)
            yield dict(zip(choices, values, strict=True))
            if len(seen) == count:
                return
    raise RequestError(f"only {len(seen)} cells that differ were found for a sample of {count}")


def _value(choice: Range | list[Any], part: float) -> Any:
    if isinstance(choice, Range):
        return choice.value(part)
    return choice[min(int(part * len(choice)), len(choice) - 1)]


def _points(dimensions: int, count: int, draw: Draw, seed: int) -> Iterator[Array]:
    """Four times as many points as are wanted, for some may become the same settings."""
    if draw == "random":
        yield from np.random.default_rng(seed).random((4 * count, dimensions))
        return
    from scipy.stats import qmc

    power = math.ceil(math.log2(count))  # Sobol's points come by powers of 2
    sobol = qmc.Sobol(dimensions, rng=seed)
    for each in (power, power, power + 1):
        yield from sobol.random_base2(each)
