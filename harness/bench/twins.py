"""A against A: one contender runs twice under two names, and shows what chance alone makes of it.

Two processes of the same code differ by luck that no number of rounds averages away: where their
memory lies, on which core their threads began. What differs less than these two is called a tie.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from harness.bench.contenders import Contender
from harness.intervals import Interval, interval, verdict

AGAIN = "again"

LEAST = 1.02
"""Ratio below which nothing is told apart, however alike the two were: they are one pair of many
that the luck of processes could have made."""

EXCHANGES = 400
"""Number of times that the two names are exchanged at random."""


class Twin(Contender):
    """A contender that is another one again, under a name of its own."""

    @property
    def label(self) -> str:
        """The label of the first, and that it runs again."""
        return f"{super().label} {AGAIN}"


def failures(found: Sequence[Contender], asked: Collection[str]) -> dict[str, str]:
    """Reasons for missing figures by contender, but for what is forgiven; a twin's are another's.

    Args:
        found: contenders that took their turns.
        asked: names of the backends that were asked for.
    """
    return {
        each.name: each.reason
        for each in found
        if each.reason and not each.forgiven(asked) and not isinstance(each, Twin)
    }


@dataclass(frozen=True)
class Sameness:
    """Comparison of a contender with itself.

    Attributes:
        name: of the contender.
        ratio: of the second over the first.
        smallest: the smallest ratio that can be told.
        false_alarms: share of `EXCHANGES` in which a difference beyond that would be called.
    """

    name: str
    ratio: Interval
    smallest: float
    false_alarms: float


def with_twins(found: Sequence[Contender]) -> list[Contender]:
    """Contenders, and behind the networks of each backend one of them a second time.

    It is the ``fused`` form, or else the first. One of these twins alone will take turns, see
    `wanted`: which backends can compute where they are asked to shows once they are prepared.
    """
    made: list[Contender] = []
    for (_, network), alike in groupby(found, lambda each: (each.backend, each.is_network)):
        group = list(alike)
        made += group
        if network:
            first = next((each for each in group if each.variant == "fused"), group[0])
            again = Twin(first.backend, first.variant, devices=first.devices, writes=first.writes)
            made.append(again)
    return made


def wanted(twin: Twin, found: Sequence[Contender]) -> bool:
    """True if a twin is to take turns: what it is again is ready, and there is no other."""
    others = (each for each in found if isinstance(each, Twin) and each is not twin)
    first = of_twin(twin, found)
    ready = first.prepared is not None and not first.reason
    return ready and not any(each.prepared for each in others)


def of_twin(twin: Twin, found: Sequence[Contender]) -> Contender:
    """The contender that a twin is again."""
    key = twin.backend, twin.variant, twin.devices
    return next(e for e in found if e is not twin and (e.backend, e.variant, e.devices) == key)


def smallest(same: Interval) -> float:
    """The smallest ratio that can be told, from that of a thing over itself.

    The interval of a ratio that is judged allows for the noise of rounds itself. What it must lie
    beyond is the luck of processes: of that the ratio here is one draw, blurred by noise, so half
    of its half-width is added. In simulations with the noise of our rounds and luck of up to 1 %,
    0 to 1.2 % of ratios between equals were called different so, and up to 1.6 % by the ratio
    alone; beyond the far end of the interval, a slow-down of a tenth was found half as often in 40
    rounds.
    """
    if not same.known:
        return math.nan
    half = (math.log(same.high) - math.log(same.low)) / 2
    return max(LEAST, math.exp(abs(math.log(same.median)) + half / 2))


def sameness(name: str, logs: NDArray[np.float64]) -> Sameness:
    """Comparison of a contender with itself.

    The false alarms are those of a permutation test: under two names for the same thing, each
    round's ratio is as likely as its inverse.

    Args:
        name: of the contender.
        logs: of the ratios of its two, round by round.
    """
    ratio = interval(np.exp(logs))
    told = smallest(ratio)
    if math.isnan(told):
        return Sameness(name, ratio, told, math.nan)
    rng = np.random.default_rng(0)
    signs = rng.choice((-1.0, 1.0), (EXCHANGES, len(logs)))
    called = [verdict(interval(np.exp(each * logs)), told) != "tie" for each in signs]
    return Sameness(name, ratio, told, float(np.mean(called)))
