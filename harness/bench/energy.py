"""Energy that the machine says it has used: RAPL of its processors, NVML of its GPUs.

Counters are of whole packages and whole GPUs, so that what is told of a turn is the machine's
energy in that turn, whoever used it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.workers import gpus

POWERCAP = Path("/sys/class/powercap")
"""Folder of Linux's powercap framework; since 2020 the counters in it are root's alone."""

Counters = Mapping[str, tuple[float, float]]
"""Joules so far, and the number at which the counter begins again (0: never), by its name."""


def counters(device: str, folder: Path = POWERCAP) -> Counters:
    """The counters that can be read now; none where the machine does not tell.

    Args:
        device: as ``--device`` names it; on the CPU no GPU is asked.
        folder: of the powercap framework.
    """
    found: dict[str, tuple[float, float]] = {}
    for zone in sorted(folder.glob("intel-rapl:[0-9]*")):
        if zone.name.count(":") == 1:  # a package: what lies below it is counted in it
            used, most = (_number(zone / n) for n in ("energy_uj", "max_energy_range_uj"))
            if used is not None:
                found[zone.name] = used / 1e6, (most or 0) / 1e6
    if device != "cpu":
        told = {gpu.uuid: gpu.joules for gpu in gpus.states()}
        found |= {uuid: (joules, 0.0) for uuid, joules in told.items() if joules is not None}
    return found


def spent(before: Counters, after: Counters) -> float | None:
    """Joules between two readings of all counters that both have; None if there is none."""
    known = [name for name in after if name in before]
    if not known:
        return None
    return sum(
        used - before[name][0] + (most if used < before[name][0] else 0.0)
        for name, (used, most) in ((name, after[name]) for name in known)
    )


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
