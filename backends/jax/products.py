"""Operations of a training step in XLA, the floor under it; see `common.floor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as Tensor
from jax import lax

from backends.jax import devices
from common.blocks import cores
from common.experiment import Experiment
from common.floor import SOFTMAX, TANH, TANH_GRADIENT, Pass, Product

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


def tanh(A: Tensor, B: Tensor, Y: Tensor) -> Tensor:
    """H of A (n, H)."""
    return jnp.tanh(A)


def tanh_gradient(dH: Tensor, H: Tensor, Y: Tensor) -> Tensor:
    """DA of dH and H, both (n, H)."""
    return dH * (1 - H * H)


def softmax_gradient(O: Tensor, B: Tensor, Y: Tensor) -> Tensor:
    """N dO of logits O (n, V), small enough for exp as they are, and labels Y (n,)."""
    exp = jnp.exp(O)
    one_hot = Y[:, None] == jnp.arange(O.shape[1])
    return exp * (1 / exp.sum(axis=1, keepdims=True)) - jnp.where(one_hot, 1, 0)


COMPUTED = {TANH: tanh, TANH_GRADIENT: tanh_gradient, SOFTMAX: softmax_gradient}


@partial(jax.jit, static_argnames=("compute", "blocks"), donate_argnames="results")
def pass_over(
    operands: Sequence[Tensor], results: Tensor, compute: Callable[..., Tensor], blocks: int
) -> Tensor:
    """A pass over (A, B, Y), so many equal blocks of rows, into the buffer of results."""
    rows = len(results) // blocks

    def step(i: Tensor, results: Tensor) -> Tensor:
        block = [lax.dynamic_slice_in_dim(each, i * rows, rows) for each in operands]
        return lax.dynamic_update_slice_in_dim(results, compute(*block), i * rows, 0)

    return lax.fori_loop(0, blocks, step, results)


def ways_of_pass(each: Pass, device: str) -> dict[str, Callable[[], None]]:
    """Calls that each compute a pass, in float32, at once or in blocks that a CPU's cache holds.

    On a CPU, each core has rows of its own.

    Raises:
        DeviceError: the device is not there.
    """
    place, name = devices.taken(Experiment(device=device))
    parts = min(cores(), each.rows) if name == "cpu" else 1
    ends = [part * each.rows // parts for part in range(parts + 1)]
    of_cores = [Pass(each.name, end - start, each.columns) for start, end in pairwise(ends)]
    found = {"XLA": at_once([passing(part, 1, place) for part in of_cores])}
    if name == "cpu":
        in_blocks = [passing(part, part.blocks, place) for part in of_cores]
        found["XLA, in blocks"] = at_once(in_blocks)
    return found


def passing(each: Pass, blocks: int, place: Any) -> Callable[[], None]:
    """A call of `pass_over` at a place; it waits for the results."""
    rng = np.random.default_rng(0)
    A, B, results = rng.standard_normal((3, each.rows, each.columns), np.float32)
    Y = rng.integers(each.columns, size=each.rows)
    *operands, results = (jax.device_put(Z, place) for Z in (A, B, Y, results))

    def run() -> None:
        nonlocal results
        results = jax.block_until_ready(pass_over(operands, results, COMPUTED[each.name], blocks))

    run()  # compile
    return run


def at_once(calls: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """A call of all of them, each in a thread of its own."""
    first, *others = calls
    threads = ThreadPoolExecutor(max(1, len(others)))

    def run() -> None:
        running = [threads.submit(call) for call in others]
        first()
        for each in running:
            each.result()

    return run
