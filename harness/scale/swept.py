"""A sweep that was timed: what every size costs, and what it costs beside the first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from harness.bench.quiet import Quiet
from harness.bench.ratios import Logs, ShapeResult, log_ratios
from harness.intervals import interval
from harness.scale.ranges import Vary, size
from harness.scale.tables import FLOOR, Row, quantity, series_of

Point = tuple[int, ShapeResult]
"""A size, and its contest."""

Relative = dict[str, dict[int, Logs]]
"""Logarithms of a cost over that at the first size, round by round, by form and size."""


@dataclass
class Swept:
    """Result of a sweep.

    Attributes:
        vary: its sizes.
        table: rows of ``scale.csv``.
        points: sizes and contests; none of a long run.
        relative: costs over those at the first size, of the same rounds.
        quiets: of the machine meanwhile.
    """

    vary: Vary
    table: pd.DataFrame
    points: list[Point] = field(default_factory=list)
    relative: Relative = field(default_factory=dict)
    quiets: list[Quiet] = field(default_factory=list)

    @property
    def forms(self) -> pd.DataFrame:
        """The rows of networks, without the floor's."""
        return self.table[self.table.backend != FLOOR]

    @property
    def busy(self) -> bool:
        """True if nothing can be said of speed."""
        return any(each.busy for each in self.quiets)

    @property
    def ends(self) -> tuple[str, str]:
        """The least and the largest size, as they are shown."""
        values = self.vary.values
        first, last = (size(self.vary.dimension, value) for value in (values[0], values[-1]))
        return first, f"{last} {self.vary.unit}"


def relative(points: Sequence[Point]) -> Relative:
    """Costs of a step over those at the first of some sizes that took turns with each other.

    Who waited for another batch took no turns with the first: of that, the medians alone.
    """
    found: Relative = {}
    for name, base in points[0][1].forms.items():
        found[name] = {}
        for value, result in points:
            if form := result.forms.get(name):
                medians = [np.median([t.seconds for t in e.turns]) for e in (base, form)]
                alone = np.array([math.log(medians[1] / medians[0])])
                found[name][value] = log_ratios(form, base) if form.batch == base.batch else alone
    return found


def relative_rows(dimension: str, relative: Relative) -> Iterator[Row]:
    """Rows of the costs over those at the first size."""
    for name, of in relative.items():
        form = series_of(name)
        for value, logs in of.items():
            at = {"dimension": dimension, "value": value}
            at |= {"backend": form.backend, "variant": form.variant}
            yield quantity(at, "relative_cost", interval(np.exp(logs)))
