"""Keras on PyTorch: eager, as Keras itself runs it, with gradients in ``value.grad``."""

from __future__ import annotations

import torch
from torch import Tensor

from backends.keras import concise
from backends.torch.devices import describe as describe
from backends.torch.devices import device_memory_mb as device_memory_mb
from backends.torch.devices import taken as taken
from common.interface import Array, Gradients, Outputs, State


def compilations() -> int:
    """Programs compiled so far: none."""
    return 0


def to_numpy(tensor: Tensor) -> Array:
    """A tensor as an array, which may share its memory."""
    return tensor.detach().cpu().numpy()


class RNNModel(concise.RNNModel):
    """The network and its step; see `common.interface.Network`."""

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        with torch.no_grad():
            return super().__call__(X, state)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        self.model.zero_grad()
        logits, H = self.logits(X, state)
        l = self.loss(Y, logits)
        l.backward()
        return l.detach(), [param.grad for param in self.params], (H.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, grads, state = self.loss_and_grads(X, Y, state)
        with torch.no_grad():
            self.optimizer.apply(grads, self.model.trainable_variables)
        return l, state
