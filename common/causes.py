"""Likely causes of a port's wrong numbers: the faults of `common.faults` whose numbers are alike.

Each fault is computed on the very minibatches that the port was given. It explains all that was
seen where its numbers are the port's. Otherwise it is as alike as its errors are to the port's: in
which quantities they are, in direction, and in size; so a momentum of 0.5 is known by one of 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.array import Array
from common.batches import Batch
from common.errors import RequestError
from common.experiment import DType
from common.faults import CAUSES, faulty
from common.parity import TOLERANCES, relative_error
from common.port import QUANTITIES, Minibatch, Numbers, Step, minibatches, numbers_of

NAMED = 3
"""Causes that are named at most where none explains all that was seen."""

ROUNDED = "it is computed in float32 and given in float64: compute in float64, or give float32"

ALIKE = 0.5
"""Likeness from which a cause is worth naming."""


@dataclass(frozen=True)
class Quantity:
    """A quantity over all minibatches.

    Attributes:
        name: one of `common.port.QUANTITIES`.
        error: relative, in the minibatch where it is first wrong, or else the largest.
        tolerance: the largest that it may be there.
        minibatch: where that is, counted from 1.
        ratio: number of times that it is what it should be, if it is that and nothing else.
    """

    name: str
    error: float
    tolerance: float
    minibatch: int
    ratio: float | None

    @property
    def wrong(self) -> bool:
        """True if the error is more than rounding."""
        return not self.error <= self.tolerance


@dataclass(frozen=True)
class Cause:
    """A likely cause.

    Attributes:
        cause: fault and how to mend it, of `common.faults.CAUSES` or `ROUNDED`.
        likeness: of its errors to the port's; 1 where it explains all that was seen.
        of: the function that has it, where two were compared: ``first`` or ``second``.
    """

    cause: str
    likeness: float
    of: str = ""

    @property
    def explains(self) -> bool:
        """True if its numbers are the port's."""
        return self.likeness == 1


@dataclass(frozen=True)
class PortParity:
    """Result of comparing a port.

    Attributes:
        dtype: precision of what it gave.
        quantities: all that were compared, each after what it is computed from.
        not_given: the names of the others.
        causes: those that explain all that was seen; if none does, those that are most alike.
    """

    dtype: DType
    quantities: tuple[Quantity, ...]
    not_given: tuple[str, ...]
    causes: tuple[Cause, ...]

    @property
    def first(self) -> Quantity | None:
        """The quantity that goes wrong first, if any does."""
        wrong = [quantity for quantity in self.quantities if quantity.wrong]
        return min(wrong, key=lambda quantity: quantity.minibatch, default=None)

    @property
    def equal(self) -> bool:
        """True if nothing is wrong."""
        return self.first is None


@np.errstate(all="ignore")
def parity_of(a: Step, b: Step | None = None, batches: Sequence[Batch] | None = None) -> PortParity:
    """Compare a step function with another, or with the reference.

    Args:
        a: the port, a function as `common.port` describes.
        b: another (default: the reference).
        batches: pairs of X and Y, indices (batch, steps) (default: four small ones).

    Raises:
        RequestError: a function raises or gives something that is not meant, there is nothing to
            compare, or the batches are none.
    """
    calls = list(minibatches(batches))
    found, right = numbers_of(a, calls), [call.right for call in calls]
    other = numbers_of(b, calls) if b else right
    dtype: DType = "float64" if _in_float64(found) and _in_float64(other) else "float32"
    quantities = tuple(
        quantity for name in QUANTITIES if (quantity := _compared(name, found, other, calls, dtype))
    )
    if not quantities:
        raise RequestError("nothing is given that can be compared")
    not_given = tuple(n for n in QUANTITIES if n not in {q.name for q in quantities})
    result = PortParity(dtype, quantities, not_given, ())
    if result.equal:
        return result
    functions = {"first": found, "second": other} if b else {"": found}
    causes = [c for of, each in functions.items() for c in likely(each, calls, dtype, of)]
    return replace(result, causes=tuple(causes))


def likely(
    found: Sequence[Numbers], calls: Sequence[Minibatch], dtype: DType, of: str = ""
) -> list[Cause]:
    """Causes of numbers that are not the reference's, the likeliest first; none where they are."""
    right = [call.right for call in calls]
    if are_those(right, found, calls, dtype):
        return []
    faults = {cause: numbers_of(faulty(cause), calls) for cause in CAUSES}
    explaining = [c for c, theirs in faults.items() if are_those(theirs, found, calls, dtype)]
    if are_those(right, found, calls, "float32"):
        explaining.append(ROUNDED)
    if explaining:
        return [Cause(cause, 1.0, of) for cause in explaining]
    alike = (Cause(c, _likeness(n, found, calls, dtype), of) for c, n in faults.items())
    ranked = sorted(alike, key=lambda cause: -cause.likeness)
    return [cause for cause in ranked[:NAMED] if cause.likeness >= ALIKE]


def tolerance(name: str, right: Array, call: Minibatch, dtype: DType) -> float:
    """The largest relative error of a quantity: of an update, that of the new weights."""
    allowed = TOLERANCES[dtype][0]
    if not name.startswith("update"):
        return allowed
    size = np.linalg.norm(call.weights[name.removeprefix("update ")])
    return allowed * max(1.0, float(size / (np.linalg.norm(right) or 1.0)))


def _in_float64(found: Sequence[Numbers]) -> bool:
    """True if arrays are among the numbers, all of them in float64."""
    arrays = [array for each in found for array in each.values()]
    return any(a.ndim for a in arrays) and all(a.dtype == np.float64 for a in arrays)


def _compared(
    name: str,
    found: Sequence[Numbers],
    right: Sequence[Numbers],
    calls: Sequence[Minibatch],
    dtype: DType,
) -> Quantity | None:
    """A quantity where it is first wrong, or else farthest off; None where it is not given."""
    quantities = [
        Quantity(
            name,
            relative_error(a[name], b[name]),
            tolerance(name, b[name], call, dtype),
            i,
            ratio(a[name], b[name]),
        )
        for i, (a, b, call) in enumerate(zip(found, right, calls, strict=True), start=1)
        if name in a and name in b
    ]
    wrong = [quantity for quantity in quantities if quantity.wrong]
    return next(iter(wrong), None) or max(quantities, key=lambda q: q.error, default=None)


def ratio(found: Array, right: Array) -> float | None:
    """The number that one array is a multiple of another by, to a thousandth; None if it is not."""
    a, b = (np.asarray(each, np.float64).ravel() for each in (found, right))
    if not b.any() or not np.isfinite(a).all():
        return None
    times = float(a @ b / (b @ b))
    return times if relative_error(a, times * b) <= 1e-3 else None


def are_those(
    theirs: Sequence[Numbers], found: Sequence[Numbers], calls: Sequence[Minibatch], dtype: DType
) -> bool:
    """True if the numbers of a fault are those that were found."""
    return all(
        relative_error(each[name], their[name]) <= tolerance(name, their[name], call, dtype)
        for each, their, call in zip(found, theirs, calls, strict=True)
        for name in each
    )


def _likeness(
    theirs: Sequence[Numbers], found: Sequence[Numbers], calls: Sequence[Minibatch], dtype: DType
) -> float:
    """The mean likeness of two errors, over all that is wrong in either."""
    alike = []
    for each, their, call in zip(found, theirs, calls, strict=True):
        for name in each:
            right = call.right[name]
            allowed = tolerance(name, right, call, dtype)
            wrong = [relative_error(n[name], right) > allowed for n in (each, their)]
            if all(wrong):
                alike.append(_alike(each[name] - right, their[name] - right))
            elif any(wrong):
                alike.append(0.0)
    return float(np.mean(alike)) if alike else 0.0


def _alike(a: Array, b: Array) -> float:
    """Half for the angle between two errors, and half for their distance."""
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    if not np.isfinite(sizes).all():
        return 0.0
    cosine = float((a * b).sum() / (sizes[0] * sizes[1]))
    distance = float(np.linalg.norm(a - b) / (sizes[0] + sizes[1]))
    return (max(cosine, 0.0) + 1 - distance) / 2
