"""Compiling in haste: for what shows in slow code as well, such as a fault or an error."""

import os
from contextlib import contextmanager, nullcontext, suppress
from ctypes import CDLL
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import backends
from common.parity import over_tolerance
from common.parity_grid import check

JAX, TENSORFLOW = ("jax", "keras-jax"), ("tensorflow", "keras-tensorflow")

HASTY = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""Options of XLA with which a small program is compiled in a third of the time."""
XLA_FLAGS = " ".join(f"--{name}={value}".lower() for name, value in HASTY.items())
"""The same, for a process of its own, in the variable of that name."""


@contextmanager
def in_haste(backend, compiled=False):
    """XLA optimises little; TensorFlow runs as it reads, unless it must be `compiled`."""
    if backend in JAX:
        with hasty_xla():
            yield
    elif backend in TENSORFLOW and compiled:
        with hasty_xla_of_tensorflow():
            yield
    elif backend in TENSORFLOW:
        import tensorflow as tf

        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(before)
    else:
        yield


@contextmanager
def hasty_xla():
    """JAX gives the `HASTY` options to XLA: it has no public switch of all programs' options."""
    from jax._src import compiler

    right = compiler.get_compile_options

    def hasty(*args, env_options_overrides=None, **named):
        options = HASTY | (env_options_overrides or {})
        return right(*args, env_options_overrides=options, **named)

    with patch.object(compiler, "get_compile_options", hasty):
        yield


@contextmanager
def hasty_xla_of_tensorflow():
    """TensorFlow has XLA read its flags anew: it gives no options with a program."""
    read_flags = reader_of_flags()
    usual = os.environ.get("XLA_FLAGS", "")
    with patch.dict(os.environ, XLA_FLAGS=f"{usual} {XLA_FLAGS}"):
        read_flags()
    try:
        yield
    finally:
        read_flags()


@cache
def reader_of_flags():
    """A function with which TensorFlow's XLA reads its flags; none is read where it has no such."""
    import tensorflow as tf

    with suppress(OSError, AttributeError):
        library = CDLL(str(Path(tf.sysconfig.get_lib(), "libtensorflow_cc.so.2")))
        forget = library._ZN3xla15ResetFlagValuesEv
        read = library._ZN3xla28ParseDebugOptionFlagsFromEnvEb
        return lambda: (forget(), read(True))
    return lambda: None


def in_haste_if_exact(backend, dtype):
    """In haste in float64, for no optimisation changes its sums; float32 is as users get it."""
    return in_haste(backend, compiled=True) if dtype == "float64" else nullcontext()


@pytest.fixture
def hasty(backend):
    """Have XLA compile in haste while the test runs, in JAX and TensorFlow.

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
