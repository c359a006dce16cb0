"""The chapter in object style as a variant: the classes of `d2l`, trained by its `Trainer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.mxnet_style import d2l
from backends.mxnet_style.engine import autograd, nd
from common.interface import Array, Gradients, Outputs, State


class Remembering(d2l.RNNScratch):
    """The chapter's RNN, which keeps its last hidden state: its language model returns none."""

    def forward(self, inputs: nd.NDArray, state: State = None) -> tuple[list[Any], nd.NDArray]:
        """The hidden states and the last of them."""
        outputs, self.last = super().forward(inputs, state)
        return outputs, self.last


class Unplotted(d2l.RNNLMScratch):
    """The chapter's language model without curves, for which every loss would be waited for."""

    def plot(self, key: str, value: nd.NDArray, train: bool) -> None:
        """Leave the curves alone."""


class RNNModelObject:
    """The chapter's classes on minibatches (X, state, Y); see `common.interface.Network`."""

    def __init__(self, params: list[nd.NDArray], activation: str, lr: float, theta: float) -> None:
        W_xh = params[0]
        self.vocab_size, self.num_hiddens = W_xh.shape
        self.ctx, self.dtype = W_xh.context, W_xh.dtype
        self.rnn = Remembering(self.vocab_size, self.num_hiddens)
        self.rnn.activation = getattr(nd, activation)
        self.model: Any = Unplotted(self.rnn, self.vocab_size, lr)
        self.model.cast(self.dtype)
        self.set_params(params)
        self.trainer: Any = d2l.Trainer(max_epochs=1, gradient_clip_val=theta)
        self.trainer.prepare_model(self.model)
        self.trainer.optim = self.model.configure_optimizers()

    @property
    def params(self) -> list[Any]:
        rnn, model = self.rnn, self.model
        return [rnn.W_xh, rnn.W_hh, rnn.b_h, model.W_hq, model.b_q]

    def set_params(self, values: Sequence[nd.NDArray]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param[:] = value

    def begin_state(self, batch_size: int) -> State:
        return (nd.zeros((batch_size, self.num_hiddens), ctx=self.ctx, dtype=self.dtype),)

    def _indices(self, X: Array) -> nd.NDArray:
        return nd.array(X, ctx=self.ctx)

    def __call__(self, X: Array, state: State) -> Outputs[nd.NDArray]:
        """The outputs, made time-major, and the new state."""
        logits = self.model(self._indices(X), state)
        time_major = nd.swapaxes(logits, 0, 1)
        return time_major.reshape((-1, self.vocab_size)), (self.rnn.last,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[nd.NDArray]:
        with autograd.record():
            l = self.model.training_step((self._indices(X), state, self._indices(Y)))
        l.backward()
        return l, [param.grad for param in self.params], (self.rnn.last.detach(),)

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        l = self.trainer.train_on((self._indices(X), state, self._indices(Y)))
        return l.asscalar(), (self.rnn.last.detach(),)
