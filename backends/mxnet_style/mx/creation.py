"""New arrays, from data or from nothing; float32 unless told otherwise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .base import MXNetError, element_type, quiet
from .context import Context, usable
from .ndarray import NDArray
from .shaping import astype
from .traced import derive, expect_arrays

Shape = int | tuple[int, ...]


def array(
    source_array: NDArray | ArrayLike, ctx: Context | None = None, dtype: DTypeLike | None = None
) -> NDArray:
    """A copy of a number, a nest of sequences, a NumPy array or an NDArray.

    Without `dtype` an NDArray keeps its own, and gradients flow through its copy; everything else
    becomes float32, NumPy arrays of float64 included.

    Raises:
        TypeError: `source_array` is not made of numbers, or unevenly nested.
        MXNetError: `ctx` cannot hold arrays.
    """
    if isinstance(source_array, NDArray):
        copy = astype(source_array, source_array.dtype if dtype is None else dtype)
        copy.context = usable(ctx)
        return copy
    kind = element_type(dtype)
    try:
        with quiet():
            return NDArray(np.array(source_array, dtype=kind, order="C"), usable(ctx))
    except (TypeError, ValueError):
        raise TypeError(
            "source_array must be array like object: pass evenly nested numbers"
        ) from None


def from_numpy(ndarray: np.ndarray) -> NDArray:
    """An array of the same memory as a NumPy array, which can no longer be written through.

    Raises:
        ValueError: it is not contiguous.
        MXNetError: there are no arrays of its dtype.
    """
    if not ndarray.flags.c_contiguous:
        raise ValueError("only contiguous arrays share their memory: use nd.array()")
    element_type(ndarray.dtype)
    shared = NDArray(ndarray.view(), usable(None))
    ndarray.setflags(write=False)
    return shared


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    ctx: Context | None = None,
    dtype: DTypeLike | None = None,
) -> NDArray:
    """The numbers `start`, `start + step`, ... below `stop`; with one argument, from 0 to it.

    Raises:
        MXNetError: there is no such number.
    """
    first, last = (0.0, start) if stop is None else (start, stop)
    count = math.ceil((last - first) / step) if step else 0
    if count < 1:
        raise MXNetError(f"no number from {first} to {last} in steps of {step}: widen the range")
    kind = element_type(dtype)
    values = kind.type(first) + kind.type(step) * np.arange(count, dtype=kind)
    return NDArray(values, usable(ctx))


def zeros(shape: Shape, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:
    """An array of zeros. `shape` is a tuple, or an integer for one axis."""
    return NDArray(np.zeros(positive(shape), element_type(dtype)), usable(ctx))


def ones(shape: Shape, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:
    """An array of ones. `shape` is a tuple, or an integer for one axis."""
    return NDArray(np.ones(positive(shape), element_type(dtype)), usable(ctx))


def positive(shape: Shape) -> tuple[int, ...]:
    """Tuple of the lengths in `shape`.

    Raises:
        MXNetError: it has no axis, or one that is not a positive integer.
    """
    sizes: tuple[int, ...] = ()
    if isinstance(shape, (int, np.integer)):
        sizes = (shape,)
    elif np.ndim(shape):
        sizes = tuple(shape)
    if not sizes or not all(isinstance(size, (int, np.integer)) and size > 0 for size in sizes):
        raise MXNetError(f"shape {shape}: give at least one axis, and positive integers only")
    return sizes


def one_hot(indices: NDArray, depth: int, dtype: DTypeLike | None = None) -> NDArray:
    """Rows of zeros with a one at each index.

    Args:
        indices: any shape and dtype; fractions are cut off, so 1.7 means 1.
        depth: the length of a row.
        dtype: that of the rows, float32 by default, whatever that of the indices.

    Returns:
        Shape `indices.shape + (depth,)`. An index outside 0 ... depth-1 gives a row of zeros.
        The gradient is zero.

    Raises:
        MXNetError: `depth` is not a positive integer.
    """
    expect_arrays("one_hot", indices)
    (width,) = positive(depth)
    whole = np.trunc(indices.values).reshape(-1)
    hot = np.zeros((whole.size, width), element_type(dtype))
    inside = np.flatnonzero((whole >= 0) & (whole < width))
    hot[inside, whole[inside].astype(np.intp)] = 1
    return derive(hot.reshape(*indices.shape, width), (indices, None))
