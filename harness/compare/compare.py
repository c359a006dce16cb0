"""``compare``: an experiment or a benchmark, done again: which rows got faster, slower or worse.

What is said of a row, and the exit status, by what became of it:

    old      new      said                                               exit status
    ok       ok       its changes; a regression beyond the threshold     0; 1 if it regressed
    ok       not ok   "regression: ...: was ok, is ...", with the reason 1
    not ok   ok       "ok now: ..."                                      0
    not ok   not ok   "not ok in both: ...: was ..., is ..."             0; 1 if all are so
    there    missing  "only in old: ..."                                 0
    missing  there    "only in new: ..."                                 0

The exit status of several rows is the largest of theirs. Where no row is ok on either side nothing
was compared, and that is a failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from common.errors import RequestError, unknown
from harness.compare.sides import FIGURES, Name, Side, check_same, side
from harness.console import printable
from harness.intervals import interval

STRETCHES = 10
"""Samples that a row gives, at most: the medians of ten stretches of its epochs. A machine's slow
spells last for many epochs, so epochs are not independent. On a busy machine, equal runs of five
seeds counted as a regression of 5 % in 12 of 100 comparisons by epochs, in 1 by stretches."""

ChangeVerdict = Literal["faster", "slower", "better", "worse", "tie"]


@dataclass(frozen=True)
class Change:
    """One measure of one backend and variant.

    Attributes:
        old, new: the medians over seeds, and over epochs or rounds.
        ratio, low, high: the median of new / old, pair by pair, and its 95 % interval.
        samples: number of stretches; a single one has no interval.
        regressed: True if the whole interval lies beyond the threshold, on the bad side.
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
    verdict: ChangeVerdict
    regressed: bool


@dataclass(frozen=True)
class Comparison:
    """Result of comparing two folders.

    Attributes:
        old, new: the folders.
        threshold: beyond which a change is a regression.
        changes: every measure of every row that is ok on both sides.
        differences: the conditions that differ, old and new, by name.
        lost: reasons why rows have no figures any more, by their names.
        gained: rows that have figures and had none.
        never: reasons why rows have no figures on either side, old and new, by their names.
        only_old, only_new: rows that one side alone knows.
    """

    old: Path
    new: Path
    threshold: float
    changes: list[Change]
    differences: dict[str, tuple[Any, Any]]
    lost: dict[str, str]
    gained: list[str]
    never: dict[str, tuple[str, str]]
    only_old: list[str]
    only_new: list[str]

    @property
    def regressions(self) -> list[str]:
        """Changes for the worse beyond the threshold, a line each."""
        lost = [f"{name}: was ok, is {reason}" for name, reason in self.lost.items()]
        return lost + [
            f"{c.backend} {c.variant}: {c.measure} is {times(c.ratio)} times what it was"
            for c in self.changes
            if c.regressed
        ]

    @property
    def exit_status(self) -> int:
        """1 if something regressed, or nothing could be compared."""
        return 1 if self.regressions or not (self.changes or self.gained) else 0

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        folders = {"old": str(self.old), "new": str(self.new)}
        return asdict(self) | folders | {"regressions": self.regressions}


def times(ratio: float) -> str:
    """A ratio as it is shown, however large."""
    return f"{ratio:.3f}" if ratio < 1000 else f"{ratio:.0e}"


def compare(
    old: Path, new: Path, names: Sequence[str], variants: Sequence[str], threshold: float
) -> Comparison:
    """Hold a folder against an older one, row by row.

    Args:
        old, new: two run folders, or two that `bench` wrote.
        names, variants: the backends and variants to compare; none means every one.
        threshold: the fraction of the throughput that may be lost, and by which a perplexity may
            rise; at least 0, less than 1.

    Raises:
        RequestError: a folder cannot be read, or they are not of one experiment.
    """
    sides = side(old), side(new)
    check_same(*sides)
    for kind, asked, part in (("backend", names, 0), ("variant", variants, 1)):
        known = dict.fromkeys(printable(row[part]) for each in sides for row in each.rows)
        for name in asked:
            if name not in known:
                raise unknown(kind, name, known)
    before, after = (each.chosen(names, variants) for each in sides)
    common = [row for row in before.rows if row in after.rows]
    if not common:
        message = f"no row in common: {old} has {_listed(before)}; {new} has {_listed(after)}"
        raise RequestError(printable(message))
    return Comparison(
        old,
        new,
        threshold,
        _changes(before, after, threshold),
        {
            name: (value, after.conditions[name])
            for name, value in before.conditions.items()
            if after.conditions.get(name, value) != value
        },
        {_named(r): after.rows[r] for r in common if after.rows[r] and not before.rows[r]},
        [_named(row) for row in common if before.rows[row] and not after.rows[row]],
        {
            _named(row): (before.rows[row], after.rows[row])
            for row in common
            if before.rows[row] and after.rows[row]
        },
        [_named(row) for row in before.rows if row not in after.rows],
        [_named(row) for row in after.rows if row not in before.rows],
    )


def _named(row: Name) -> str:
    return " ".join(row)


def _listed(of: Side) -> str:
    return ", ".join(map(_named, of.rows)) or "none"


def _changes(old: Side, new: Side, threshold: float) -> list[Change]:
    pairs = old.figures.merge(new.figures, on=FIGURES[:-1], suffixes=("_old", "_new"))
    return [_change(of, threshold) for _, of in pairs.groupby(FIGURES[:3], sort=False)]


def _change(pairs: pd.DataFrame, threshold: float) -> Change:
    """Change of one measure, from its values old and new by seed and epoch.

    Rounding alone moves a perplexity, and one sample shows no spread: such a change is a tie unless
    it goes beyond the threshold. In logarithms, new against old is the mirror of old against new.
    """
    measure, backend, variant = pairs[FIGURES[:3]].iloc[0]
    perplexity = "perplexity" in measure
    logs = np.log(pairs.value_new.to_numpy()) - np.log(pairs.value_old.to_numpy())
    stretches = np.array_split(logs, min(len(logs), STRETCHES))
    found = interval([float(np.median(stretch)) for stretch in stretches])
    if perplexity:
        least, most, limit = found.low, found.high, math.log1p(threshold)
    else:  # what is lost counts
        least, most, limit = -found.high, -found.low, -math.log1p(-threshold)
    margin = limit if perplexity or len(stretches) == 1 else 0.0
    verdict: ChangeVerdict = "tie"
    if least > margin:
        verdict = "worse" if perplexity else "slower"
    elif most < -margin:
        verdict = "better" if perplexity else "faster"
    return Change(
        measure,
        backend,
        variant,
        old=float(pairs.value_old.median()),
        new=float(pairs.value_new.median()),
        ratio=math.exp(found.median),
        low=math.exp(found.low),
        high=math.exp(found.high),
        samples=len(stretches),
        verdict=verdict,
        regressed=least > limit,
    )
