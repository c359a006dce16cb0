"""Random arrays: the numbers of MXNet 1.9.1 on the CPU, for every seed and shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from . import generator
from .base import MXNetError, element_type
from .context import Context, usable
from .creation import Shape, positive
from .ndarray import NDArray

_generator = generator.Generator(0)  # the seed that MXNet starts from too


def seed(seed_state: int) -> None:
    """Start the generator again.

    Raises:
        ValueError: `seed_state` is not an integer.
    """
    global _generator
    if not isinstance(seed_state, (int, np.integer)):
        raise ValueError(f"seed_state must be int, not {seed_state!r}: pass an integer")
    _generator = generator.Generator(int(seed_state))


def normal(
    loc: float = 0,
    scale: float = 1,
    shape: Shape = 1,
    dtype: DTypeLike | None = None,
    ctx: Context | None = None,
) -> NDArray:
    """Numbers from the normal distribution with mean `loc` and standard deviation `scale`.

    Raises:
        MXNetError: `scale` is not positive, `dtype` not floating point, or `shape` not positive.
    """
    if not scale > 0:
        raise MXNetError(f"scale={scale}: the standard deviation must be positive")
    return _drawn(generator.normal, loc, scale, shape, dtype, ctx)


def randn(
    *shape: int,
    loc: float = 0,
    scale: float = 1,
    dtype: DTypeLike | None = None,
    ctx: Context | None = None,
) -> NDArray:
    """The numbers of `normal`, in a shape given as integers, one at least."""
    return normal(loc, scale, shape, dtype, ctx)


def uniform(
    low: float = 0,
    high: float = 1,
    shape: Shape = 1,
    dtype: DTypeLike | None = None,
    ctx: Context | None = None,
) -> NDArray:
    """Numbers spread evenly from `low` to `high`.

    Raises:
        MXNetError: `high` is below `low`, `dtype` not floating point, or `shape` not positive.
    """
    if not high >= low:
        raise MXNetError(f"low={low}, high={high}: the lower bound must not exceed the upper")
    width = float(np.float32(high) - np.float32(low))
    return _drawn(generator.uniform, low, width, shape, dtype, ctx)


def _drawn(
    law: Callable[..., np.ndarray],
    shift: float,
    scale: float,
    shape: Shape,
    dtype: DTypeLike | None,
    ctx: Context | None,
) -> NDArray:
    kind = element_type(dtype)
    if kind not in (np.float32, np.float64):
        raise MXNetError(f"random numbers of {kind}: choose float32 or float64")
    sizes, device = positive(shape), usable(ctx)
    numbers = _generator.draw(law, int(np.prod(sizes)), kind)
    # MXNet keeps the two parameters in float32, whatever the dtype of the result
    shifted = numbers * kind.type(np.float32(scale)) + kind.type(np.float32(shift))
    return NDArray(shifted.reshape(sizes), device)
