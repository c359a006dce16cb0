"""The same elements in another shape, order, type or place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from .base import MXNetError, element_type, quiet
from .context import Context, usable
from .tape import Pullback
from .traced import Array, Traced, derive, expect_arrays, expect_one_type


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """A view of `x`: -1 stands for what is left over, 0 for the length that `x` has there.

    Raises:
        MXNetError: the number of elements would change, or a length is below -1.
    """
    old = x.values.shape
    try:
        wanted = tuple([old[axis] if size == 0 else size for axis, size in enumerate(shape)])
        if any(size < -1 for size in wanted):
            raise ValueError("lengths are positive, 0 or -1")
        values = x.values.reshape(wanted)
    except (IndexError, ValueError) as error:
        raise MXNetError(f"shape {old} does not become {shape}: {error}") from None
    return derive(values, (x, lambda g: g.reshape(old)))


def transpose(x: Array) -> Array:
    """A copy of `x` with its axes in the opposite order."""
    return derive(x.values.T.copy(), (x, np.transpose))


def swapaxes(data: Array, dim1: int, dim2: int) -> Array:
    """A copy of `data` in which two axes have changed places.

    Raises:
        MXNetError: there is no such axis.
    """
    expect_arrays("swapaxes", data)
    try:
        values = data.values.swapaxes(dim1, dim2).copy()
    except ValueError as error:  # AxisError is one
        raise MXNetError(f"swapaxes of {data.values.shape}: {error}") from None
    return derive(values, (data, lambda g: g.swapaxes(dim1, dim2)))


def copy(x: Array) -> Array:
    """A copy of `x`, through which gradients flow."""
    return derive(x.values.copy(), (x, lambda g: g))


def astype(x: Array, dtype: DTypeLike) -> Array:
    """A copy of `x` with another dtype; the gradient comes back in the dtype of `x`."""
    old = x.values.dtype
    with quiet():
        values = x.values.astype(element_type(dtype))
    return derive(values, (x, lambda g: g.astype(old)))


def to_context(x: Array, context: Context) -> Array:
    """A copy of `x` on another device, through which gradients flow."""
    device = usable(context)
    result = copy(x)
    result.context = device
    return result


def concat(*data: Array, dim: int = 1) -> Array:
    """Arrays joined along the axis `dim`, in which alone their shapes may differ.

    Raises:
        MXNetError: there are none, or shapes, dtypes or `dim` do not fit.
    """
    values = _joined(np.concatenate, data, dim)
    before = (slice(None),) * (dim % values.ndim)
    ends = np.cumsum([each.values.shape[dim] for each in data]).tolist()
    spans = map(slice, [0, *ends], ends)
    parts = [_part((*before, span)) for span in spans]
    return derive(values, *zip(data, parts, strict=True))


def stack(*data: Array, axis: int = 0) -> Array:
    """Arrays of one shape laid side by side along a new axis.

    Raises:
        MXNetError: there are none, or shapes, dtypes or `axis` do not fit.
    """
    values = _joined(np.stack, data, axis)
    before = (slice(None),) * (axis % values.ndim)
    parts = [_part((*before, index)) for index in range(len(data))]
    return derive(values, *zip(data, parts, strict=True))


def _joined(function: Callable[..., np.ndarray], data: tuple[Traced, ...], axis: int) -> np.ndarray:
    name = function.__name__
    expect_arrays(name, *data)
    expect_one_type(name, data)
    try:
        return function([each.values for each in data], axis=axis)
    except ValueError as error:  # AxisError is one too
        raise MXNetError(f"{name} along axis {axis}: {error}") from None


def _part(where: tuple[slice | int, ...]) -> Pullback:
    return lambda g: g[where]
