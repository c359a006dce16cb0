"""`Trainer`: updates parameters by their gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .parameter import Parameter


class Trainer:
    """Minibatch stochastic gradient descent over parameters.

    Args:
        params: parameters, in a list or by name.
        optimizer: "sgd".
        optimizer_params: `learning_rate`, 0.01 by default; `momentum` and `wd`, both 0.

    Raises:
        ValueError: the optimizer is another one, or `params` are no parameters.
    """

    def __init__(
        self,
        params: Mapping[str, Parameter] | Sequence[Parameter],
        optimizer: str,
        optimizer_params: dict[str, float] | None = None,
    ) -> None:
        chosen = {"learning_rate": 0.01, "momentum": 0, "wd": 0} | (optimizer_params or {})
        if optimizer != "sgd" or chosen["momentum"] or chosen["wd"]:
            raise ValueError(f"optimizer {optimizer!r} {chosen}: the engine has plain 'sgd' alone")
        self._params = list(params.values() if isinstance(params, Mapping) else params)
        if not all(isinstance(param, Parameter) for param in self._params):
            raise ValueError("params are to be a list or dict of Parameters: use collect_params()")
        self._learning_rate = chosen["learning_rate"]

    @property
    def learning_rate(self) -> float:
        """Share of its gradient that a step takes off each parameter."""
        return self._learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Replace the learning rate."""
        self._learning_rate = lr

    def step(self, batch_size: int) -> None:
        """Take `learning_rate` / `batch_size` times its gradient off each parameter."""
        for param in self._params:
            if param.grad_req != "null":
                param.data()[:] -= self._learning_rate * (param.grad() / batch_size)
