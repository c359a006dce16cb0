"""The chapter's functions, or those of its exercises, as a network behind the contract."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from backends.mxnet_style import exercises, scratch
from backends.mxnet_style.engine import nd
from common.interface import Array, Gradients, State
from common.weights import by_layer


class ScratchNetwork(scratch.RNNModelScratch):
    """The pages' model as a `common.interface.Network`; see `common.variants.serving`."""

    __call__ = scratch.RNNModelScratch.forward  # what the contract is given fits

    def __init__(
        self,
        params: list[nd.NDArray],
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
        for param in params:
            param.attach_grad()
        super().__init__(
            vocab_size,
            num_hiddens,
            get_params=lambda *sizes: params,
            init_state=partial(exercises.init_rnn_state, num_layers=len(layers)),
            forward=partial(recurrence.rnn, activation=getattr(nd, activation)),
        )
        self.loss, self.theta = scratch.cross_entropy, theta
        self.updater = scratch.sgd_updater(self, lr)

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param[:] = value

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        l, grads, state = self.page.loss_and_grads(self, X, Y, state, self.loss)
        return l, grads, self.page.detach(state)

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l, state = self.page.train_step(self, X, Y, state, self.loss, self.updater, self.theta)
        return l, self.page.detach(state)
