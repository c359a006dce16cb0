"""The tape: nodes that remember how values were computed, and the walk back to the gradients.

An array that takes part in a recorded computation points at a node. A `Variable` is where a
gradient is wanted; an `Operation` knows, for each of its inputs on the tape, how to pull a gradient
back to it. Nodes point only at older nodes, so a graph goes when the last array that needs it goes.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .base import MXNetError, quiet

Pullback = Callable[[np.ndarray], np.ndarray]
"""From the gradient of an output to the gradient of one input."""

_serials = itertools.count()


class Switch(threading.local):
    """Switch that puts operations on the tape; every thread has its own."""

    on = False


recording = Switch()


class Variable:
    """A leaf. Its `buffer` receives the gradient: replaced or, with `accumulate`, added to."""

    __slots__ = ("accumulate", "buffer", "serial")
    alive = True
    parents: tuple[Node, ...] = ()

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

    @property
    def parents(self) -> tuple[Node, ...]:
        """The nodes of its inputs."""
        return tuple(parent for parent, _ in self.edges)

    def pull_back(self, gradient: np.ndarray) -> Iterator[tuple[Node, np.ndarray]]:
        """The gradient of each input, unless it is zero everywhere, from that of the output."""
        for parent, pullback in self.edges:
            if pullback is not None:
                yield parent, pullback(gradient)

    def free(self) -> None:
        """Let go of everything that only the gradients needed."""
        self.edges = ()
        self.alive = False


class Joint:
    """A recorded operation of several outputs, or whose inputs get their gradients all at once.

    Its own gradient is `Parts`, one for each `Output` that a gradient reached.
    """

    __slots__ = ("alive", "inputs", "pullback", "serial")

    def __init__(self, inputs: tuple[Node | None, ...], pullback: JointPullback) -> None:
        self.serial = next(_serials)
        self.inputs = inputs
        self.pullback: JointPullback | None = pullback
        self.alive = True

    @property
    def parents(self) -> tuple[Node, ...]:
        """The nodes of its inputs, as far as they are on the tape."""
        return tuple(parent for parent in self.inputs if parent is not None)

    def pull_back(self, gradient: Parts) -> Iterator[tuple[Node, np.ndarray]]:
        """The gradient of each input that is on the tape, from those of the outputs."""
        assert self.pullback is not None
        for parent, each in zip(self.inputs, self.pullback(gradient), strict=True):
            if parent is not None and each is not None:
                yield parent, each

    def free(self) -> None:
        """Let go of everything that only the gradients needed."""
        self.inputs, self.pullback = (), None
        self.alive = False


class Output:
    """One of the arrays that a `Joint` gave; it lives as long as that does."""

    __slots__ = ("joint", "number", "serial")

    def __init__(self, joint: Joint, number: int) -> None:
        self.serial = next(_serials)
        self.joint = joint
        self.number = number

    @property
    def alive(self) -> bool:
        """True while gradients can flow through."""
        return self.joint.alive

    @property
    def parents(self) -> tuple[Node, ...]:
        """The operation that gave it."""
        return (self.joint,)

    def pull_back(self, gradient: np.ndarray) -> Iterator[tuple[Node, Parts]]:
        """The gradient, as a part of the operation's."""
        yield self.joint, Parts({self.number: gradient})

    def free(self) -> None:
        """Do nothing: an output holds no arrays."""


class Parts(dict[int, np.ndarray]):
    """Gradients of the outputs of one operation, by their number; `+` brings them together."""

    def __add__(self, other: Parts) -> Parts:
        return Parts(self | other)


Node = Variable | Operation | Joint | Output

Edge = tuple[Node, Pullback | None]
"""An input of an operation; its pullback is `None` where its gradient is zero everywhere."""

JointPullback = Callable[[Parts], Sequence[np.ndarray | None]]
"""From the gradients of the outputs to that of every input; `None` for one off the tape."""

Gradient = Any
"""An array or, for a `Joint`, `Parts`: the class of the node decides, which no type can say."""


class Totals:
    """The gradients that have reached each node so far, added up."""

    def __init__(self) -> None:
        self._sums: dict[Node, Gradient] = {}
        self._ours: set[Node] = set()

    def add(self, node: Node, gradient: Gradient) -> None:
        """Add one gradient. A lone one is kept as it is; only a sum made here is written to."""
        if node not in self._sums:
            self._sums[node] = gradient
        elif node in self._ours:
            self._sums[node] += gradient
        else:
            self._sums[node] = self._sums[node] + gradient
            self._ours.add(node)

    def take(self, node: Node) -> Gradient | None:
        """The total for `node`, which is forgotten here; `None` if no gradient reached it."""
        return self._sums.pop(node, None)


def toposort(heads: Iterable[Node]) -> list[Node]:
    """The heads and every node they were computed from, in the order to visit them.

    Raises:
        MXNetError: part of the graph was freed, or no variable is in it.
    """
    found = set(heads)
    ahead = list(found)
    while ahead:
        new = set(ahead.pop().parents) - found
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
    order = toposort(node for node, _ in heads)
    totals = Totals()
    for head, start in heads:
        totals.add(head, start)
    with quiet():
        for node in order:
            gradient = totals.take(node)
            if isinstance(node, Variable):
                node.receive(0 if gradient is None else gradient)
                continue
            if gradient is not None:
                for parent, each in node.pull_back(gradient):
                    totals.add(parent, each)
            if not retain_graph:
                node.free()
