"""`dot`, the product that the network spends its time in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .base import MXNetError
from .traced import Traced, derive, expect_arrays, expect_one_type

if TYPE_CHECKING:
    from .ndarray import NDArray


def dot(lhs: Traced, rhs: Traced) -> NDArray:
    """Sum over the last axis of `lhs` and the first of `rhs`: for matrices, the matrix product.

    Args:
        lhs: shape (..., k), float32 or float64.
        rhs: shape (k, ...), of the same dtype.

    Returns:
        Shape `lhs.shape[:-1] + rhs.shape[1:]`; (1,) for two vectors.

    Raises:
        MXNetError: the lengths k differ, the dtypes differ, or they are not those two.
    """
    expect_arrays("dot", lhs, rhs)
    expect_one_type("dot", (lhs, rhs))
    if lhs.values.dtype not in (np.float32, np.float64):
        raise MXNetError(f"dot of {lhs.values.dtype}: convert both sides with .astype('float32')")
    left, right = lhs.values.shape, rhs.values.shape
    if not left or not right or left[-1] != right[0]:
        raise MXNetError(f"dot of shapes {left} and {right}: the last axis must match the first")
    # as matrices, so that one rule covers every number of axes
    a = lhs.values.reshape(-1, left[-1])
    b = rhs.values.reshape(right[0], -1)
    rows = len(a)

    def to_lhs(g: np.ndarray) -> np.ndarray:
        return np.dot(g.reshape(rows, -1), b.T).reshape(left)

    def to_rhs(g: np.ndarray) -> np.ndarray:
        return np.dot(a.T, g.reshape(rows, -1)).reshape(right)

    values = np.dot(a, b).reshape(left[:-1] + right[1:] or (1,))
    return derive(values, (lhs, to_lhs), (rhs, to_rhs))
