"""Changes of a measure between two sides, their intervals and their verdicts.

Two runs, or two benchmarks, share no round: their throughputs are compared as separate samples.
Perplexities of the same seed come from the same weights and batches: they are compared in pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from harness.compare.sides import FIGURES, Side
from harness.intervals import FEWEST, Interval, interval, ratio_of_separate

STRETCHES = 10
"""Samples that a run gives of a row, at most: the medians of ten stretches of its epochs. A
machine's slow spells last for many epochs, so epochs are not independent. On a busy machine, equal
runs of five seeds counted as a regression of 5 % in 12 of 100 comparisons by epochs, in 1 by
stretches."""

ChangeVerdict = Literal["faster", "slower", "better", "worse", "tie"]


@dataclass(frozen=True)
class Change:
    """One measure of one backend and variant.

    Attributes:
        old, new: the medians over seeds, and over epochs or rounds.
        ratio, low, high: new / old and its 95 % interval; NaN where there is none.
        samples: number of them on the side that has fewer.
        verdict: None where nothing can be said.
        why: reason for that; empty if there is a verdict.
        regressed: True if the whole interval lies beyond what is allowed, on the bad side.
    """

    measure: str
    backend: str
    variant: str
    old: float
    new: float
    ratio: float
    low: float
    high: float
    samples: int
    verdict: ChangeVerdict | None
    why: str
    regressed: bool


def times(ratio: float) -> str:
    """A ratio as it is shown, however large."""
    return f"{ratio:.3f}" if ratio < 1000 else f"{ratio:.0e}"


def changes(old: Side, new: Side, threshold: float) -> list[Change]:
    """Every measure of the rows that have figures on both sides.

    Args:
        old, new: sides of one experiment.
        threshold: the fraction of the throughput that may be lost, and by which a perplexity may
            rise; of benchmarks, the smallest ratio that both could tell may allow more.
    """
    found = []
    keys = FIGURES[:4]
    both = old.figures[keys].merge(new.figures[keys]).drop_duplicates()
    sides = [each.figures.merge(both, on=keys) for each in (old, new)]
    groups = [dict(iter(of.groupby(FIGURES[:3], sort=False))) for of in sides]
    drifted = drifts(old, new)
    for key, before in groups[0].items():
        measure, after = str(key[0]), groups[1][key]
        if "perplexity" in measure:
            found.append(_of_perplexity(before, after, threshold))
            continue
        busy = old.busy.get(measure) or new.busy.get(measure) or ""
        told = [each.smallest.get(measure, 1.0) for each in (old, new)]
        drift = drifted.get(measure, Interval(1.0))
        allowed = Allowed(threshold, max(told) if all(map(math.isfinite, told)) else 1.0, drift)
        found.append(_of_throughput(before, after, allowed, busy))
    return found


@dataclass(frozen=True)
class Allowed:
    """Changes of a throughput that are none of the code.

    Attributes:
        threshold: fraction that may be lost.
        smallest: the smallest ratio that both sides could tell.
        drift: what the machine itself has gained or lost.
    """

    threshold: float
    smallest: float
    drift: Interval

    @property
    def slowing(self) -> float:
        """Logarithm of what the machine may have lost, at most."""
        return max(0.0, -math.log(self.drift.low)) if self.drift.known else 0.0

    @property
    def speeding(self) -> float:
        """Logarithm of what the machine may have gained, at most."""
        return max(0.0, math.log(self.drift.high)) if self.drift.known else 0.0


def _of_throughput(old: pd.DataFrame, new: pd.DataFrame, allowed: Allowed, busy: str) -> Change:
    samples = [_samples(side) for side in (old, new)]
    found = ratio_of_separate(samples[1], samples[0])
    fewest, regressed = min(map(len, samples)), False
    why = busy or (f"{fewest} samples are too few, {FEWEST} are needed" if fewest < FEWEST else "")
    said: ChangeVerdict | None = None
    if not why:
        lost, margin = -math.log(found.high) - allowed.slowing, math.log(allowed.smallest)
        gained = math.log(found.low) - allowed.speeding
        said = "slower" if lost > margin else "faster" if gained > margin else "tie"
        regressed = lost > max(margin, -math.log1p(-allowed.threshold))
    return _change(old, new, found, fewest, said, why, regressed)


def _samples(side: pd.DataFrame) -> list[float]:
    """Samples of one side: a benchmark's rounds, or the stretches of a run's epochs."""
    values = side.value.to_numpy(np.float64)
    if side.measure.iloc[0] == "throughput":
        stretches = np.array_split(values, min(len(values), STRETCHES))
        return [float(np.median(stretch)) for stretch in stretches]
    return [float(value) for value in values]


def _of_perplexity(old: pd.DataFrame, new: pd.DataFrame, threshold: float) -> Change:
    """Change of a perplexity, seed by seed.

    The same seed gives the same perplexity but for rounding, so that few seeds are enough: every
    one of them must have changed beyond the threshold.
    """
    pairs = old.merge(new, on=FIGURES[:-1], suffixes=("_old", "_new"))
    logs = np.log(pairs.value_new.to_numpy()) - np.log(pairs.value_old.to_numpy())
    found, limit = interval(logs), math.log1p(threshold)
    least, most = (found.low, found.high) if found.known else (logs.min(), logs.max())
    said: ChangeVerdict = "worse" if least > limit else "better" if most < -limit else "tie"
    ratio = Interval(*(math.exp(end) for end in (found.median, found.low, found.high)))
    return _change(old, new, ratio, len(logs), said, "", said == "worse")


def _change(
    old: pd.DataFrame,
    new: pd.DataFrame,
    ratio: Interval,
    samples: int,
    verdict: ChangeVerdict | None,
    why: str,
    regressed: bool,
) -> Change:
    measure, backend, variant = old[FIGURES[:3]].iloc[0]
    medians = float(old.value.median()), float(new.value.median())
    found = ratio.median, ratio.low, ratio.high
    return Change(measure, backend, variant, *medians, *found, samples, verdict, why, regressed)


def drifts(old: Side, new: Side) -> dict[str, Interval]:
    """Speed of the same matrix products, new over old, by shape.

    They are none of the code that is compared: what they lost, the machine lost. Only libraries
    that both sides have, in the same version, take part.
    """
    found = {}
    for shape in dict.fromkeys(old.products.of):
        sides = [each.products[each.products.of == shape] for each in (old, new)]
        libraries = {*sides[0].library} & {*sides[1].library}
        if libraries:
            means = [
                np.exp(
                    np.log(of[of.library.isin(libraries)].set_index("number").value)
                    .groupby("number")
                    .mean()
                )
                for of in sides
            ]
            found[str(shape)] = ratio_of_separate(means[1].tolist(), means[0].tolist())
    return found
