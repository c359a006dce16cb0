"""Parameters of layers: arrays that are drawn when their shape is known, and then trained."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from ..base import MXNetError, element_type
from ..context import Context, usable
from ..creation import zeros
from ..init import Initializer, Uniform
from ..ndarray import GRAD_REQS, NDArray


class DeferredInitializationError(MXNetError):
    """Error of a parameter that waits for the first input, which tells its shape."""


class Parameter:
    """One array of a layer.

    Args:
        name: unlike that of any other parameter of the network.
        shape: its lengths; 0 for one that the first input will tell.
        dtype: float32 by default.
        init: how it starts, whatever `initialize` says of the others.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike = "float32",
        init: Initializer | None = None,
    ) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self._init = init
        self._grad_req = "write"
        self._array: NDArray | None = None
        self._waiting: tuple[Initializer, Context] | None = None

    def __repr__(self) -> str:
        dtype = element_type(self.dtype)
        return f"Parameter {self.name} (shape={self.shape}, dtype={dtype})"

    @property
    def grad_req(self) -> str:
        """Treatment of gradients: replaced ("write"), added ("add") or not computed ("null")."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, value: str) -> None:
        if value not in GRAD_REQS:
            raise AssertionError(f"grad_req={value!r}: choose one of {', '.join(GRAD_REQS)}")
        if value != self._grad_req and self._array is not None:
            self._array.attach_grad(value)
        self._grad_req = value

    def initialize(
        self,
        init: Initializer | None = None,
        ctx: Context | None = None,
        default_init: Initializer | None = None,
        force_reinit: bool = False,
    ) -> None:
        """Draw the elements, now or as soon as the shape is known.

        Args:
            init: how, if nothing was said when the parameter was made.
            ctx: where.
            default_init: how, if nothing else says; `Uniform()` by default.
            force_reinit: draw again what was drawn before.
        """
        if self._array is not None and not force_reinit:
            return
        self._array = None
        chosen = init or self._init or default_init or Uniform()
        self._waiting = chosen, usable(ctx)
        if all(self.shape):
            self.settle(self.shape)

    def settle(self, shape: tuple[int, ...]) -> None:
        """Take a shape that the first input told, and draw the elements if they wait for it."""
        if self._waiting is not None:
            self.shape = shape
            init, ctx = self._waiting
            self._array = zeros(shape, ctx, self.dtype)
            init(self._array)
            self._array.attach_grad(self._grad_req)
            self._waiting = None

    def data(self) -> NDArray:
        """The array.

        Raises:
            DeferredInitializationError: its shape is not known yet.
            RuntimeError: it was not initialized.
        """
        if self._waiting is not None:
            raise DeferredInitializationError(f"{self.name} waits for its shape: call its layer")
        if self._array is None:
            raise RuntimeError(f"{self.name} has not been initialized: call initialize()")
        return self._array

    def grad(self) -> NDArray:
        """The gradient that the last backward pass wrote.

        Raises:
            RuntimeError: it was not initialized, or its `grad_req` is "null".
        """
        gradient = self.data().grad
        if gradient is None:
            raise RuntimeError(f"{self.name} has no gradient: its grad_req is 'null'")
        return gradient

    def cast(self, dtype: DTypeLike) -> None:
        """Convert the elements, those that are not drawn yet too; the gradient begins at zero."""
        self.dtype = dtype
        if self._array is not None:
            self._array = self._array.astype(dtype)
            self._array.attach_grad(self._grad_req)

    def set_data(self, data: NDArray | np.ndarray) -> None:
        """Replace the elements; the gradient stays attached.

        Raises:
            AssertionError: the shape is another one.
        """
        if data.shape != self.shape:
            raise AssertionError(f"{self.name}: data of {data.shape}, expected {self.shape}")
        self.data()[:] = data


class ParameterDict(dict[str, Parameter]):
    """Parameters by name, in the order in which their layers were made."""

    def __init__(self, prefix: str = "", members: Sequence[Parameter] = ()) -> None:
        super().__init__({member.name: member for member in members})
        self.prefix = prefix

    def __repr__(self) -> str:
        lines = "".join(f"  {member!r}\n" for member in self.values())
        return f"{self.prefix} (\n{lines})"

    def select(self, pattern: str) -> ParameterDict:
        """Parameters whose name the regular expression matches from its beginning."""
        chosen = [member for member in self.values() if re.match(pattern, member.name)]
        return ParameterDict(self.prefix, chosen)

    def initialize(
        self,
        init: Initializer | None = None,
        ctx: Context | None = None,
        force_reinit: bool = False,
    ) -> None:
        """Initialize every parameter that has no way of its own with `init`."""
        for member in self.values():
            member.initialize(None, ctx, init, force_reinit)
