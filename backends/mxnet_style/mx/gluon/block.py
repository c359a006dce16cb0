"""`Block`, the base of layers and of networks made of layers."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from numpy.typing import DTypeLike

from ..context import Context
from ..init import Initializer
from .parameter import Parameter, ParameterDict

_counts: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)


class Block:
    """A layer, or a network whose attributes are layers; calling it calls `forward`.

    Args:
        prefix: what the names of its own parameters begin with: the class in small letters and a
            number, by default.
    """

    def __init__(self, prefix: str | None = None) -> None:
        kind = type(self).__name__.lower()
        self.prefix = f"{kind}{next(_counts[kind])}_" if prefix is None else prefix
        self._children: dict[str, Block] = {}
        self._own: list[Parameter] = []

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, Block):
            self._children[name] = value
        super().__setattr__(name, value)

    def __call__(self, *inputs: Any) -> Any:
        """Outputs of `forward`."""
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        """Compute the outputs; every class has its own."""
        raise NotImplementedError

    def new_parameter(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        init: Initializer | None,
    ) -> Parameter:
        """A parameter of this block, its name after the block's prefix."""
        parameter = Parameter(self.prefix + name, shape, dtype, init)
        self._own.append(parameter)
        return parameter

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """The parameters of this block and of all inside it, once each.

        Args:
            select: a regular expression that names must match from their beginning.
        """
        found = ParameterDict(self.prefix, self._own)
        for child in self._children.values():
            found.update(child.collect_params())
        return found if select is None else found.select(select)

    def initialize(
        self,
        init: Initializer | None = None,
        ctx: Context | None = None,
        force_reinit: bool = False,
    ) -> None:
        """Draw all parameters, those of unknown shape at the first call; see `Parameter`."""
        self.collect_params().initialize(init, ctx, force_reinit)

    def cast(self, dtype: DTypeLike) -> None:
        """Convert all parameters, and their gradients."""
        for child in self._children.values():
            child.cast(dtype)
        for parameter in self._own:
            parameter.cast(dtype)

    def hybridize(self, active: bool = True, **flags: object) -> None:
        """Compile the network, in MXNet; the engine has no compiler, and does nothing."""
