"""GPUs of this machine: whether there may be one, and how those of NVIDIA fare, by its own library.

Nothing of a framework is imported. ``pynvml`` comes with the extras for GPUs; without it nothing is
told.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

TRACES = "/dev/nvidiactl /dev/dxg /dev/kfd /dev/accel0 /dev/vfio/0".split()
"""Files by which the drivers of NVIDIA, Windows, AMD and Google show a device on Linux."""

SLOWED = {0x4: "by its power limit", 0x8: "in hardware", 0x20: "by heat", 0x40: "by heat"}
SLOWED |= {0x80: "by a power brake", 0x2: "by clocks that were set"}
"""Reasons of NVML for which clocks are lower than they could be, by bit."""

MB = 2**20

BUSY_PERCENT = 5
"""Share of its time in which a GPU computes for others, from which on it is not ours alone."""

LOOK_SECONDS = 1.0
"""Time between two looks at them: each takes some milliseconds of the harness, of no worker."""


class Gpu(BaseModel):
    """A GPU at a moment, or while something was timed on it.

    Attributes:
        uuid, name: which.
        driver, cuda: versions of the driver, and of the newest CUDA that it serves.
        memory_mb, used_mb: all of its memory, and what all processes together have of it.
        clock_mhz, most_mhz: of its processors, now or the lowest that was seen, and at most.
        watts, limit_watts: power, now or the greatest that was seen, and at most.
        slowed: reasons for which the clocks are held down.
    """

    uuid: str
    name: str
    driver: str
    cuda: str
    memory_mb: int
    used_mb: int
    clock_mhz: int | None = None
    most_mhz: int | None = None
    watts: float | None = None
    limit_watts: float | None = None
    slowed: list[str] = []


class GpuState(Gpu):
    """A GPU at a moment.

    Attributes:
        processes: number of those that compute on it.
        percent: share of the last moments in which it computed.
        joules: all that it has used since its driver was loaded.
    """

    processes: int = 0
    percent: int | None = None
    joules: float | None = None


def may_have_one() -> bool:
    """False where no backend can see a GPU or a TPU, for no driver of one has left a trace."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(map(os.path.exists, TRACES)) or shutil.which("nvidia-smi") is not None


def states() -> list[GpuState]:
    """GPUs of NVIDIA that a worker sees, in its order; none where nothing can be told."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return visible([_state(pynvml, handle) for handle in handles])
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def visible(found: Sequence[GpuState]) -> list[GpuState]:
    """GPUs that CUDA_VISIBLE_DEVICES names, by number or by the beginning of a UUID; else all."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return list(found)
    chosen: list[GpuState] = []
    for name in filter(None, map(str.strip, names.split(","))):
        mine = [gpu for i, gpu in enumerate(found) if name == str(i) or gpu.uuid.startswith(name)]
        if not mine:  # CUDA itself sees none of those that follow
            break
        chosen += mine[:1]
    return chosen


class Watched(Gpu):
    """A GPU while something was timed on it; memory, processes and use by others, before ours."""

    of_others_mb: int
    other_processes: int
    of_others_percent: int | None = None

    @property
    def shared(self) -> bool:
        """True if others computed on it when ours began."""
        return (self.of_others_percent or 0) > BUSY_PERCENT


class Watch:
    """Watch on what GPUs go through while something is timed on them.

    It begins before the first process of ours, so that whoever computes there is somebody else.

    Args:
        device: as ``--device`` names it; on the CPU, nothing is watched.
    """

    def __init__(self, device: str) -> None:
        self.first = states() if device != "cpu" else []
        self.seen: list[list[GpuState]] = []
        self.last = time.monotonic()

    def look(self) -> None:
        """Look at them, once in `LOOK_SECONDS` at most; not where there was none."""
        if self.first and time.monotonic() - self.last >= LOOK_SECONDS:
            self.seen.append(states())
            self.last = time.monotonic()

    def told(self) -> list[Watched]:
        """All that was seen, of each GPU."""
        found = []
        for number, gpu in enumerate(self.first):
            mine = [look[number] for look in self.seen if len(look) > number]
            changes = {
                "clock_mhz": min((s.clock_mhz for s in mine if s.clock_mhz), default=None),
                "watts": max((s.watts for s in mine if s.watts), default=None),
                "slowed": sorted({why for state in mine for why in state.slowed}),
                "used_mb": max((s.used_mb for s in mine), default=gpu.used_mb),
            }
            others = {
                "of_others_mb": gpu.used_mb,
                "other_processes": gpu.processes,
                "of_others_percent": gpu.percent,
            }
            known = gpu.model_dump(include={*Gpu.model_fields})
            found.append(Watched(**known | changes | others))
        return found


def _state(nvml: Any, handle: Any) -> GpuState:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    cuda = nvml.nvmlSystemGetCudaDriverVersion()
    processes = _asked(nvml, "nvmlDeviceGetComputeRunningProcesses", handle) or []
    slowed = _asked(nvml, "nvmlDeviceGetCurrentClocksEventReasons", handle) or 0
    watts = _asked(nvml, "nvmlDeviceGetPowerUsage", handle)
    used = _asked(nvml, "nvmlDeviceGetUtilizationRates", handle)
    millijoules = _asked(nvml, "nvmlDeviceGetTotalEnergyConsumption", handle)
    limit = _asked(nvml, "nvmlDeviceGetEnforcedPowerLimit", handle)
    return GpuState(
        uuid=nvml.nvmlDeviceGetUUID(handle),
        name=nvml.nvmlDeviceGetName(handle),
        driver=nvml.nvmlSystemGetDriverVersion(),
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}",
        memory_mb=memory.total // MB,
        used_mb=memory.used // MB,
        clock_mhz=_asked(nvml, "nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM),
        most_mhz=_asked(nvml, "nvmlDeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_SM),
        watts=None if watts is None else watts / 1000,
        limit_watts=None if limit is None else limit / 1000,
        slowed=list(dict.fromkeys(why for bit, why in SLOWED.items() if slowed & bit)),
        processes=len(processes),
        percent=None if used is None else used.gpu,
        joules=None if millijoules is None else millijoules / 1000,
    )


def _asked(nvml: Any, question: str, *of: Any) -> Any:
    """An answer of NVML; None where this GPU, or this driver, does not give it."""
    try:
        return getattr(nvml, question)(*of)
    except nvml.NVMLError:
        return None
