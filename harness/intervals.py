"""Medians with bootstrap intervals, and the words for a ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

SpeedVerdict = Literal["faster", "slower", "tie"]

RESAMPLES = 4000


@dataclass(frozen=True)
class Interval:
    """A median and the 95 % interval in which it lies.

    Attributes:
        median: of the values.
        low, high: the 2.5th and 97.5th percentile of the medians of resamples (Efron and
            Tibshirani, "An introduction to the bootstrap", 1993, chapter 13).
    """

    median: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """The median of at least one value, with its bootstrap interval; the same for the same values.

    For a ratio of two things that were measured in the same rounds, give the ratio of each round:
    what slowed both down in a round then cancels.
    """
    given = np.asarray(values, np.float64)
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(given, (RESAMPLES, len(given))), axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return Interval(float(np.median(given)), float(low), float(high))


def verdict(ratio: Interval) -> SpeedVerdict:
    """SpeedVerdict on a ratio of throughputs: a tie where its interval holds 1."""
    if ratio.low > 1:
        return "faster"
    return "slower" if ratio.high < 1 else "tie"
