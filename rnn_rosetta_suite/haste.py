"""Compiling in haste: for what shows in slow code as well, such as a fault or an error."""

from contextlib import contextmanager

import numpy as np
import pytest

import backends
from common.parity import over_tolerance
from common.parity_grid import check

JAX, TENSORFLOW = ("jax", "keras-jax"), ("tensorflow", "keras-tensorflow")


@contextmanager
def in_haste(backend, compiled=False):
    """XLA optimises little, and TensorFlow runs as it reads, unless it must be `compiled`."""
    if backend in JAX:
        import jax

        jax.config.update("jax_disable_most_optimizations", True)
    elif backend in TENSORFLOW and not compiled:
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        if backend in JAX:
            jax.config.update("jax_disable_most_optimizations", False)
        elif backend in TENSORFLOW:
            import tensorflow as tf

            tf.config.run_functions_eagerly(False)


@pytest.fixture
def hasty(backend):
    """Have XLA compile in haste in JAX while the test runs; TensorFlow compiles as ever.

    The code is kept: in float32, its shapes must not be those of the contract's grid.
    """
    with in_haste(backend, compiled=True):
        yield


def caught(backend, case, compiled=False):
    """The quantities that are over their tolerance."""
    module, (variant, *_) = backends.load(backend), backends.entry(backend).variants
    with in_haste(backend, compiled), np.errstate(all="ignore"):
        errors = check(lambda given, w: module.build(given, variant, w), case, steps=5)
    return set(over_tolerance(errors, case.experiment.dtype))
