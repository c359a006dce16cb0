"""Functions of one array, element by element, in its own dtype; integers are truncated."""

from __future__ import annotations

import numpy as np

from .base import quiet
from .traced import Array, Traced, derive, expect_arrays


def tanh(data: Array) -> Array:
    """The hyperbolic tangent."""
    y = _applied(np.tanh, data)
    return derive(y, (data, lambda g: g * (1 - y * y)))


def sin(data: Array) -> Array:
    """The sine, of radians."""
    y = _applied(np.sin, data)
    x = data.values
    return derive(y, (data, lambda g: g * np.cos(x)))


def relu(data: Array) -> Array:
    """The rectifier, the larger of x and 0; its derivative at 0 is 0."""
    expect_arrays("relu", data)
    y = np.maximum(data.values, 0)
    return derive(y, (data, lambda g: g * np.sign(y)))


def exp(data: Array) -> Array:
    """The exponential function; inf where it is too large."""
    y = _applied(np.exp, data)
    return derive(y, (data, lambda g: g * y))


def log(data: Array) -> Array:
    """The natural logarithm; -inf at 0 and nan below."""
    y = _applied(np.log, data)
    x = data.values
    return derive(y, (data, lambda g: g / x))


def sqrt(data: Array) -> Array:
    """The square root; nan below 0."""
    y = _applied(np.sqrt, data)
    return derive(y, (data, lambda g: g / (2 * y)))


def _applied(function: np.ufunc, x: Traced) -> np.ndarray:
    expect_arrays(function.__name__, x)
    kind = x.values.dtype
    precision = kind if kind.kind == "f" else float  # NumPy's for int8, float16, makes 1 of tanh(5)
    with quiet():
        values: np.ndarray = function(x.values, dtype=precision)
        return values.astype(kind, copy=False)
