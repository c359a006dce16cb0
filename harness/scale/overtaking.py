"""Overtaking: the size from which on one form is faster than another that was faster before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from harness.bench.ranking import Match, match
from harness.bench.ratios import common_forms
from harness.intervals import Interval
from harness.scale.swept import Point


@dataclass(frozen=True)
class Overtaking:
    """Overtaking of a form by another.

    Attributes:
        form, other: names; the form is the faster from the size `value` on.
        crossing: size at which the two are as fast, between sizes that were measured.
        at: the largest size, where the form is `ratio` times as fast.
    """

    form: str
    other: str
    value: int
    crossing: float
    at: int
    ratio: Interval


def overtakings(points: Sequence[Point]) -> list[Overtaking]:
    """Every overtaking among forms that have figures at every size.

    A form overtakes another if the other is found to be faster at some size, and the form at every
    later size from one on. Where nothing can be told of a size, nobody overtakes.
    """
    results = [result for _, result in points]
    found = []
    for form, other in permutations(common_forms(results), 2):
        matches = [match([result], form, other) for result in results]
        if overtaken := _overtaken([value for value, _ in points], matches):
            found.append(overtaken)
    return sorted(found, key=lambda each: (each.value, each.form, each.other))


def _overtaken(values: Sequence[int], matches: Sequence[Match]) -> Overtaking | None:
    verdicts = [each.verdict for each in matches]
    if None in verdicts or verdicts[-1] != "faster" or "slower" not in verdicts:
        return None
    first = len(verdicts)
    while verdicts[first - 1] == "faster":
        first -= 1
    last = matches[-1]
    logs = [math.log(each.ratio.median) for each in matches]
    before = max(place for place, log in enumerate(logs[:first]) if log <= 0)
    share = logs[before] / (logs[before] - logs[before + 1])
    sizes = math.log(values[before]), math.log(values[before + 1])
    crossing = math.exp(sizes[0] + share * (sizes[1] - sizes[0]))
    return Overtaking(last.form, last.base, values[first], crossing, values[-1], last.ratio)
