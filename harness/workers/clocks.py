"""Clocks of CPUs: how long they worked, were stolen by a neighbour, or held back by a quota."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from harness.workers.cpus import read_lines

GROUP = Path("/sys/fs/cgroup")


class Reading(NamedTuple):
    """Clocks at a moment, in seconds: of the wall, and CPU time so far."""

    wall: float
    busy: float | None
    stolen: float | None
    held: float | None

    @classmethod
    def now(cls, cpus: Iterable[int]) -> Reading:
        """The clocks of these CPUs: how long they worked, were stolen, or held back by a quota."""
        times = psutil.cpu_times(percpu=True)
        wall, held = time.perf_counter(), held_back()
        try:
            mine = [times[cpu] for cpu in cpus]
        except IndexError:  # one of them is offline, so that the others are not where they were
            return cls(wall, None, None, held)
        working = ("user", "nice", "system", "irq", "softirq")
        busy = sum(getattr(each, name, 0.0) for each in mine for name in working)
        steal = [each.steal for each in mine if hasattr(each, "steal")]
        return cls(wall, busy, sum(steal) if steal else None, held)


def held_back(folder: Path = GROUP) -> float | None:
    """Seconds for which a quota has held this control group back; None where nothing is told."""
    of_versions = ("cpu.stat", "throttled_usec", 1e-6), ("cpu/cpu.stat", "throttled_time", 1e-9)
    for name, key, unit in of_versions:
        told = dict(line.split() for line in read_lines(folder / name) if len(line.split()) == 2)
        if key in told:
            return int(told[key]) * unit
    return None
