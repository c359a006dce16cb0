"""Quiet of the machine: CPU time that others took while contenders had their turns.

What a turn did not use itself, of the CPUs of the contest, is somebody else's: other processes, a
neighbour of a virtual machine (steal), a quota that ran out. What a system does not tell is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.workers.clocks import Reading
from harness.workers.cpus import read_lines

DISTURBED = 0.05
"""Share of the CPUs' time in a round which, taken by others, makes the round a disturbed one."""

STEADY = 1.1
"""Ratio of two frequencies of the CPUs above which both are told."""

TICK = 0.03
"""Seconds by which the CPU time of a turn is blurred, for systems count it in hundredths."""

BUSY = 0.1
"""Share of disturbed rounds among those that are kept above which nothing is said of ratios."""

REPEATS_AT_FIRST = 3
"""Disturbed rounds that are repeated before the machine counts as busy for good; then, as many as
are half of those kept."""

SYSTEM = Path("/sys/devices/system/cpu")


def throttled(folder: Path = SYSTEM) -> int | None:
    """Number of times that heat has slowed a core so far; None where nothing is told."""
    counts = [
        int(line)
        for path in folder.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
        for line in read_lines(path)
    ]
    return sum(counts) if counts else None


def frequency() -> float | None:
    """Megahertz of the CPUs at this moment, in the mean; None where nothing is told."""
    try:
        told = psutil.cpu_freq()
    except (OSError, RuntimeError, NotImplementedError):
        return None
    return float(told.current) if told and told.current else None


@dataclass
class Quiet:
    """Record of how quiet the machine was while one shape was timed.

    Attributes:
        rounds: number of those that were kept.
        disturbed: of them, in which others took more than `DISTURBED` of the CPUs' time.
        repeated: rounds that were thrown away and done again.
        others, stolen, held: share of the CPUs' time that other processes took, that a neighbour
            stole, and that a quota withheld, in all rounds; None: not told.
        mhz: lowest and highest frequency, after a round; empty: not told.
        heat: number of times that heat slowed a core; None: not told.
        gpu_busy: True if others computed on the GPU before anything of ours did.
    """

    rounds: int = 0
    disturbed: int = 0
    repeated: int = 0
    others: float | None = None
    stolen: float | None = None
    held: float | None = None
    mhz: tuple[float, ...] = ()
    heat: int | None = None
    gpu_busy: bool = False

    @property
    def busy(self) -> bool:
        """True if nothing can be said of ratios."""
        taken = sum(share or 0.0 for share in (self.others, self.stolen, self.held))
        return self.gpu_busy or self.disturbed > BUSY * self.rounds or taken > DISTURBED

    def as_json(self) -> dict[str, Any]:
        """All of it, and the verdict."""
        return asdict(self) | {"busy": self.busy}

    def told(self) -> str:
        """One line: the machine was busy, or how quiet it was."""
        if self.gpu_busy:
            return "the machine was busy: others computed on its GPU before: no verdicts"
        known = {"other processes": self.others, "steal": self.stolen, "a quota": self.held}
        shares = ", ".join(
            f"{name} {'unknown' if share is None else f'{share:.1%}'}"
            for name, share in known.items()
        )
        again = f"; {self.repeated} more were repeated" if self.repeated else ""
        heat = f"; heat slowed a core {self.heat} times" if self.heat else ""
        if self.mhz and self.mhz[1] > STEADY * self.mhz[0]:
            heat += f"; from {self.mhz[0]:,.0f} to {self.mhz[1]:,.0f} MHz"
        if self.disturbed or self.busy:
            said = f"the machine was busy: {self.disturbed} of {self.rounds} rounds"
            ending = ": no verdicts" if self.busy else ""
            return f"{said} ({shares} of the CPUs' time){again}{heat}{ending}"
        return f"the machine was quiet: {shares} of the CPUs' time{again}{heat}"


class Meter:
    """Meter of what others take while turns are timed.

    Args:
        cpus: numbers of those on which the contest runs.
    """

    def __init__(self, cpus: Iterable[int]) -> None:
        self.cpus = list(cpus)
        self.quiet = Quiet()
        self.heat_before = throttled()
        self.frequencies: list[float] = []
        self.all = _Sums()
        self.round = _Sums()

    def reading(self) -> Reading:
        """The clocks now."""
        return Reading.now(self.cpus)

    def add(self, before: Reading, after: Reading, own: float) -> None:
        """Add a turn, from its clocks before and after, and the CPU seconds that are our own."""
        self.round.add(before, after, own)

    def end_round(self, again: bool = True) -> bool:
        """End a round; False if it is to be done again, where it can be."""
        ended, self.round = self.round, _Sums()
        blur = TICK * math.sqrt(ended.turns)
        disturbed = ended.taken > DISTURBED * ended.wall * len(self.cpus) + blur
        most = max(REPEATS_AT_FIRST, self.quiet.rounds // 2) if again else 0
        if disturbed and self.quiet.repeated < most:
            self.quiet.repeated += 1
            return False
        self.quiet.rounds += 1
        self.quiet.disturbed += disturbed
        self.all.add_all(ended)
        if now := frequency():
            self.frequencies.append(now)
        return True

    def told(self) -> Quiet:
        """The record so far."""
        quiet, whole = self.quiet, self.all.wall * len(self.cpus)
        for name in ("others", "stolen", "held"):
            taken = getattr(self.all, name)
            setattr(quiet, name, None if taken is None or not whole else max(0.0, taken / whole))
        if self.frequencies:
            quiet.mhz = min(self.frequencies), max(self.frequencies)
        if self.heat_before is not None:
            quiet.heat = (throttled() or 0) - self.heat_before
        return quiet


@dataclass
class _Sums:
    """Sums over turns, in seconds; None: not told."""

    turns: int = 0
    wall: float = 0.0
    others: float | None = 0.0
    stolen: float | None = 0.0
    held: float | None = 0.0

    @property
    def taken(self) -> float:
        return sum(each or 0.0 for each in (self.others, self.stolen, self.held))

    def add(self, before: Reading, after: Reading, own: float) -> None:
        self.turns += 1
        self.wall += after.wall - before.wall
        worked = _difference(after.busy, before.busy)
        self.others = _sum(self.others, None if worked is None else worked - own)
        self.stolen = _sum(self.stolen, _difference(after.stolen, before.stolen))
        self.held = _sum(self.held, _difference(after.held, before.held))

    def add_all(self, of: _Sums) -> None:
        self.wall += of.wall
        self.others = _sum(self.others, of.others)
        self.stolen = _sum(self.stolen, of.stolen)
        self.held = _sum(self.held, of.held)


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
