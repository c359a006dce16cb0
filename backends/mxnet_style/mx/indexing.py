"""Reading and writing parts of an array by integers, slices and tuples of them."""

from __future__ import annotations

from types import EllipsisType

import numpy as np
from numpy.typing import ArrayLike

from .arithmetic import expect_unrecorded
from .base import quiet
from .traced import Array, Traced, derive, expect_arrays

Index = int | slice
Key = Index | tuple[Index, ...]


def read(x: Array, key: Key) -> Array:
    """The part of `x` at `key`: a view where its elements lie side by side, otherwise a copy.

    `x[:]` is `x`; a single element has the shape (1,).

    Raises:
        IndexError: outside the array, or more indices than axes.
        ValueError: `key` is of another type.
    """
    _expect_basic(key)
    if key == slice(None):
        return x
    part = x.values[_as_view(key)]
    whole_shape, part_shape = x.values.shape, part.shape
    values = part.reshape(part_shape or (1,)) if part.flags.c_contiguous else part.copy()

    def put_back(g: np.ndarray) -> np.ndarray:
        whole = np.zeros(whole_shape, g.dtype)
        whole[key] = g.reshape(part_shape)
        return whole

    return derive(values, (x, put_back))


def write(x: Traced, key: Key, value: Traced | ArrayLike) -> None:
    """Replace the part of `x` at `key`; `value` is broadcast and converted to the dtype of `x`.

    Raises:
        IndexError: outside the array, or more indices than axes.
        MXNetError: `x` or `value` is on the tape while it records.
        TypeError: `value` is not made of numbers.
        ValueError: `value` does not fit, or `key` is of another type.
    """
    _expect_basic(key)
    expect_unrecorded(x, value)
    if value is x and key == slice(None):
        return  # what `x[:] *= 2` ends with
    new = value.values if isinstance(value, Traced) else np.asarray(value)
    if new.dtype.kind not in "biuf":
        raise TypeError(f"{value!r} cannot be assigned: use numbers or an NDArray")
    with quiet():
        x.values[_as_view(key)] = new  # a single element takes an array of one, of any shape


def take(a: Array, indices: Array) -> Array:
    """The rows of `a` at these indices: shape `indices.shape + a.shape[1:]`.

    Fractions are cut off; an index outside counts as the nearest one inside. Gradients of a row
    that is taken several times are summed; none flow into the indices.
    """
    expect_arrays("take", a, indices)
    shape = a.values.shape
    places = np.clip(np.trunc(indices.values), 0, shape[0] - 1).astype(np.intp)

    def put_back(g: np.ndarray) -> np.ndarray:
        whole = np.zeros(shape, g.dtype)
        np.add.at(whole, places, g)
        return whole

    return derive(a.values[places], (a, put_back))


def _as_view(key: Key) -> tuple[Index | EllipsisType, ...]:
    """The key with an ellipsis, which makes a single element a view too, not a NumPy scalar."""
    return (*key, ...) if isinstance(key, tuple) else (key, ...)


def _expect_basic(key: object) -> None:
    for each in key if isinstance(key, tuple) else (key,):
        if isinstance(each, bool) or not isinstance(each, (int, np.integer, slice)):
            raise ValueError(
                f"an index of type {type(each).__name__}: use integers, slices or a tuple of them"
            )
