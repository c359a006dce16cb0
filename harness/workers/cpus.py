"""The CPUs that this process may use: its affinity, and the quota of its container."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def affinity() -> list[int]:
    """The CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def quota(groups: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> float:
    """The CPUs that the control groups grant: the least of the process's group and those above.

    Args:
        groups: a line for each hierarchy, ``number:controllers:path``.
        mount: folder of the groups' files: ``cpu.max`` in version 2, ``cpu.cfs_quota_us`` and
            ``cpu.cfs_period_us`` in version 1. In a container the path may begin above the mount.

    Returns:
        Infinity where nothing is limited, or nothing is told.
    """
    granted = float("inf")
    for line in read_lines(groups):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        roots = [mount / controllers, mount / "cpu", mount] if controllers else [mount]
        for root in roots:
            parts = Path(path.lstrip("/")).parts
            for depth in range(len(parts) + 1):
                granted = min(granted, _of_group(root.joinpath(*parts[:depth])))
    return granted


def _of_group(folder: Path) -> float:
    limit = " ".join(read_lines(folder / "cpu.max")).split()
    if not limit:
        limit = [
            *read_lines(folder / "cpu.cfs_quota_us"),
            *read_lines(folder / "cpu.cfs_period_us"),
        ]
    try:
        used, period = map(float, limit)
    except ValueError:  # no limit is "max", no file has no numbers
        return float("inf")
    return used / period if used > 0 and period > 0 else float("inf")


def read_lines(path: Path) -> list[str]:
    """The lines of a file; none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def usable_cpus() -> list[int]:
    """The CPUs to use: of those in the affinity, as many whole ones as the quota grants."""
    cpus = affinity()
    return cpus[: max(1, int(min(quota(), len(cpus))))]


def move_to(cpus: list[int], tasks: Path = Path("/proc/self/task")) -> None:
    """Let all threads of this process run on these CPUs alone, where the system lists them."""
    for task in tasks.iterdir() if tasks.is_dir() else ():
        with suppress(OSError):  # it has just ended
            os.sched_setaffinity(int(task.name), cpus)


def fewer_than_asked(threads: int | None) -> str:
    """Warning where more threads were asked for than there are CPUs; else empty."""
    here = len(usable_cpus())
    if threads is None or threads <= here:
        return ""
    why = f"a quota of {quota():g} CPUs" if quota() < len(affinity()) else "the CPUs there are"
    return f"--threads {threads}: {here} used, for {why} allow no more"
