"""Reductions: sums, means and the index of the largest element.

With `axis=None` everything is reduced; the result has shape (1,), as all single numbers have.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .base import MXNetError, quiet
from .tape import Pullback
from .traced import Array, Traced, derive

Axis = int | tuple[int, ...] | None


def sum(x: Array, axis: Axis, keepdims: bool) -> Array:
    """The sum over one axis, several or all, in the dtype of `x`."""
    values, spread = _reduced(np.sum, x, axis, keepdims)
    return derive(values, (x, spread))


def mean(x: Array, axis: Axis, keepdims: bool) -> Array:
    """The mean over one axis, several or all, in the dtype of `x`."""
    values, spread = _reduced(np.mean, x, axis, keepdims)
    count = x.values.size // max(values.size, 1)
    return derive(values, (x, lambda g: spread(g / count)))


def argmax(x: Array, axis: int | None) -> Array:
    """Index of the largest element, the first of equals, in the dtype of `x`: 2.0, not 2.

    Its gradient is zero.
    """
    values, _ = _reduced(np.argmax, x, axis, keepdims=False)
    return derive(values, (x, None))


def _reduced(
    function: Callable[..., np.ndarray], x: Traced, axis: Axis, keepdims: bool
) -> tuple[np.ndarray, Pullback]:
    """The reduced values, and the pullback that repeats a gradient over the shape of `x`.

    No axis at all, (), means every axis, as in MXNet and unlike NumPy.

    Raises:
        MXNetError: `x` has no such axis, or no elements to compare.
    """
    shape = x.values.shape
    axis = None if axis == () else axis
    try:
        with quiet():
            kept = function(x.values, axis=axis, keepdims=True).astype(x.values.dtype, copy=False)
    except (TypeError, ValueError) as error:  # AxisError is a ValueError
        raise MXNetError(f"{function.__name__} of {shape} over axis {axis}: {error}") from None
    kept_shape = kept.shape
    values = kept if keepdims else kept.reshape(kept.squeeze(axis).shape or (1,))
    return values, lambda g: np.broadcast_to(g.reshape(kept_shape), shape)
