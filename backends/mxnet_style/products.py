"""Operations of a training step in NumPy, the floor under it; see `common.floor`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from common.floor import SOFTMAX, TANH, TANH_GRADIENT, Pass, Product
from common.places import place

LAYOUTS = {
    "OpenBLAS": lambda shape: np.empty(shape, np.float32),
    "OpenBLAS, rows apart": lambda shape: np.empty((*shape[:-1], shape[-1] + 16), np.float32)[
        ..., : shape[-1]
    ],
    "OpenBLAS, transposed": lambda shape: np.empty(
        (*shape[:-2], *shape[:-3:-1]), np.float32
    ).swapaxes(-1, -2),
}
"""By name: an array of a shape, its elements laid out in one of the ways that BLAS reads.

Rows a power of two apart compete for the same lines of a cache; one line more keeps them apart.
"""


def ways(product: Product, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a product as often as a step does, in float32; by the layout.

    Raises:
        DeviceError: the device is not the CPU.
    """
    place(device, "NumPy", {})
    rng = np.random.default_rng(0)
    count, m, k, n = product.count, product.m, product.k, product.n
    calls: dict[str, Callable[[], None]] = {}
    for name, empty in LAYOUTS.items():
        left, right, results = empty((count, m, k)), empty((k, n)), empty((count, m, n))
        left[...], right[...] = rng.standard_normal((count, m, k)), rng.standard_normal((k, n))
        calls[name] = partial(_multiply, left, right, results)
    return calls


def _multiply(left: np.ndarray, right: np.ndarray, results: np.ndarray) -> None:
    for each, result in zip(left, results, strict=True):
        np.matmul(each, right, out=result)


def tanh(A: np.ndarray, B: np.ndarray, Y: np.ndarray, out: np.ndarray) -> None:
    """H of A (n, H)."""
    np.tanh(A, out=out)


def tanh_gradient(dH: np.ndarray, H: np.ndarray, Y: np.ndarray, out: np.ndarray) -> None:
    """DA of dH and H, both (n, H)."""
    np.multiply(H, H, out=out)
    np.subtract(1, out, out=out)
    np.multiply(dH, out, out=out)


def softmax_gradient(O: np.ndarray, B: np.ndarray, Y: np.ndarray, out: np.ndarray) -> None:
    """N dO of logits O (n, V), small enough for exp as they are, and labels Y (n,)."""
    np.exp(O, out=out)
    out /= out.sum(1, keepdims=True)
    out[np.arange(len(O)), Y] -= 1


COMPUTED = {TANH: tanh, TANH_GRADIENT: tanh_gradient, SOFTMAX: softmax_gradient}


def ways_of_pass(each: Pass, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a pass, in float32; on one CPU, in blocks that its cache holds.

    Raises:
        DeviceError: the device is not the CPU.
    """
    place(device, "NumPy", {})
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, each.rows, each.columns), np.float32)
    Y = rng.integers(each.columns, size=each.rows)
    blocks = [np.split(Z, each.blocks) for Z in (A, B, Y, np.empty_like(A))]
    return {"NumPy": partial(_pass_over, COMPUTED[each.name], [*zip(*blocks, strict=True)])}


def _pass_over(compute: Callable[..., None], blocks: list[tuple[np.ndarray, ...]]) -> None:
    for block in blocks:
        compute(*block)
