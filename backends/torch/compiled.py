"""The chapter's loop and PyTorch's own layer under `torch.compile`: variants for benchmarks alone.

The loop of ``scratch.py``, its gradient by `torch.func`, clipping and descent are one program, in
which the loop is unrolled; see https://docs.pytorch.org/docs/stable/torch.compiler.html. Of the
layers of ``concise.py``, what is not `torch.nn.RNN` itself is compiled: that stays the library's.
On a CPU, TorchInductor writes C++, so that a compiler has to be there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from backends.torch import adapter, concise, scratch
from common.errors import UnavailableError, in_one_line
from common.interface import Array, Gradients, Outputs, State

SHAPES = 1000
"""Shapes that a process may compile for; by default PyTorch gives up after eight."""


def programs() -> int:
    """Programs that were compiled so far."""
    if "torch._dynamo.utils" not in sys.modules:
        return 0
    return int(sys.modules["torch._dynamo.utils"].counters["stats"]["unique_graphs"])


@cache
def check_compiler() -> None:
    """See that `torch.compile` works here.

    Raises:
        UnavailableError: it does not, such as for want of a C++ compiler.
    """
    torch._dynamo.config.recompile_limit = SHAPES
    try:
        compiled(torch.square)(torch.ones(3))
    except torch._dynamo.exc.BackendCompilerFailed as error:
        reason = in_one_line(error.inner_exception)
        raise UnavailableError(f"torch.compile does not work here: {reason}") from error


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function compiled whole, for each shape anew; what compiles is imported here at first."""
    return torch.compile(function, fullgraph=True, dynamic=False)


def gradients(
    params: Sequence[Tensor], X: Tensor, Y: Tensor, H: Tensor, activation: Callable[..., Tensor]
) -> Gradients[Tensor]:
    """The mean loss of indices X and labels Y (batch, steps), its gradients, and the new state."""

    def objective(params: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        inputs = F.one_hot(X.T, len(params[0])).to(H.dtype)
        y_hat, (new,) = scratch.rnn(inputs, (H,), params, activation)
        return F.cross_entropy(y_hat, Y.T.reshape(-1)), new

    grads, (l, new) = torch.func.grad_and_value(objective, has_aux=True)(params)
    return l, grads, (new,)


def step(
    params: Sequence[Tensor],
    X: Tensor,
    Y: Tensor,
    H: Tensor,
    activation: Callable[..., Tensor],
    lr: float,
    theta: float,
) -> Outputs[Tensor]:
    """Forward, backward, clip (not where theta is 0), update: the mean loss and the new state."""
    l, grads, state = gradients(params, X, Y, H, activation)
    scale: Any = lr
    if theta:
        squares: Any = sum((grad**2).sum() for grad in grads)
        norm = torch.sqrt(squares)
        scale = lr * torch.where(norm > theta, theta / norm, 1)
    for param, grad in zip(params, grads, strict=True):
        param -= scale * grad
    return l, state


class RNNModelCompiled(adapter.ScratchNetwork):
    """The pages' model, its step compiled; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        check_compiler()
        super().__init__(params, activation, lr, theta)
        self.activation, self.lr = getattr(torch, activation), lr

    def _tensors(self, *indices: Array) -> list[Tensor]:
        return [torch.as_tensor(each, device=self.params[0].device).long() for each in indices]

    @torch.no_grad()
    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        return compiled(gradients)(self.params, *self._tensors(X, Y), *state, self.activation)

    @torch.no_grad()
    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        settings = self.activation, self.lr, self.theta
        return compiled(step)(self.params, *self._tensors(X, Y), *state, *settings)


class RNNModelCompiledConcise(concise.RNNModel):
    """The layers, compiled as a module is; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        check_compiler()
        super().__init__(params, activation, lr, theta)
        self.compile(dynamic=False)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        tokens: Any = torch.as_tensor(X).long()  # of other strides or type, it would compile anew
        return super().loss_and_grads(tokens, Y, state)
