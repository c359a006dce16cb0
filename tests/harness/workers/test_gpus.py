"""GPUs as NVIDIA's library tells of them: a library that is made up, for one that is not there."""

import sys
from types import SimpleNamespace

import pytest

from harness.page import provenance
from harness.workers import gpus


class Library:
    """The part of ``pynvml`` that is asked, for two GPUs."""

    NVML_CLOCK_SM = 1
    clocks, watts, slowed, others = 1980, 400_000, 0x4, 1
    percent, millijoules = 0, 5_000

    class NVMLError(Exception):
        pass

    def __getattr__(self, name):
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda i: i,
            "nvmlDeviceGetUUID": lambda i: f"GPU-{i}abc",
            "nvmlDeviceGetName": lambda i: "H100",
            "nvmlSystemGetDriverVersion": lambda: "580.95",
            "nvmlSystemGetCudaDriverVersion": lambda: 13010,
            "nvmlDeviceGetMemoryInfo": lambda i: SimpleNamespace(total=80 << 30, used=300 << 20),
            "nvmlDeviceGetClockInfo": lambda i, kind: self.clocks,
            "nvmlDeviceGetMaxClockInfo": lambda i, kind: 1980,
            "nvmlDeviceGetPowerUsage": lambda i: self.watts,
            "nvmlDeviceGetEnforcedPowerLimit": lambda i: 700_000,
            "nvmlDeviceGetCurrentClocksEventReasons": lambda i: self.slowed,
            "nvmlDeviceGetComputeRunningProcesses": lambda i: [None] * self.others,
            "nvmlDeviceGetUtilizationRates": lambda i: SimpleNamespace(gpu=self.percent),
            "nvmlDeviceGetTotalEnergyConsumption": lambda i: self.millijoules,
        }
        if name not in answers:  # an import asks for __spec__
            raise AttributeError(name)
        return answers[name]


@pytest.fixture
def library(monkeypatch):
    library = Library()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "LOOK_SECONDS", 0.0)
    return library


def test_what_a_gpu_went_through_is_one_line(library):
    watch = gpus.Watch("gpu")
    for library.clocks, library.watts, library.slowed in (
        (1980, 300_000, 0),
        (1410, 650_000, 0x24),
    ):
        watch.look()
    (told, _) = watch.told()
    assert provenance.gpus([told.model_dump()]) == (
        "H100 (GPU-0abc), driver 580.95 for CUDA 13.1; clocks from 1,410 of at most 1980 MHz; up "
        "to 650 W of 700; slowed by heat, by its power limit; 1 other processes had 300 MB of it"
    )
    assert gpus.Watch("cpu").told() == []


@pytest.mark.parametrize(
    ("named", "seen"),
    [
        ("1", ["GPU-1abc"]),
        ("1,0", ["GPU-1abc", "GPU-0abc"]),
        ("GPU-1", ["GPU-1abc"]),
        ("", []),
        ("7,0", []),
    ],
)
def test_only_visible_ones_are_told(library, monkeypatch, named, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert [gpu.uuid for gpu in gpus.states()] == seen


def test_what_is_not_told_is_left_out(library, monkeypatch):
    def refuse(*_):
        raise Library.NVMLError

    monkeypatch.setattr(library, "nvmlDeviceGetPowerUsage", refuse, raising=False)
    (gpu, _) = gpus.states()
    assert gpu.watts is None
    monkeypatch.setattr(library, "nvmlInit", refuse, raising=False)
    assert gpus.states() == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpus.states() == []
