"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import DTypeLike

from .. import recurrent
from ..creation import zeros
from ..init import Initializer, Zero
from ..ndarray import NDArray
from ..shaping import concat
from .block import Block

__all__ = ["RNN"]


class RNN(Block):
    """`nd.RNN`, with its parameters: one layer, over inputs (steps, batch, inputs).

    Args:
        hidden_size: the number of hidden units.
        activation: "relu" or "tanh".
        i2h_weight_initializer, h2h_weight_initializer: how the weights start, whatever
            `initialize` says.
        input_size: the number of inputs; 0 if the first input will tell.
        dtype: of the parameters.
        prefix: see `Block`.

    Raises:
        KeyError: there is no such activation.
    """

    def __init__(
        self,
        hidden_size: int,
        activation: str = "relu",
        i2h_weight_initializer: Initializer | None = None,
        h2h_weight_initializer: Initializer | None = None,
        input_size: int = 0,
        dtype: DTypeLike = "float32",
        **kwargs: str | None,
    ) -> None:
        super().__init__(**kwargs)
        self._mode = f"rnn_{activation}"
        if self._mode not in recurrent.MODES:
            raise KeyError(f"activation {activation!r}: choose relu or tanh")
        self._hidden_size, self._dtype, size = hidden_size, dtype, (hidden_size,)
        new, from_inputs = self.new_parameter, (hidden_size, input_size)
        self.l0_i2h_weight = new("l0_i2h_weight", from_inputs, dtype, i2h_weight_initializer)
        self.l0_h2h_weight = new("l0_h2h_weight", size * 2, dtype, h2h_weight_initializer)
        self.l0_i2h_bias = new("l0_i2h_bias", size, dtype, Zero())
        self.l0_h2h_bias = new("l0_h2h_bias", size, dtype, Zero())

    def __repr__(self) -> str:
        return f"RNN({self.l0_i2h_weight.shape[1] or None} -> {self._hidden_size}, TNC)"

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """The shape of each array of the state, and what its axes are."""
        shape = (1, batch_size, self._hidden_size)
        return [{"shape": shape, "__layout__": "LNC", "dtype": self._dtype}]

    def begin_state(
        self, batch_size: int = 0, func: Callable[..., NDArray] = zeros, **kwargs: Any
    ) -> list[NDArray]:
        """The state before the first step: a list of one array (1, batch_size, hiddens).

        Args:
            batch_size: the number of sequences.
            func: makes the array of a `shape`.
            kwargs: go to `func`: `ctx`, for instance, or another `dtype` than the parameters'.
        """
        wanted = [
            {"shape": info["shape"], "dtype": info["dtype"]} | kwargs
            for info in self.state_info(batch_size)
        ]
        return [func(**each) for each in wanted]

    def cast(self, dtype: DTypeLike) -> None:
        """Convert all parameters, and the states that `begin_state` gives."""
        super().cast(dtype)
        self._dtype = dtype

    def forward(
        self, inputs: NDArray, states: NDArray | Sequence[NDArray] | None = None
    ) -> NDArray | tuple[NDArray, list[NDArray]]:
        """The hidden states (steps, batch, hiddens) and, if a state was given, the last one.

        Raises:
            ValueError: the state has another shape.
        """
        batch_size = inputs.shape[1]
        given = self.begin_state(batch_size, ctx=inputs.ctx, dtype=inputs.dtype)
        if states is not None:
            given = [states] if isinstance(states, NDArray) else list(states)
        for state, info in zip(given, self.state_info(batch_size), strict=True):
            if state.shape != info["shape"]:
                raise ValueError(f"a state of {state.shape}: expected {info['shape']}")
        self.l0_i2h_weight.settle((self._hidden_size, inputs.shape[2]))
        flat = [each.data().reshape(-1) for each in self._own]
        mode, size = self._mode, self._hidden_size
        outputs, last = recurrent.RNN(
            inputs, concat(*flat, dim=0), *given,
            state_size=size, num_layers=1, mode=mode, state_outputs=True,
        )  # fmt: skip
        return outputs if states is None else (outputs, [last])
