"""An array with its device and its place on the tape, and how operations make new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from . import tape
from .base import MXNetError
from .context import Context
from .tape import Joint, JointPullback, Node, Operation, Output, Pullback


class Traced:
    """Array that every operation takes and gives; `NDArray` adds what users see.

    Attributes:
        values: the elements, a C-contiguous NumPy array.
        context: the device they are on.
        node: the place on the tape, `None` for an array that no gradient flows through.
    """

    __slots__ = ("context", "node", "values")

    def __init__(self, values: np.ndarray, context: Context) -> None:
        self.values = values
        self.context = context
        self.node: Node | None = None

    @property
    def on_tape(self) -> bool:
        """True while gradients can flow through; an array of a freed graph is a constant."""
        return self.node is not None and self.node.alive


Array = TypeVar("Array", bound=Traced)
"""The class of an operation's inputs, which its results have too."""


def derive(values: np.ndarray, *inputs: tuple[Array, Pullback | None]) -> Array:
    """A new array computed from `inputs`, each given with the pullback of its gradient.

    While recording, it goes on the tape with those inputs that are on it; pullbacks of the others
    are dropped, and never called. All that a pullback holds stays in memory until the backward
    pass, so it should hold no more than it needs.

    Raises:
        MXNetError: `values` has no axis. MXNet gives a single number the shape (1,).
    """
    if values.ndim == 0:
        raise MXNetError("an array of shape () takes part in no operation: reshape it to (1,)")
    first = inputs[0][0]
    result = type(first)(values, first.context)
    if tape.recording.on:
        edges = [(node, pull) for each, pull in inputs if (node := each.node) and node.alive]
        if edges:
            result.node = Operation(tuple(edges))
    return result


def derive_jointly(
    outputs: Sequence[np.ndarray], inputs: Sequence[Array], pullback: JointPullback
) -> list[Array]:
    """New arrays computed together from `inputs`, whose gradients are found together too."""
    first = inputs[0]
    results = [type(first)(values, first.context) for values in outputs]
    nodes = tuple(each.node if each.on_tape else None for each in inputs)
    if tape.recording.on and any(nodes):
        joint = Joint(nodes, pullback)
        for number, result in enumerate(results):
            result.node = Output(joint, number)
    return results


def expect_arrays(name: str, *inputs: object) -> None:
    """Check the inputs of the operation called `name`.

    Raises:
        AssertionError: one is not an array of the engine (MXNet 1.9.1 raises the same).
    """
    for each in inputs:
        if not isinstance(each, Traced):
            raise AssertionError(
                f"{name} takes NDArrays, not {type(each).__name__}: wrap the data in nd.array()"
            )


def expect_one_type(name: str, arrays: Sequence[Traced]) -> None:
    """Check that arrays share their dtype; nothing is converted silently.

    Raises:
        MXNetError: they do not.
    """
    if any(each.values.dtype != arrays[0].values.dtype for each in arrays):
        types = " and ".join(sorted({str(each.values.dtype) for each in arrays}))
        raise MXNetError(f"{name} of {types}: convert one with .astype()")
