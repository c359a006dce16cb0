"""The unavoidable products by XLA: what its dot alone would take, in a compiled loop."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def left_first(left, right):
    """(m, k) x (k, n)."""
    return left @ right


def right_first(left, right):
    """The same product where every operand lies transposed: (n, k) x (k, m)."""
    return right @ left


@partial(jax.jit, static_argnames="dot", donate_argnames="results")
def multiply(lefts, right, results, dot):
    """All products, one after another, into the buffer of results."""

    def step(i, results):
        return lax.dynamic_update_index_in_dim(results, dot(lefts[i], right), i, 0)

    return lax.fori_loop(0, len(lefts), step, results)


def ways(product):
    """Calls that each perform every product of a `common.matmul_floor.Product` in float32."""
    count, m, k, n = product.count, product.m, product.k, product.n
    return {
        "XLA dot": compiled(left_first, (count, m, k), (k, n), (count, m, n)),
        "XLA dot, transposed": compiled(right_first, (count, k, m), (n, k), (count, n, m)),
    }


def compiled(dot, lefts, right, results):
    """A call of `multiply` on operands of these shapes; it returns when the results are there."""
    rng = np.random.default_rng(0)
    lefts, right = (jnp.asarray(rng.random(shape, np.float32)) for shape in (lefts, right))
    results = jnp.zeros(results, np.float32)

    def run():
        # The right-hand matrix is an argument: XLA keeps nothing of it from call to call.
        nonlocal results
        results = jax.block_until_ready(multiply(lefts, right, results, dot))

    run()  # compile
    return run
