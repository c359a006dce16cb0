"""Initial values of parameters."""

from __future__ import annotations

from . import random
from .ndarray import NDArray


class Initializer:
    """Fills an array; called by `Parameter.initialize`."""

    def __call__(self, array: NDArray) -> None:
        """Replace the elements of `array`."""
        raise NotImplementedError


class Zero(Initializer):
    """Zeros, from which biases start."""

    def __call__(self, array: NDArray) -> None:
        """Replace the elements of `array`."""
        array[:] = 0


class Normal(Initializer):
    """Numbers from the normal distribution of mean 0 and standard deviation `sigma`."""

    def __init__(self, sigma: float = 0.01) -> None:
        self.sigma = sigma

    def __call__(self, array: NDArray) -> None:
        """Replace the elements of `array`."""
        array[:] = random.normal(0, self.sigma, array.shape, array.dtype)


class Uniform(Initializer):
    """Numbers spread evenly from -`scale` to `scale`: MXNet's default for weights."""

    def __init__(self, scale: float = 0.07) -> None:
        self.scale = scale

    def __call__(self, array: NDArray) -> None:
        """Replace the elements of `array`."""
        array[:] = random.uniform(-self.scale, self.scale, array.shape, array.dtype)
