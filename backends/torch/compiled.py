"""The chapter's loop under `torch.compile`: a variant for benchmarks alone.

The loop of ``scratch.py`` is unrolled into one program, PyTorch differentiates it, and clipping and
descent are another, as the tutorials "Introduction to torch.compile" and "Compiling the optimizer"
on https://docs.pytorch.org/tutorials have it. On a CPU, TorchInductor writes C++, so that a
compiler has to be there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from backends.torch import adapter, scratch
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


def loss(
    params: Sequence[Tensor], X: Tensor, Y: Tensor, H: Tensor, activation: Callable[..., Tensor]
) -> tuple[Tensor, Tensor]:
    """The mean loss of indices X and labels Y (batch, steps), and the state after the last step."""
    inputs = F.one_hot(X.T, len(params[0])).to(H.dtype)
    y_hat, (H,) = scratch.rnn(inputs, (H,), params, activation)
    return F.cross_entropy(y_hat, Y.T.reshape(-1)), H


@torch.no_grad()
def descend(params: Sequence[Tensor], grads: Sequence[Tensor], lr: float, theta: float) -> None:
    """Clip (not where theta is 0) and update."""
    if theta:
        squares: Any = sum((grad**2).sum() for grad in grads)
        norm = torch.sqrt(squares)
        lr = lr * torch.where(norm > theta, theta / norm, 1)
    for param, grad in zip(params, grads, strict=True):
        param -= lr * grad


class RNNModelCompiled(adapter.ScratchNetwork):
    """The pages' model, its step compiled; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        check_compiler()
        super().__init__(params, activation, lr, theta)
        self.activation, self.lr = getattr(torch, activation), lr

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        X, Y = (torch.as_tensor(each, device=self.params[0].device).long() for each in (X, Y))
        for param in self.params:
            param.grad = None
        l, H = compiled(loss)(self.params, X, Y, *state, self.activation)
        l.backward()
        return l.detach(), [param.grad for param in self.params], (H.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        compiled(descend)(self.params, grads, self.lr, self.theta)
        return l, state
