"""Devices of PyTorch: which there are, which is taken; precision, set before all else."""

from __future__ import annotations

import torch

from common.errors import DeviceError
from common.experiment import Experiment
from common.interface import Description
from common.places import deterministic, place

torch.set_float32_matmul_precision("highest")  # no TF32, no bfloat16
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
if deterministic():
    torch.use_deterministic_algorithms(True)
    # All memory is written before it is read, so that nothing need be filled in.
    torch._C._set_deterministic_fill_uninitialized_memory(False)


def gpus() -> list[str]:
    """Names of the GPUs."""
    if torch.backends.mps.is_available():
        return ["Apple GPU (mps)"]
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def build() -> str:
    """Accelerator that this PyTorch was built for."""
    if torch.version.cuda:
        return f"cuda {torch.version.cuda}"
    if torch.version.hip:
        return f"rocm {torch.version.hip}"
    return "mps" if torch.backends.mps.is_built() else "cpu"


def describe() -> Description:
    """PyTorch's version, devices, threads and precision."""
    names = gpus()
    exact = torch.get_float32_matmul_precision() == "highest"
    return Description(
        versions={"torch": torch.__version__},
        devices=("cpu", *names),
        threads=torch.get_num_threads(),
        tf32=torch.backends.cuda.matmul.allow_tf32 or not exact,
        places=("cpu", *(f"gpu:{i}" for i in range(len(names)))),
        build=build(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
    )


def taken(experiment: Experiment) -> tuple[str, str]:
    """The device of an experiment, as PyTorch and as people name it.

    Raises:
        DeviceError: it is not there, or not in that precision.
    """
    names = gpus() if experiment.device != "cpu" else []
    kind, number = place(experiment.device, "PyTorch", {"gpu": len(names)})
    if kind == "cpu":
        return "cpu", "cpu"
    if torch.backends.mps.is_available():
        if experiment.dtype == "float64":
            raise DeviceError("--dtype float64: a GPU of Apple's has none; use --device cpu")
        return "mps", names[0]
    if experiment.devices == 1:  # else each rank has taken its own
        torch.cuda.set_device(number)
    return "cuda", torch.cuda.get_device_name()


def device_memory_mb() -> float | None:
    """The most memory of a GPU that tensors have had here; None without one."""
    if torch.backends.mps.is_available():
        return torch.mps.driver_allocated_memory() / 2**20  # it keeps no peak, and gives none back
    used = [torch.cuda.max_memory_allocated(i) for i in range(torch.cuda.device_count())]
    return max(used) / 2**20 if used else None
