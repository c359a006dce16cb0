"""The chapter's functions, or those of its exercises, as a network behind the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
from jax import Array as Tensor

from backends.jax import exercises, scratch
from common.interface import Array, Gradients, Outputs, State
from common.weights import by_layer


@cache
def bound(rnn: Callable[..., Any], activation: str) -> Callable[..., Any]:
    """The function with an activation: one function, so one compilation."""
    return partial(rnn, activation=getattr(jax.nn, activation))


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
            get_params=lambda *sizes: params,
            init_state=partial(exercises.init_rnn_state, num_layers=len(layers)),
            forward=bound(recurrence.rnn, activation),
        )
        self.loss, self.theta = scratch.cross_entropy, theta
        self.updater = scratch.sgd_updater(self, lr)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        given = self.params, X, Y, state
        return self.page.loss_and_grads(*given, self.forward_fn, self.loss)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return self.page.train_step(self, X, Y, state, self.loss, self.updater, self.theta)
