"""The tape: nodes that remember how values were computed, and the walk back to the gradients.

An array that takes part in a recorded computation points at a node. A `Variable` is where a
gradient is wanted; an `Operation` knows, for each of its inputs on the tape, how to pull a gradient
back to it. Nodes point only at older nodes, so a graph goes when the last array that needs it goes.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

import numpy as np

from .base import MXNetError, quiet

Pullback = Callable[[np.ndarray], np.ndarray]
"""From the gradient of an output to the gradient of one input."""

_serials = itertools.count()


class Switch(threading.local):
    """Whether operations go on the tape; every thread has its own."""

    on = False


recording = Switch()


class Variable:
    """A leaf. Its `buffer` receives the gradient: replaced or, with `accumulate`, added to."""

    __slots__ = ("accumulate", "buffer", "serial")
    alive = True
    edges: tuple[Edge, ...] = ()

    def __init__(self, buffer: np.ndarray, accumulate: bool) -> None:
        self.serial = next(_serials)
        self.buffer = buffer
        self.accumulate = accumulate

    def receive(self, gradient: np.ndarray | float) -> None:
        """Store the gradient of one backward pass."""
        if self.accumulate:
            self.buffer += gradient
        else:
            self.buffer[...] = gradient


class Operation:
    """A recorded operation. It is alive until a backward pass has used its edges and freed it."""

    __slots__ = ("alive", "edges", "serial")

    def __init__(self, edges: tuple[Edge, ...]) -> None:
        self.serial = next(_serials)
        self.edges = edges
        self.alive = True

    def free(self) -> None:
        """Let go of everything that only the gradients needed."""
        self.edges = ()
        self.alive = False


Node = Variable | Operation

Edge = tuple[Node, Pullback | None]
"""An input of an operation; its pullback is `None` where its gradient is zero everywhere."""


class Totals:
    """The gradients that have reached each node so far, added up."""

    def __init__(self) -> None:
        self._sums: dict[Node, np.ndarray] = {}
        self._ours: set[Node] = set()

    def add(self, node: Node, gradient: np.ndarray) -> None:
        """Add one gradient. A lone one is kept as it is; only a sum made here is written to."""
        if node not in self._sums:
            self._sums[node] = gradient
        elif node in self._ours:
            self._sums[node] += gradient
        else:
            self._sums[node] = self._sums[node] + gradient
            self._ours.add(node)

    def take(self, node: Node) -> np.ndarray | None:
        """The total for `node`, which is forgotten here; `None` if no gradient reached it."""
        return self._sums.pop(node, None)


def newest_first(heads: Iterable[Node]) -> list[Node]:
    """The heads and every node they were computed from, in the order to visit them.

    Raises:
        MXNetError: part of the graph was freed, or no variable is in it.
    """
    found = set(heads)
    ahead = list(found)
    while ahead:
        new = {parent for parent, _ in ahead.pop().edges} - found
        found |= new
        ahead.extend(new)
    if not all(node.alive for node in found):
        raise MXNetError(
            "an earlier backward freed part of this graph: give that one retain_graph=True"
        )
    if not any(isinstance(node, Variable) for node in found):
        raise MXNetError("nothing in this graph wants a gradient: call attach_grad() on an input")
    return sorted(found, key=attrgetter("serial"), reverse=True)


def backward(heads: Sequence[tuple[Node, np.ndarray]], retain_graph: bool) -> None:
    """Carry the gradients of the heads back to every variable they depend on.

    Each node is visited once, after everything computed from it, and freed on the way unless
    `retain_graph` is set, so that memory falls as the walk goes on. A variable that no gradient
    reaches has the gradient zero.
    """
    order = newest_first(node for node, _ in heads)
    totals = Totals()
    for head, start in heads:
        totals.add(head, start)
    with quiet():
        for node in order:
            gradient = totals.take(node)
            if isinstance(node, Variable):
                node.receive(0 if gradient is None else gradient)
                continue
            for parent, pullback in node.edges:
                if gradient is not None and pullback is not None:
                    totals.add(parent, pullback(gradient))
            if not retain_graph:
                node.free()
