"""Description of a backend by the metadata of what is installed: its framework is not imported.

Metadata tells enough where a framework is built for the CPU alone, for then it sees no device. In
any other case only the framework itself can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import backends
from common.interface import Description

NOT_IMPORTED = "installed; not imported, for it is built for the CPU alone"
"""The note of a description by metadata."""

DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu")}
"""Names that the distribution of a module has, where it has not the module's own."""


def described(name: str) -> Description | None:
    """Description of a backend that can compute on the CPU alone; else None, or if nothing tells.

    Args:
        name: of one that is not missing.
    """
    entry = backends.entry(name)
    if not entry.module.startswith(f"{__package__}."):
        return None  # a plug-in's devices are its own
    if not all(module in FOR_CPU_ALONE and FOR_CPU_ALONE[module]() for module in entry.requires):
        return None
    versions = {}
    for distribution in entry.distributions:
        found = _found(distribution)
        if found is None:
            return None
        versions[distribution] = found.version
    return Description(versions, devices=("cpu",), threads=None, tf32=False, note=NOT_IMPORTED)


def jax_build() -> str:
    """Accelerator that JAX is built for here: its plug-in is a distribution of its own."""
    for found in metadata.distributions():
        name = str(found.name).lower()
        if plugin := re.fullmatch(r"jax[-_](cuda|rocm)(\d+)[-_]plugin", name):
            return " ".join(plugin.groups())
        if name == "libtpu":
            return "tpu"
    return "cpu"


def _jax() -> bool:
    return jax_build() == "cpu"


def _tensorflow() -> bool:
    found = _found("tensorflow")
    return found is not None and found.name.replace("_", "-") == "tensorflow-cpu"


def _torch() -> bool:
    found = _found("torch")
    return found is not None and found.version.endswith("+cpu")


def _always() -> bool:
    return True


FOR_CPU_ALONE: dict[str, Callable[[], bool]] = {
    "flax": _always,
    "jax": _jax,
    "keras": _always,
    "mxnet": _always,
    "optax": _always,
    "tensorflow": _tensorflow,
    "torch": _torch,
}
"""Modules that backends require, and a function that is true if one sees no device but the CPU."""


def _found(module: str) -> metadata.Distribution | None:
    """The distribution of the very module that an import would find; None if there is none."""
    spec = find_spec(module)
    for name in DISTRIBUTIONS.get(module, (module,)):
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        there = Path(str(found.locate_file(module))) / "__init__.py"
        if spec and spec.origin and Path(spec.origin) == there:
            return found
    return None
