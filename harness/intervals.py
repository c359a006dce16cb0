"""Intervals for what was measured, and the words for a ratio.

The methods are SciPy's, which is imported where it is needed, so that ``--help`` stays quick. Fewer
than `FEWEST` values have no interval, and nothing is said of them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SpeedVerdict = Literal["faster", "slower", "tie"]

FEWEST = 6
"""Values without which there is no 95 % interval: not even the range of five holds the median of
all 19 times in 20, for all five lie on one side of it 1 time in 16."""

ERROR = 0.05
"""Share of 95 % intervals that miss."""


@dataclass(frozen=True)
class Interval:
    """A median and the 95 % interval in which it lies.

    Attributes:
        median: of the values.
        low, high: ends of the interval; NaN for fewer than `FEWEST` values.
    """

    median: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        """True if there is an interval."""
        return not math.isnan(self.low)


def interval(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """The median of at least one value, with its interval.

    For a ratio of two things that were measured in the same rounds, give the ratio of each round:
    what slowed both down in a round then cancels. The ends are interpolated between order
    statistics (Hettmansperger and Sheather, "Confidence intervals based on interpolated order
    statistics", 1986), so that nothing is assumed of how the values are distributed.
    """
    given = np.asarray(values, np.float64)
    median = float(np.median(given))
    if len(given) < FEWEST:
        return Interval(median)
    low, high = _ends(np.sort(given))
    return Interval(median, min(low, median), max(high, median))


def _ends(ordered: NDArray[np.float64]) -> tuple[float, float]:
    """Ends of the interval of the median, as `scipy.stats.mstats.median_cihs` has them.

    All of `scipy.stats` takes longer to import than a report to make.
    """
    from scipy.special import bdtr

    n = len(ordered)
    below = bdtr(np.arange(-1, n + 1), n, 0.5)  # of so many values, or fewer, below the median
    below[0] = 0.0

    def held(k: int) -> float:
        return float(below[n - k + 1] - below[k])

    k = int(np.searchsorted(below, ERROR / 2)) - 1
    if held(k) < 1 - ERROR:
        k -= 1
    part = (held(k) - 1 + ERROR) / (held(k) - held(k + 1))
    inner = (n - k) * part / (k + (n - 2 * k) * part)
    low = inner * ordered[k] + (1 - inner) * ordered[k - 1]
    high = inner * ordered[n - k - 1] + (1 - inner) * ordered[n - k]
    return float(low), float(high)


def ratio_of_separate(new: Sequence[float], old: Sequence[float]) -> Interval:
    """Ratio new / old of positive values that share no rounds, such as those of two runs.

    Its median is the ratio of the geometric means; its interval is Welch's, of the logarithms
    ("The generalization of Student's problem", 1947). Fewer than `FEWEST` on a side have none.
    """
    logs = [np.log(np.asarray(values, np.float64)) for values in (new, old)]
    ratio = math.exp(float(np.mean(logs[0]) - np.mean(logs[1])))
    if min(map(len, logs)) < FEWEST:
        return Interval(ratio)
    from scipy import stats

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # values that are all the same
        found = stats.ttest_ind(*logs, equal_var=False).confidence_interval(1 - ERROR)
    low, high = math.exp(found.low), math.exp(found.high)
    return Interval(ratio, min(low, ratio), max(high, ratio))


def verdict(ratio: Interval, smallest: float = 1.0) -> SpeedVerdict | None:
    """Verdict on a ratio of throughputs: a tie unless its whole interval lies beyond a ratio.

    Args:
        ratio: with its interval; without one, there is no verdict.
        smallest: the smallest ratio that can be told, 1 or above; NaN where it is not known, and
            then nothing is said.
    """
    if not ratio.known or math.isnan(smallest):
        return None
    if ratio.low > smallest:
        return "faster"
    return "slower" if ratio.high < 1 / smallest else "tie"


def bounds(low: float | None, high: float | None, joint: str = " to ", places: int = 2) -> str:
    """Both ends of an interval as they are shown, rounded outwards; a dash where there is none.

    Args:
        low, high: the ends; None or NaN where there is no interval.
        joint: what stands between them.
        places: decimals, and more where these would leave less than two digits.
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "-"
    if not (math.isfinite(low) and math.isfinite(high)) or max(abs(low), abs(high)) >= 1e6:
        return f"{low:.3g}{joint}{high:.3g}"
    least = min((abs(end) for end in (low, high) if end), default=1.0)
    places = max(places, 1 - math.floor(math.log10(least)))
    scale = 10.0**places
    ends = math.floor(low * scale + 1e-9) / scale, math.ceil(high * scale - 1e-9) / scale
    return joint.join(f"{end:.{places}f}" for end in ends)
