"""Matrix products of a training step in XLA, the floor under it; see `common.matmul_floor`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array as Tensor
from jax import lax

from backends.jax import devices
from common.experiment import Experiment
from common.matmul_floor import Product

Dot = Callable[[Tensor, Tensor], Tensor]


def left_first(left: Tensor, right: Tensor) -> Tensor:
    """(m, k) x (k, n)."""
    return left @ right


def right_first(left: Tensor, right: Tensor) -> Tensor:
    """The same product where every operand lies transposed: (n, k) x (k, m)."""
    return right @ left


@partial(jax.jit, static_argnames="dot", donate_argnames="results")
def multiply(lefts: Tensor, right: Tensor, results: Tensor, dot: Dot) -> Tensor:
    """The products, one after another, into the buffer of results."""

    def step(i: Tensor, results: Tensor) -> Tensor:
        return lax.dynamic_update_index_in_dim(results, dot(lefts[i], right), i, 0)

    return lax.fori_loop(0, len(lefts), step, results)


def ways(product: Product, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a product as often as a step does, in float32, in a compiled loop.

    Raises:
        DeviceError: the device is not there.
    """
    place, _ = devices.taken(Experiment(device=device))
    count, m, k, n = product.count, product.m, product.k, product.n
    return {
        "XLA dot": compiled(left_first, (count, m, k), (k, n), (count, m, n), place),
        "XLA dot, transposed": compiled(right_first, (count, k, m), (n, k), (count, n, m), place),
    }


def compiled(
    dot: Dot, lefts: tuple[int, ...], right: tuple[int, ...], results: tuple[int, ...], place: Any
) -> Callable[[], None]:
    """A call of `multiply` on operands of these shapes at a place; it waits for the results."""
    rng = np.random.default_rng(0)
    lefts, right = (
        jax.device_put(rng.random(shape, np.float32), place) for shape in (lefts, right)
    )
    results = jax.device_put(np.zeros(results, np.float32), place)

    def run() -> None:
        # The right-hand matrix is an argument: XLA keeps nothing of it from call to call.
        nonlocal results
        results = jax.block_until_ready(multiply(lefts, right, results, dot))

    run()  # compile
    return run
