"""Do frameworks differ more than seeds do? Two one-sided tests, by intervals.

From one seed all frameworks start from the same weights and see the same batches, so their ends are
compared seed by seed. Two are equivalent if the whole 95 % interval of the median difference lies
within the spread of one framework over seeds, its standard deviation on either side (after
Schuirmann, "A comparison of the two one-sided tests procedure", 1987, whose tests at 2.5 % each
these intervals are). That two are not shown equivalent does not show that they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.intervals import FEWEST as FEWEST
from harness.intervals import Interval, interval


@dataclass(frozen=True)
class Equivalence:
    """Comparison of two frameworks' final perplexities.

    Attributes:
        one, other: their names.
        difference: of the logarithm of perplexity, one less the other, seed by seed.
        spread: the standard deviation of the logarithm of perplexity over seeds, pooled.
    """

    one: str
    other: str
    difference: Interval
    spread: float

    @property
    def shown(self) -> bool:
        """True if they are shown equivalent."""
        return -self.spread < self.difference.low and self.difference.high < self.spread


def equivalences(ends: Mapping[str, Sequence[float]]) -> list[Equivalence]:
    """Every pair, from the perplexities of each framework by the same seeds in the same order.

    Raises:
        ValueError: fewer than `FEWEST` seeds.
    """
    logs = {name: np.log(values) for name, values in ends.items()}
    if any(len(values) < FEWEST for values in logs.values()):
        raise ValueError(f"fewer than {FEWEST} seeds")
    spread = float(np.sqrt(np.mean([values.var(ddof=1) for values in logs.values()])))
    return [
        Equivalence(one, other, interval((logs[one] - logs[other]).tolist()), spread)
        for one, other in combinations(logs, 2)
    ]
