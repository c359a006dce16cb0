"""Recording computations, and gradients through what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import numpy as np

from . import tape
from .base import MXNetError
from .traced import Traced


def is_recording() -> bool:
    """Whether operations go on the tape now, in this thread."""
    return tape.recording.on


def record() -> AbstractContextManager[None]:
    """`with autograd.record():` puts what is computed from variables on the tape."""
    return _switched(True)


def pause() -> AbstractContextManager[None]:
    """`with autograd.pause():` leaves computations off the tape, inside a `record()` too."""
    return _switched(False)


@contextmanager
def _switched(on: bool) -> Iterator[None]:
    before = tape.recording.on
    tape.recording.on = on
    try:
        yield
    finally:
        tape.recording.on = before


def backward(
    heads: Traced | Sequence[Traced],
    head_grads: Traced | Sequence[Traced | None] | None = None,
    retain_graph: bool = False,
) -> None:
    """Write the gradient of the heads, summed, into the `grad` of all variables they depend on.

    The graph is freed on the way: the arrays it computed, a hidden state for one, are constants
    from then on, and a second call on it raises.

    Args:
        heads: one array or several, computed inside `record()` or variables themselves.
        head_grads: for each head a gradient to start from, of its shape and dtype; `None`
            stands for ones.
        retain_graph: keep the graph, for another call.

    Raises:
        AssertionError: there are not as many gradients as heads.
        MXNetError: a head is not on the tape, its graph was freed, nothing in it wants a
            gradient, or a gradient does not match its head.
    """
    arrays = [heads] if isinstance(heads, Traced) else list(heads)
    if head_grads is None or isinstance(head_grads, Traced):
        starts = [head_grads] * len(arrays)
    else:
        starts = list(head_grads)
    if len(starts) != len(arrays):
        raise AssertionError(f"{len(starts)} gradients for {len(arrays)} heads: give one each")
    tape.backward([_start(*pair) for pair in zip(arrays, starts, strict=True)], retain_graph)


def _start(head: Traced, gradient: Traced | None) -> tuple[tape.Node, np.ndarray]:
    values = head.values
    if head.node is None:
        raise MXNetError("this array is in no graph: compute it from variables inside record()")
    if gradient is None:
        return head.node, np.ones_like(values)
    if gradient.values.shape != values.shape or gradient.values.dtype != values.dtype:
        raise MXNetError(
            f"a gradient of {gradient.values.shape} {gradient.values.dtype} for an array of "
            f"{values.shape} {values.dtype}: make them alike"
        )
    return head.node, gradient.values
