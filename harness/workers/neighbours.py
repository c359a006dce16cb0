"""Neighbours: what other processes take of the CPUs, and how many threads that leaves.

Where a backend's threads share every product and wait for one another by spinning (`Entry.spins`),
one whose CPU another process has holds up all of them, some 140 times a step: two threads beside
one busy process have a fifth of their speed, while one thread loses nothing. How many there are may
change the last bits, so that it is decided once for a run, and recorded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import backends
from common.experiment import Experiment
from common.shards import world_size
from harness.console import note
from harness.workers.clocks import Reading
from harness.workers.cpus import usable_cpus
from harness.workers.placement import Placement

SECONDS = 0.25
"""Time over which they are watched; systems count CPU time in hundredths of a second."""


def clear_of_others(
    placement: Placement, experiment: Experiment, names: Sequence[str]
) -> Placement:
    """The placement with as many threads as CPUs are free now; it is told where others have some.

    Nothing is decided where a number was asked for, or the same bits each time, nor where nobody's
    threads spin, or several processes compute one network.

    Args:
        placement: of all rows.
        experiment: says how many threads.
        names: of the rows' backends.
    """
    cpus, asked = usable_cpus(), experiment.threads or experiment.deterministic
    together = experiment.devices > 1 or world_size() > 1
    spinning = any(backends.entry(name).spins for name in names)
    if asked or together or placement.device != "cpu" or len(cpus) == 1 or not spinning:
        return placement
    others = taken(cpus)
    threads = max(1, len(cpus) - round(others))
    if threads == len(cpus):
        return placement._replace(threads=threads)
    many = f"{threads} thread{'s' if threads > 1 else ''}"
    reason = (
        f"other processes take {others:.1f} of {len(cpus)} CPUs, so that backends whose threads "
        f"wait for one another have {many}; --threads {len(cpus)} gives them all"
    )
    note(reason)
    return placement._replace(threads=threads, neighbours=reason)


def taken(cpus: list[int], seconds: float = SECONDS) -> float:
    """CPUs that others take of these, in the mean over some seconds in which we do nothing.

    Others are processes, a neighbour of a virtual machine, and a quota; what is not told is none.
    """
    before = Reading.now(cpus)
    time.sleep(seconds)
    after = Reading.now(cpus)
    pairs = [*zip(after[1:], before[1:], strict=True)]
    used = sum(now - then for now, then in pairs if now is not None and then is not None)
    return max(0.0, used / (after.wall - before.wall))
