"""Step changes in a series: where its mean moved, and stayed there.

A series is cut into segments by penalized least squares on logarithms, the whole optimum: optimal
partitioning (Jackson et al., "An algorithm for optimal partitioning of data on an interval", 2005),
which is what PELT finds with fewer steps (Killick, Fearnhead and Eckley, "Optimal detection of
changepoints with a linear computational cost", 2012). The penalty is that of the Bayesian
information criterion for the series' own noise, which is estimated from its differences, so that
steps do not count as noise. A cut counts as a step only where Student's test of the two segments
says so too, at a level that is shared by all series and places looked at (Bonferroni), and where it
moves the mean by more than a threshold, even without its oddest entry.

A step says that something changed between two entries on one machine: the code, a version, or the
machine itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.history.measures import measure
from harness.history.store import SERIES

Values = NDArray[np.float64]

SHORTEST = 3
"""Entries of a segment; that a lone odd one is no step, `_moved` sees to."""

NEEDED = 2 * SHORTEST
"""Entries of a series that can show a step."""

NEWEST = 5
"""Entries since a step, at most, for which it is new: three checks in a row tell of it."""

ALARMS = 0.03
"""Chance that a check, of all series together, tells of a step that is none, were noise normal."""

QUIET = 1e-3
"""Least noise of a logarithm that is believed, where a figure is always the same."""

PENALTY = 3.0
"""Times the noise's variance and the logarithm of the entries' number, that a further cut costs."""


@dataclass(frozen=True)
class Step:
    """A step of a series.

    Attributes:
        series: its name, by `SERIES`.
        at, revision, versions: of the first entry after it.
        before, after: geometric means of the segments.
        follow: entries since, the first included.
        worse: True if it is for the worse.
    """

    series: dict[str, str]
    at: str
    revision: str
    versions: str
    before: float
    after: float
    follow: int
    worse: bool

    @property
    def change(self) -> float:
        """The relative change."""
        return self.after / self.before - 1

    @property
    def is_new(self) -> bool:
        """True if it is at the newest entries."""
        return self.follow <= NEWEST


def steps_of(history: pd.DataFrame, threshold: float, newest: bool = False) -> list[Step]:
    """The steps of all series, the newest first.

    Args:
        history: by the columns of `harness.history.store.HistoryTable`.
        threshold: smallest relative change that is told.
        newest: True to look at the newest entries alone.
    """
    found: list[Step] = []
    groups = [each for each in history.groupby(SERIES, sort=False) if len(each[1]) >= NEEDED]
    for key, of in groups:
        logs = np.log(of.value.to_numpy())
        first = max(SHORTEST, len(of) - NEWEST) if newest else SHORTEST
        places = len(of) - SHORTEST - first + 1
        level = ALARMS / len(groups) / places
        kind = measure(str(key[0]))
        least = max(math.log1p(threshold), kind.least)
        for cut, (old, new) in _segments(_sure(cuts(logs), logs, level), logs).items():
            moved = _moved(old, new)
            if cut < first or abs(moved) < least:
                continue
            here: Any = of.iloc[cut]
            found.append(
                Step(
                    dict(zip(SERIES, map(str, key), strict=True)),
                    here["at"],
                    here.revision,
                    here.versions,
                    math.exp(old.mean()),
                    math.exp(new.mean()),
                    len(logs) - cut,
                    (moved < 0) == kind.more_is_better,
                )
            )
    return sorted(found, key=lambda step: step.at, reverse=True)


def cuts(values: Values) -> list[int]:
    """Beginnings of the segments of a series but for the first, by optimal partitioning."""
    n, penalty = len(values), PENALTY * noise(values) ** 2 * math.log(len(values))
    sums, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (values, values**2))
    best, last = np.full(n + 1, np.inf), [0] * (n + 1)
    best[0] = -penalty
    for end in range(SHORTEST, n + 1):
        starts = np.arange(end - SHORTEST + 1)
        spread = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        costs = best[starts] + spread + penalty
        last[end] = int(np.argmin(costs))
        best[end] = costs[last[end]]
    found: list[int] = []
    end = n
    while end:
        end = last[end]
        found.append(end)
    return found[-2::-1]


def noise(values: Values) -> float:
    """Standard deviation of a series about its steps, from its differences (von Neumann, 1941)."""
    return max(QUIET, math.sqrt(float(np.mean(np.diff(values) ** 2)) / 2))


def _segments(found: list[int], values: Values) -> dict[int, tuple[Values, Values]]:
    """The segments before and after each cut."""
    ends = [0, *found, len(values)]
    return {
        cut: (values[start:cut], values[cut:end])
        for start, cut, end in zip(ends, ends[1:], ends[2:], strict=False)
    }


def _sure(found: list[int], values: Values, level: float) -> list[int]:
    """The cuts that Student's test confirms.

    The least sure is given up first; then all are tested again, for what it cut is one by then.
    """
    while found:
        chances = {cut: _chance(*pair) for cut, pair in _segments(found, values).items()}
        weakest = max(chances, key=lambda cut: chances[cut])
        if chances[weakest] <= level:
            break
        found = [cut for cut in found if cut != weakest]
    return found


def _moved(old: Values, new: Values) -> float:
    """Distance that the mean moved, without the newer entry that is farthest from the old mean."""
    oddest = int(np.argmax(np.abs(new - old.mean())))
    return float(np.delete(new, oddest).mean() - old.mean())


def _chance(old: Values, new: Values) -> float:
    """Probability of such a difference between two segments of one mean, by Student's test."""
    from scipy.special import stdtr  # all of `scipy.stats` takes a second to import

    freedom = len(old) + len(new) - 2
    pooled = (old.var() * len(old) + new.var() * len(new)) / freedom
    error = math.sqrt(max(pooled, QUIET**2) * (1 / len(old) + 1 / len(new)))
    return float(2 * stdtr(freedom, -abs(new.mean() - old.mean()) / error))
