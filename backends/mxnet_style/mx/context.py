"""Devices. The engine computes on the CPU; a GPU can be named but not used, as in a CPU build."""

from __future__ import annotations

from dataclasses import dataclass

from .base import MXNetError


@dataclass(frozen=True, repr=False)
class Context:
    """A device: `device_type` is "cpu" or "gpu", `device_id` tells several of a kind apart."""

    device_type: str
    device_id: int = 0

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"


def cpu(device_id: int = 0) -> Context:
    """The CPU. Every `device_id` is the same memory, as in MXNet."""
    return Context("cpu", device_id)


def gpu(device_id: int = 0) -> Context:
    """A GPU. Naming it is allowed; putting an array on it raises `MXNetError`."""
    return Context("gpu", device_id)


def num_gpus() -> int:
    """Number of GPUs that arrays can be put on: none."""
    return 0


def usable(context: Context | None) -> Context:
    """Device that an array is put on: `context`, or the CPU for `None`.

    Raises:
        MXNetError: it is not a `Context`, or it is not a CPU.
    """
    if context is None:
        return cpu()
    if not isinstance(context, Context):
        raise MXNetError(f"{context!r} is not a context: pass mx.cpu()")
    if context.device_type != "cpu":
        raise MXNetError(f"GPU is not enabled, so {context} holds no arrays: pass mx.cpu()")
    return context
