"""The chapter's functions, or those of its exercises, as a network behind the contract."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from backends.mxnet_style import exercises, scratch
from backends.mxnet_style.engine import nd
from common.experiment import Experiment
from common.interface import Array, Gradients, State
from common.variants import pages


class ScratchNetwork(scratch.RNNModelScratch):
    """The page's model, with its training step: a `common.interface.Network`."""

    __call__ = scratch.RNNModelScratch.forward  # what the contract is given fits

    def __init__(self, params: list[nd.NDArray], experiment: Experiment) -> None:
        recurrence, self.page = pages(scratch, exercises, experiment)
        num_hiddens, vocab_size = params[-2].shape
        for param in params:
            param.attach_grad()
        super().__init__(
            vocab_size,
            num_hiddens,
            get_params=lambda *sizes: params,
            init_state=partial(exercises.init_rnn_state, num_layers=experiment.num_layers),
            forward=partial(recurrence.rnn, activation=getattr(nd, experiment.activation)),
        )
        self.loss, self.theta = scratch.cross_entropy, experiment.clip_theta
        self.updater = scratch.sgd_updater(self, experiment.lr)

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param[:] = value

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        l, grads, state = self.page.loss_and_grads(self, X, Y, state, self.loss)
        return l, grads, self.page.detach(state)

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l, state = self.page.train_step(self, X, Y, state, self.loss, self.updater, self.theta)
        return l, self.page.detach(state)
