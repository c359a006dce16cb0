"""Layers without a state."""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..init import Initializer, Zero
from ..ndarray import NDArray
from ..products import FullyConnected
from .block import Block

__all__ = ["Block", "Dense"]


class Dense(Block):
    """`nd.FullyConnected`, with its weight (units, inputs) and bias (units,).

    Args:
        units: the number of outputs.
        use_bias: whether there is a bias.
        flatten: make (N, units) of everything but the first axis.
        dtype: of the parameters.
        weight_initializer, bias_initializer: how they start, whatever `initialize` says.
        in_units: the number of inputs; 0 if the first input will tell.
        prefix: see `Block`.
    """

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: DTypeLike = "float32",
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        in_units: int = 0,
        **kwargs: str | None,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.flatten = units, flatten
        self.weight = self.new_parameter("weight", (units, in_units), dtype, weight_initializer)
        start = bias_initializer or Zero()
        self.bias = self.new_parameter("bias", (units,), dtype, start) if use_bias else None

    def __repr__(self) -> str:
        return f"Dense({self.weight.shape[1] or None} -> {self.units}, linear)"

    def forward(self, x: NDArray) -> NDArray:
        """Outputs (N, units), or without `flatten` that of `x` but for the last axis."""
        inputs = x.size // len(x) if self.flatten else x.shape[-1]
        self.weight.settle((self.units, inputs))
        parameters = [each.data() for each in (self.weight, self.bias) if each is not None]
        return FullyConnected(
            x, *parameters, num_hidden=self.units, no_bias=self.bias is None, flatten=self.flatten
        )
