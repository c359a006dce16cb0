"""The loop of the book's PyTorch edition, line for line in its sense: for benchmarks alone.

One-hot inputs, three products a step inside the time loop, autograd, the book's clipping and
update. It shares no code with the other variants, so that making them faster leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from common.interface import Array, Gradients, Outputs, State


class RNNModelBook:
    """The network of the contract as the book writes it; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.params: list[Any] = [param.requires_grad_() for param in params]
        self.activation = getattr(torch, activation)
        self.loss = torch.nn.CrossEntropyLoss()
        self.lr, self.theta = lr, theta

    def set_params(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for param, value in zip(self.params, values, strict=True):
                param.copy_(value)

    def begin_state(self, batch_size: int) -> State:
        return (self.params[0].new_zeros((batch_size, self.params[0].shape[1])),)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        W_xh, W_hh, b_h, W_hq, b_q = self.params
        X = torch.as_tensor(X, device=W_xh.device).long()
        inputs = F.one_hot(X.T, len(W_xh)).type(W_xh.dtype)
        (H,) = state
        outputs = []
        for X in inputs:
            H = self.activation(torch.mm(X, W_xh) + torch.mm(H, W_hh) + b_h)
            outputs.append(torch.mm(H, W_hq) + b_q)
        return torch.cat(outputs, dim=0), (H,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        for param in self.params:
            param.grad = None
        y = torch.as_tensor(Y, device=self.params[0].device).T.reshape(-1).long()
        y_hat, (H,) = self(X, state)
        l = self.loss(y_hat, y).mean()
        l.backward()
        return l.detach(), [param.grad for param in self.params], (H.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        if self.theta:
            squares: Any = sum(torch.sum(grad**2) for grad in grads)
            norm = torch.sqrt(squares)
            if norm > self.theta:
                for grad in grads:
                    grad[:] *= self.theta / norm
        with torch.no_grad():
            for param in self.params:
                param -= self.lr * param.grad
        return l, state
