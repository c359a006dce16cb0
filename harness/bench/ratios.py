"""Ratios of speed between contenders, on one shape or over several, and what can be told of them.

Within a contest a ratio is that of the same round, which what slows both down does not change.
Over shapes it is the geometric mean: the i-th rounds of all shapes give one value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from common.shards import mixes
from harness.bench.contenders import Contender
from harness.bench.quiet import Quiet
from harness.bench.twins import Twin, of_twin, smallest
from harness.intervals import Interval, SpeedVerdict, interval, ratio_of_separate, verdict
from harness.records.provenance import host_id

Logs = NDArray[np.float64]


@dataclass(frozen=True)
class ShapeResult:
    """Result of one shape: its contenders, how quiet the machine was, and which it was."""

    shape: str
    found: list[Contender]
    quiet: Quiet = field(default_factory=Quiet)
    machine: str = field(default_factory=host_id)

    @property
    def forms(self) -> dict[str, Contender]:
        """Networks that have figures, by name; a twin is none of them."""
        return {
            each.name: each
            for each in self.found
            if each.is_network and each.turns and not each.reason and not isinstance(each, Twin)
        }

    @property
    def mixed(self) -> bool:
        """True if forms were on devices of several kinds: then nothing is ranked."""
        return mixes(each.prepared.device for each in self.forms.values() if each.prepared)

    @property
    def twin(self) -> Twin | None:
        """The contender that ran a second time, if it has figures for every round of the first."""
        for each in self.found:
            if isinstance(each, Twin) and each.turns and not each.reason:
                first = of_twin(each, self.found)
                if not first.reason and len(first.turns) == len(each.turns):
                    return each
        return None


def by_machine(results: Sequence[ShapeResult]) -> dict[str, list[ShapeResult]]:
    """Shapes by their machine: those of several are not compared with each other."""
    machines = dict.fromkeys(each.machine for each in results)
    return {name: [each for each in results if each.machine == name] for name in machines}


def log_ratios(base: Contender, other: Contender) -> Logs:
    """Logarithms of the speed of `other` over that of `base`, round by round of one batch."""
    pairs = zip(base.turns, other.turns, strict=True)
    return np.array([math.log(b.seconds / o.seconds) for b, o in pairs])


def ratio(base: Contender, other: Contender) -> Interval:
    """Speed of `other` as a multiple of that of `base`, on one shape.

    Contenders of two batches never took turns with each other: they are compared as separate runs.
    """
    if base.batch == other.batch:
        return _of_logs(log_ratios(base, other))
    speeds = ([1 / turn.seconds for turn in each.turns] for each in (other, base))
    return ratio_of_separate(*speeds)


def ratio_over(results: Sequence[ShapeResult], bases: Iterable[str], other: str) -> Interval:
    """Speed of a form as a multiple of that of others, over shapes on which all have figures.

    Args:
        results: shapes.
        bases: names; of several, their geometric mean.
        other: name.

    Returns:
        No interval where they were not all of one batch, but on a single shape of two forms.
    """
    bases = list(bases)
    if len(results) == 1 and len(bases) == 1:
        forms = results[0].forms
        return ratio(forms[bases[0]], forms[other])
    means, together = [], True
    for result in results:
        over = [result.forms[name] for name in bases]
        mine = result.forms[other]
        if together and all(each.batch == mine.batch for each in over):
            means.append(np.mean([log_ratios(base, mine) for base in over], axis=0))
        else:
            together = False
    if together:
        return _of_logs(mean_of(means))
    speed = mean_speed(results, other)
    return Interval(speed / math.exp(np.mean([math.log(mean_speed(results, b)) for b in bases])))


def mean_of(logs: Sequence[Logs]) -> Logs:
    """Means of the i-th values, as many as the shortest has."""
    fewest = min(map(len, logs))
    found: Logs = np.mean([each[:fewest] for each in logs], axis=0)
    return found


def mean_speed(results: Sequence[ShapeResult], name: str) -> float:
    """Steps a second of a form, the geometric mean of its medians over shapes."""
    medians = [np.median([t.seconds for t in result.forms[name].turns]) for result in results]
    return math.exp(-float(np.mean(np.log(medians))))


def common_forms(results: Sequence[ShapeResult]) -> list[str]:
    """Names of the forms that have figures on every shape, the fastest first.

    There are none where devices are of several kinds, which are not compared in speed.
    """
    if any(each.mixed for each in results):
        return []
    first = results[0].forms if results else {}
    names = [name for name in first if all(name in each.forms for each in results)]
    return sorted(names, key=lambda name: -mean_speed(results, name))


def best_forms(results: Sequence[ShapeResult]) -> dict[str, str]:
    """The fastest form of each backend over all shapes, by backend, the fastest first."""
    found: dict[str, str] = {}
    for name in common_forms(results):
        found.setdefault(results[0].forms[name].backend, name)
    return found


def smallest_over(results: Sequence[ShapeResult]) -> float:
    """The smallest ratio that can be told over shapes; NaN where a shape has no twin."""
    logs = []
    for result in results:
        if (twin := result.twin) is None:
            return math.nan
        logs.append(log_ratios(of_twin(twin, result.found), twin))
    return smallest(_of_logs(mean_of(logs)))


def said_of(results: Sequence[ShapeResult], found: Interval) -> SpeedVerdict | None:
    """Verdict on a ratio over shapes; None under load, or where nothing can be told."""
    if any(result.quiet.busy for result in results):
        return None
    return verdict(found, smallest_over(results))


def _of_logs(logs: Logs) -> Interval:
    return interval(np.exp(logs))
