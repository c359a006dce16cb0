"""End of a contest: when every comparison is precise enough, or its time is spent.

The rule looks at how wide intervals are, never at where they lie: to stop as soon as an interval
leaves out 1 would find a difference in most contests of the same code (Chow and Robbins, "On the
asymptotic theory of fixed-width sequential confidence intervals", 1965). One exception does no
harm: a ratio is precise enough if it lies four times as far from 1 as its interval is wide to
either side, which chance alone does not do. It looks seldom: after a third more rounds each time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.bench.contenders import BOOK, FLOOR_ROUNDS, Contender, Contest
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult, best_forms, ratio
from harness.bench.twins import of_twin
from harness.intervals import FEWEST, Interval

PRECISION = 0.02
"""Half of an interval's width, as a share of the ratio, that is precise enough."""

SECONDS, SECONDS_EACH = 20.0, 1.0
"""Seconds of a shape at most: so many, or so many a contender if that is more."""

FAR = 4
"""Half-widths between a ratio and 1 with which it is precise enough."""


@dataclass
class Limits:
    """Limits of a shape's rounds.

    Attributes:
        rounds: number of them; None for no limit.
        seconds: after which no further round begins, once there are `FEWEST`; None for no limit.
        precision: of every comparison that is asked; None for no limit.
        next_look: number of rounds after which the comparisons are looked at.
        floor: of a contest.
    """

    rounds: int | None
    seconds: float | None
    precision: float | None
    next_look: int = FEWEST
    floor: int = FLOOR_ROUNDS

    @classmethod
    def of(cls, contest: Contest, contenders: int, sizes: int) -> Limits:
        """Limits of a contest: what was given; if that is not the rounds, also the defaults.

        Several sizes that share their rounds have as many times the seconds, and use them up.
        """
        seconds, precision = contest.seconds, contest.precision
        if contest.rounds is None:
            seconds = default_seconds(contenders) if seconds is None else seconds
            precision = PRECISION if precision is None else precision
        if sizes > 1:
            seconds, precision = sizes * seconds if seconds else None, None
        return cls(contest.rounds, seconds, precision, floor=contest.floor)

    def reached(self, rounds: int, seconds: float, batch: Sequence[Contender]) -> bool:
        """True if no further round is to begin, after so many rounds and seconds."""
        if self.rounds is not None and rounds >= self.rounds:
            return True
        if rounds < FEWEST:
            return False
        if self.seconds is not None and seconds >= self.seconds:
            return True
        if self.precision is None or rounds < self.next_look:
            return False
        self.next_look = math.ceil(rounds * 4 / 3)
        return all(is_precise(each, self.precision) for each in asked(batch))


def default_seconds(contenders: int) -> float:
    """Seconds of a shape, if nobody said how many."""
    return max(SECONDS, SECONDS_EACH * contenders)


def is_precise(found: Interval, precision: float) -> bool:
    """True if a ratio is known well enough, or lies far enough from 1."""
    half = (math.log(found.high) - math.log(found.low)) / 2
    return half <= math.log1p(precision) or FAR * half <= abs(math.log(found.median))


def asked(batch: Sequence[Contender]) -> list[Interval]:
    """The ratios that a contest is to find, of one batch.

    They are each form's over its backend's ``concise``, or of texts over its ``book``, each
    backend's best form's over that of the others, and the twin's over what it is again.
    """
    result = ShapeResult("", list(batch), Quiet())
    forms = result.forms
    pairs = [
        (forms[base], form)
        for form in forms.values()
        if (base := f"{form.backend} {BOOK if form.writes else 'concise'}") in forms
        and forms[base] is not form
    ]
    best = [forms[name] for name in best_forms([result]).values()]
    pairs += [(one, other) for i, one in enumerate(best) for other in best[:i]]
    if twin := result.twin:
        pairs.append((of_twin(twin, batch), twin))
    return [ratio(*pair) for pair in pairs]
