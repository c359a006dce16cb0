"""Arithmetic element by element: the four operations, powers and comparisons.

Two arrays must share their dtype and are broadcast against each other as in NumPy; a number is
converted to the dtype of the array beside it. Results keep that dtype, integers included, which
truncates. Gradients are summed over the axes that were broadcast.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from . import tape
from .base import MXNetError, quiet
from .tape import Pullback
from .traced import Array, Traced, derive, expect_one_type

Number = int | float | np.number
Values = np.ndarray | np.number


def add(left: Array | Number, right: Array | Number) -> Array:
    """The sum of two sides, of which at least one is an array."""
    x, y = values_of(left, right)
    return _combine(_broadcast(operator.add, x, y), left, right, lambda g: g, lambda g: g)


def subtract(left: Array | Number, right: Array | Number) -> Array:
    """The difference of two sides, of which at least one is an array."""
    x, y = values_of(left, right)
    return _combine(_broadcast(operator.sub, x, y), left, right, lambda g: g, lambda g: -g)


def multiply(left: Array | Number, right: Array | Number) -> Array:
    """The product of two sides, of which at least one is an array."""
    x, y = values_of(left, right)
    return _combine(_broadcast(operator.mul, x, y), left, right, lambda g: g * y, lambda g: g * x)


def divide(left: Array | Number, right: Array | Number) -> Array:
    """The quotient of two sides, of which at least one is an array."""
    x, y = values_of(left, right)
    z = _broadcast(operator.truediv, x, y)
    return _combine(z, left, right, lambda g: g / y, lambda g: -g * x / (y * y))


def power(left: Array | Number, right: Array | Number) -> Array:
    """The power of one side to the other, of which at least one is an array."""
    x, y = values_of(left, right)
    # NumPy refuses integers to negative powers, MXNet truncates what they give
    z = _broadcast(operator.pow if y.dtype.kind == "f" else np.float_power, x, y)
    return _combine(z, left, right, lambda g: g * y * x ** (y - 1), lambda g: g * np.log(x) * z)


def compare(function: np.ufunc, left: Array, right: Array | Number) -> Array:
    """Ones where `function` holds, else zeros, in the dtype of `left`; the gradient is zero."""
    x, y = values_of(left, right)
    sides = [side for side in (left, right) if isinstance(side, Traced)]
    return derive(_broadcast(function, x, y), *[(side, None) for side in sides])


def update(function: np.ufunc, target: Traced, other: Traced | Number) -> None:
    """Write `function(target, other)` into `target` (+= and its kin).

    Raises:
        MXNetError: one of them is on the tape while it records, or the result does not fit.
    """
    expect_unrecorded(target, other)
    x, y = values_of(target, other)
    try:
        with quiet():
            function(x, y, out=x, casting="unsafe")
    except ValueError:
        raise MXNetError(f"shape {y.shape} does not fit into {x.shape}: reshape it") from None


def expect_unrecorded(*operands: object) -> None:
    """Refuse a write in place that would make recorded gradients wrong.

    Raises:
        MXNetError: one of the operands is on the tape while it records.
    """
    if tape.recording.on:
        for each in operands:
            if isinstance(each, Traced) and each.on_tape:
                raise MXNetError("no writing in place inside record(): write x = x + y, not x += y")


def values_of(left: Traced | Number, right: Traced | Number) -> tuple[Values, Values]:
    """NumPy values of both sides, in one dtype.

    Raises:
        TypeError: a side is neither an array nor a number.
        MXNetError: the dtypes of two arrays differ.
    """
    if isinstance(left, Traced) and isinstance(right, Traced):
        expect_one_type("arithmetic", (left, right))
        return left.values, right.values
    if isinstance(left, Traced):
        return left.values, _number_like(left, right)
    assert isinstance(right, Traced)
    return _number_like(right, left), right.values


def _number_like(array: Traced, number: object) -> np.number:
    if not isinstance(number, (int, float, np.number)):
        raise TypeError(f"type {type(number)} not supported: use an NDArray or a number")
    with quiet():
        converted: np.number = array.values.dtype.type(number)
    return converted


def _broadcast(
    function: Callable[[Values, Values], np.ndarray], x: Values, y: Values
) -> np.ndarray:
    try:
        with quiet():
            return function(x, y).astype(x.dtype, copy=False)
    except ValueError:
        raise MXNetError(f"shapes {x.shape} and {y.shape} do not match: reshape one") from None


def _combine(
    values: np.ndarray,
    left: Array | Number,
    right: Array | Number,
    to_left: Pullback,
    to_right: Pullback,
) -> Array:
    sides = [(left, to_left), (right, to_right)]
    return derive(values, *[(x, _summed(to_x, x)) for x, to_x in sides if isinstance(x, Traced)])


def _summed(pullback: Pullback, x: Traced) -> Pullback:
    """Pullback followed by the sum over the axes along which `x` was repeated."""
    shape = x.values.shape

    def to_shape(g: np.ndarray) -> np.ndarray:
        gradient = pullback(g)
        if gradient.shape == shape:
            return gradient
        leading = gradient.ndim - len(shape)
        repeated = [leading + axis for axis, length in enumerate(shape) if length == 1]
        summed: np.ndarray = gradient.sum(axis=(*range(leading), *repeated))
        return summed.reshape(shape)

    return to_shape
