"""Matrix products of a training step in NumPy, the floor under it; see `common.matmul_floor`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from common.matmul_floor import Product
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
