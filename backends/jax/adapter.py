"""The chapter's functions, or those of its exercises, as a network behind the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
from jax import Array as Tensor

from backends.jax import exercises, scratch
from common.experiment import Experiment
from common.interface import Array, Gradients, Outputs, State
from common.variants import pages


@cache
def bound(rnn: Callable[..., Any], activation: str) -> Callable[..., Any]:
    """The function with an activation: one function, so one compilation."""
    return partial(rnn, activation=getattr(jax.nn, activation))


class ScratchNetwork(scratch.RNNModelScratch):
    """The page's model, with its training step: a `common.interface.Network`."""

    __call__ = scratch.RNNModelScratch.forward  # what the contract is given fits

    def __init__(self, params: list[Tensor], experiment: Experiment) -> None:
        recurrence, self.page = pages(scratch, exercises, experiment)
        num_hiddens, vocab_size = params[-2].shape
        super().__init__(
            vocab_size,
            num_hiddens,
            get_params=lambda *sizes: params,
            init_state=partial(exercises.init_rnn_state, num_layers=experiment.num_layers),
            forward=bound(recurrence.rnn, experiment.activation),
        )
        self.loss, self.theta = scratch.cross_entropy, experiment.clip_theta
        self.updater = scratch.sgd_updater(self, experiment.lr)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        given = self.params, X, Y, state
        return self.page.loss_and_grads(*given, self.forward_fn, self.loss)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        return self.page.train_step(self, X, Y, state, self.loss, self.updater, self.theta)
