"""Devices of TensorFlow: which there are, which is taken; precision, set before all else."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # public nowhere else

from common.experiment import Experiment
from common.interface import Description
from common.places import deterministic, place

tf.config.experimental.enable_tensor_float_32_execution(False)
if deterministic():
    tf.config.experimental.enable_op_determinism()


def gpus() -> list[Any]:
    """The GPUs."""
    return tf.config.list_physical_devices("GPU")


def name_of(gpu: Any) -> str:
    """Name of a GPU."""
    return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)


def build() -> str:
    """Accelerator that this TensorFlow was built for."""
    built = tf.sysconfig.get_build_info()
    if built.get("is_rocm_build"):
        return "rocm"
    return f"cuda {built['cuda_version']}" if built.get("is_cuda_build") else "cpu"


def describe() -> Description:
    """TensorFlow's version, devices, threads and precision."""
    found = gpus()
    return Description(
        versions={"tensorflow": tf.__version__, "keras": importlib.metadata.version("keras")},
        devices=("cpu", *map(name_of, found)),
        threads=tf.config.threading.get_intra_op_parallelism_threads() or None,
        tf32=tf.config.experimental.tensor_float_32_execution_enabled(),
        places=("cpu", *(f"gpu:{i}" for i in range(len(found)))),
        build=build(),
        deterministic=is_op_determinism_enabled(),
    )


def taken(experiment: Experiment) -> tuple[str, str]:
    """The device of an experiment, as TensorFlow and as people name it.

    Raises:
        DeviceError: it is not there.
    """
    found = gpus() if experiment.device != "cpu" else []
    kind, number = place(experiment.device, "TensorFlow", {"gpu": len(found)})
    return ("/CPU:0", "cpu") if kind == "cpu" else (f"/GPU:{number}", name_of(found[number]))


def device_memory_mb() -> float | None:
    """The most memory of a GPU that tensors have had here; None without one."""
    if not gpus():
        return None
    names = [place.name for place in tf.config.list_logical_devices("GPU")]
    return max(tf.config.experimental.get_memory_info(name)["peak"] for name in names) / 2**20
