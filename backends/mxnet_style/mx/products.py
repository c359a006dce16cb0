"""`dot`, the product that the network spends its time in, and the layer made of it."""

from __future__ import annotations

import numpy as np

from .base import MXNetError
from .traced import Array, derive, expect_arrays, expect_one_type


def dot(lhs: Array, rhs: Array) -> Array:
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
    return derive(
        np.dot(a, b).reshape(left[:-1] + right[1:] or (1,)),
        (lhs, lambda g: np.dot(g.reshape(rows, -1), b.T).reshape(left)),
        (rhs, lambda g: np.dot(a.T, g.reshape(rows, -1)).reshape(right)),
    )


def FullyConnected(
    data: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    num_hidden: int,
    no_bias: bool = False,
    flatten: bool = True,
) -> Array:
    """Product of `data` and the transposed weight, plus the bias.

    Args:
        data: shape (N, ..., C), float32 or float64.
        weight: shape (num_hidden, C), of the same dtype; with `flatten`, C is the product of all
            lengths but the first.
        bias: shape (num_hidden,), of the same dtype; left out with `no_bias`.
        num_hidden: the number of outputs.
        no_bias: whether there is no bias.
        flatten: make (N, num_hidden) of everything but the first axis, rather than replacing the
            last axis by the outputs.

    Raises:
        MXNetError: shapes or dtypes do not fit.
    """
    expect_arrays("FullyConnected", data, weight, *([] if no_bias else [bias]))
    inputs = [data, weight] if no_bias or bias is None else [data, weight, bias]
    expect_one_type("FullyConnected", inputs)
    shape = data.values.shape
    rows = data.values.reshape(shape[0] if flatten else -1, shape[-1] if not flatten else -1)
    wanted = [(num_hidden, rows.shape[1]), (num_hidden,)][: len(inputs) - 1]
    given = [each.values.shape for each in inputs[1:]]
    if given != wanted:
        raise MXNetError(f"FullyConnected of {shape} with parameters {given}: expected {wanted}")
    W = weight.values
    values = np.dot(rows, W.T)
    if not no_bias:
        values += inputs[2].values
    pullbacks = [
        lambda g: np.dot(g.reshape(len(rows), -1), W).reshape(shape),
        lambda g: np.dot(g.reshape(len(rows), -1).T, rows),
        lambda g: column_sums(g.reshape(len(rows), -1)),
    ]
    lead = shape[:1] if flatten else shape[:-1]
    return derive(values.reshape(*lead, num_hidden), *zip(inputs, pullbacks, strict=False))


def column_sums(rows: np.ndarray) -> np.ndarray:
    """The sum of the rows (N, n): (n,).

    In float64: NumPy adds row after row here, and over tens of thousands of them float32 loses two
    digits.
    """
    sums: np.ndarray = rows.sum(axis=0, dtype=np.float64)
    return sums.astype(rows.dtype)
