"""Devices of JAX: which there are, which is taken; precision, set before all else."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from importlib import metadata
from typing import Any

import jax

from backends.installed import jax_build
from common.experiment import Experiment
from common.interface import Description
from common.places import deterministic, place

jax.config.update("jax_default_matmul_precision", "highest")  # no TF32, no bfloat16
SAME_BITS = "--xla_gpu_deterministic_ops=true"
if deterministic():  # XLA reads its flags when it first compiles
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {SAME_BITS}".strip()


def accelerators() -> list[Any]:
    """The devices of this process beside the CPU."""
    return [device for device in jax.local_devices() if device.platform != "cpu"]


build = cache(jax_build)


def describe() -> Description:
    """JAX's versions, devices and precision; XLA sizes its thread pool by the CPU affinity."""
    found, numbers = accelerators(), Counter[str]()
    places = []
    for device in found:
        places.append(f"{device.platform}:{numbers[device.platform]}")
        numbers[device.platform] += 1
    return Description(
        versions={name: metadata.version(name) for name in ("jax", "jaxlib", "flax")},
        devices=("cpu", *(device.device_kind for device in found)),
        threads=None,
        tf32=jax.config.values["jax_default_matmul_precision"] != "highest",
        places=("cpu", *places),
        build=build(),
        deterministic=SAME_BITS in os.environ.get("XLA_FLAGS", ""),
    )


def taken(experiment: Experiment) -> tuple[Any, str]:
    """The device of an experiment, and its name.

    Raises:
        DeviceError: it is not there.
    """
    if experiment.device == "cpu":
        return jax.local_devices(backend="cpu")[0], "cpu"
    seen = Counter(device.platform for device in accelerators())
    kind, number = place(experiment.device, "JAX", seen)
    device = jax.local_devices(backend=kind)[number]
    return device, "cpu" if kind == "cpu" else device.device_kind


def device_memory_mb() -> float | None:
    """The most memory of an accelerator that arrays have had here; None without one."""
    stats = [device.memory_stats() or {} for device in accelerators()]
    used = [each["peak_bytes_in_use"] for each in stats if "peak_bytes_in_use" in each]
    return max(used) / 2**20 if used else None
