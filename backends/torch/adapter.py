"""The chapter's functions, or those of its exercises, as a network behind the contract."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from backends.torch import exercises, scratch
from common.interface import Array, Gradients, Outputs, State
from common.weights import by_layer


class ScratchNetwork(scratch.RNNModelScratch):
    """The pages' model as a `common.interface.Network`; see `common.variants.serving`."""

    __call__ = scratch.RNNModelScratch.forward  # what the contract is given fits

    def __init__(
        self,
        params: list[Tensor],
        activation: str,
        lr: float,
        theta: float,
        extended: bool = False,
        keep_graph: bool = False,
    ) -> None:
        recurrence = exercises if extended else scratch
        self.page = exercises if keep_graph else scratch
        num_hiddens, vocab_size = params[-2].shape
        _, layers, _ = by_layer(params)
        super().__init__(
            vocab_size,
            num_hiddens,
            get_params=lambda *sizes: [param.requires_grad_() for param in params],
            init_state=partial(exercises.init_rnn_state, num_layers=len(layers)),
            forward=partial(recurrence.rnn, activation=getattr(torch, activation)),
        )
        self.loss, self.theta = scratch.cross_entropy, theta
        self.updater = scratch.sgd_updater(self, lr)

    def set_params(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for param, value in zip(self.params, values, strict=True):
                param.copy_(value)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        l, grads, state = self.page.loss_and_grads(self, X, Y, state, self.loss)
        return l, grads, self.page.detach(state)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        l, state = self.page.train_step(self, X, Y, state, self.loss, self.updater, self.theta)
        return l, self.page.detach(state)
