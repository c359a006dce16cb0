"""Environment variables of a worker: set, set aside, or left and recorded.

- What a comparison needs the same in every backend is **set**: threads, device, precision.
- What makes another program of a backend is **set aside**: one that is not compiled, that stops
  where a number is not finite, that skips assertions.
- What tunes a library is **left** as the user has it, for it may be meant, and recorded (`kept`):
  which code OpenBLAS takes for its products changes the last bit, XLA's flags the speed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from common.experiment import Experiment
from common.places import DETERMINISTIC
from common.shards import world_size
from harness.paths import ROOT

SET_ASIDE = frozenset(
    "JAX_CHECK_TRACER_LEAKS JAX_DEBUG_INFS JAX_DEBUG_NANS JAX_DISABLE_JIT JAX_ENABLE_CHECKS "
    "PYTHONINSPECT PYTHONOPTIMIZE PYTORCH_JIT TF_USE_LEGACY_KERAS TORCHDYNAMO_DISABLE "
    "TORCH_COMPILE_DISABLE".split()
)

TUNING = tuple(
    "ATEN_ BLIS_ CUBLAS_ CUDA_ CUDNN_ DNNL_ DYLD_ GLIBC_TUNABLES GOMP_ GOTO_ HIP_ HSA_ JAX_ "
    "KMP_ LD_ MALLOC_ MKL_ MXNET_ NPY_ NVIDIA_ OMP_ MIOPEN_ ONEDNN_ OPENBLAS_ PYTHONPATH "
    "PYTORCH_ ROCM_ ROCR_ TF_ TORCH TRITON_ VECLIB_ XLA_".split()
)
"""Beginnings of the names that frameworks and what is below them listen to."""

TERRAFORM = ("TF_CLI_", "TF_TOKEN_", "TF_VAR_")
"""Beginnings of another program's names, which are secrets at times."""


def environment(threads: int, experiment: Experiment) -> dict[str, str]:
    """Variables of a worker's process, from before its framework is imported."""
    devices = experiment.devices
    left = {name: value for name, value in os.environ.items() if name not in SET_ASIDE}
    fixed = _fixed(threads, experiment.dtype)
    if experiment.device == "cpu":
        hidden = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"
        fixed |= {"JAX_PLATFORMS": "cpu", **dict.fromkeys(hidden, "")}
    if experiment.deterministic:
        fixed |= {DETERMINISTIC: "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    if devices > 1:  # JAX makes so many of a CPU; processes that were started together share them
        flag = f"--xla_force_host_platform_device_count={max(1, devices // world_size())}"
        fixed["XLA_FLAGS"] = f"{left.get('XLA_FLAGS', '')} {flag}".strip()
    return left | fixed


def _fixed(threads: int, dtype: str) -> dict[str, str]:
    # no empty part: it would be the folder that the worker is started in
    path = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "VECLIB_MAXIMUM_THREADS": str(threads),  # NumPy on macOS
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # so that gpu:1 is the one of nvidia-smi
        "NVIDIA_TF32_OVERRIDE": "0",
        "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(path),
    }


def kept(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables of the user that a worker may listen to, as they are."""
    ours = _fixed(1, "float32").keys() - {"PYTHONPATH"}
    return {
        name: value
        for name, value in sorted(variables.items())
        if name.startswith(TUNING)
        and not name.startswith(TERRAFORM)
        and name not in ours | SET_ASIDE
    }


def set_aside(variables: Mapping[str, str] = os.environ) -> list[str]:
    """Names of the user's variables that no worker gets."""
    return sorted(SET_ASIDE & variables.keys())
