"""Recording computations, gradients through what was recorded, and operations of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import numpy as np

from . import tape
from .base import MXNetError
from .traced import Traced, derive_jointly, expect_arrays


def is_recording() -> bool:
    """True while the operations of this thread go on the tape."""
    return tape.recording.on


def record() -> AbstractContextManager[None]:
    """Context in which everything computed from variables goes on the tape."""
    return _switched(True)


def pause() -> AbstractContextManager[None]:
    """Context in which computations stay off the tape, inside a `record()` too."""
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


class Function:
    """An operation whose gradient is written by hand; a new instance for each call.

    A subclass defines `forward`, from arrays to an array or several, and `backward`, from the
    gradients of what `forward` gave to those of what it took. Both run off the tape, and may
    compute in NumPy.
    """

    def __init__(self) -> None:
        self._used = False
        self.saved_tensors: tuple[Traced, ...] = ()

    def save_for_backward(self, *arrays: Traced) -> None:
        """Keep arrays for `backward`, which finds them in `saved_tensors`."""
        self.saved_tensors = arrays

    def forward(self, *inputs: Any) -> Any:
        """The array, or a tuple or list of them, that this operation computes."""
        raise NotImplementedError

    def backward(self, *output_grads: Any) -> Any:
        """The gradient of each input, an array or as many as there are inputs."""
        raise NotImplementedError

    def __call__(self, *inputs: Any) -> Any:
        """Compute the outputs and, while recording, put them on the tape.

        Raises:
            AssertionError: this instance was called before, or an input is no array.
        """
        if self._used:
            raise AssertionError("a Function can be called once: make another instance")
        self._used = True
        expect_arrays(type(self).__name__, *inputs)
        with pause():
            outputs = self.forward(*inputs)
        if not is_recording():
            return outputs
        alone = isinstance(outputs, Traced)
        given = [outputs] if alone else list(outputs)
        expect_arrays(f"{type(self).__name__}.forward", *given)
        results = derive_jointly(
            [each.values for each in given], inputs, partial(self._pull_back, given, inputs)
        )
        return results[0] if alone else results

    def _pull_back(
        self, outputs: list[Traced], inputs: Sequence[Traced], parts: tape.Parts
    ) -> list[np.ndarray]:
        starts = [
            type(each)(parts.get(number, np.zeros_like(each.values)), each.context)
            for number, each in enumerate(outputs)
        ]
        with pause():
            found = self.backward(*starts)
        gradients = [found] if isinstance(found, Traced) else list(found)
        if [isinstance(each, Traced) for each in gradients] != [True] * len(inputs):
            raise MXNetError(f"{type(self).__name__}.backward: give {len(inputs)} NDArrays")
        return [
            np.broadcast_to(
                gradient.values.astype(each.values.dtype, copy=False), each.values.shape
            )
            for gradient, each in zip(gradients, inputs, strict=True)
        ]
