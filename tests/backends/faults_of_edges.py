"""Faults that show at an edge alone: where numbers are large or exactly 0, or where sizes coincide.

Each takes a right function and gives a wrong one, and serves every backend.
"""

import importlib
import inspect
import sys
from types import SimpleNamespace

import numpy as np

from common.training import Underway
from common.vocab import Vocab
from rnn_rosetta_suite.faults import reordered
from tests.backends.faults_of_scratch import constant


def functions_of(x):
    """The functions exp, log, clip and concat(arrays) of the framework that x is of."""
    module = type(x).__module__.split(".")[0]
    if module in ("backends", "mxnet"):
        own = importlib.import_module("backends.mxnet_style.engine").nd

        def clip(A, low, high):
            return high - own.relu(high - low - own.relu(A - low))

        found = own.exp, own.log, clip, lambda As: own.concat(*As, dim=0)
    elif module == "tensorflow":
        own = sys.modules["tensorflow"]
        found = own.exp, own.math.log, own.clip_by_value, lambda As: own.concat(As, 0)
    else:
        own = sys.modules["torch" if module == "torch" else "jax.numpy"]
        found = own.exp, own.log, own.clip, getattr(own, "cat", own.concatenate)
    return SimpleNamespace(**dict(zip(("exp", "log", "clip", "concat"), found, strict=True)))


def in_relu(change):
    """Compute with another ReLU, a function of the right one and its argument."""

    def plant(rnn):
        right = inspect.signature(rnn).parameters["activation"].default

        def wrong(inputs, state, params, activation=right):
            def act(A):
                return change(activation, A) if activation.__name__ == "relu" else activation(A)

            return rnn(inputs, state, params, activation=act)

        return wrong

    return plant


@in_relu
def relu6(relu, A):
    """Bounded at 6."""
    return relu(A) - relu(relu(A) - 6)


@in_relu
def slope_at_zero(relu, A):
    """The derivative of ReLU is 1 at 0."""
    return A + relu(-A)


def without_its_maximum(loss):
    """The softmax of the logits as they are: their exponentials may overflow."""

    def wrong(y_hat, y):
        framework = functions_of(y_hat)
        return loss(framework.log(framework.exp(y_hat)), y)

    return wrong


def values_clipped(bound=None):
    """Every value is brought between -bound and bound before the norm is; or for it, at theta."""

    def plant(grad_clipping):
        def between(grad, theta):
            most = bound or theta
            return functions_of(grad).clip(grad, -most, most)

        def wrong(model_or_grads, theta):
            if isinstance(model_or_grads, list):
                clipped = [between(grad, theta) for grad in model_or_grads]
                return grad_clipping(clipped, theta) if bound else clipped
            for param in model_or_grads.params:
                param.grad[:] = between(param.grad, theta)
            return grad_clipping(model_or_grads, theta) if bound else None

        return wrong

    return plant


def cut_eight_steps_from_the_end(rnn):
    """No gradient flows from the last eight steps into those before."""

    def wrong(inputs, state, params, **named):
        if len(inputs) <= 8:
            return rnn(inputs, state, params, **named)
        early, (H,) = rnn(inputs[:-8], state, params, **named)
        late, state = rnn(inputs[-8:], (constant(H),), params, **named)
        return functions_of(late).concat([early, late]), state

    return wrong


def last_of_equals(predict):
    """The last of the likeliest tokens: the first of them, where all are in the opposite order."""

    def wrong(self, prefix, num_preds, vocab):
        weights = self.weights()
        turned = {"W_xh": weights["W_xh"][::-1].copy(), "W_hq": weights["W_hq"][:, ::-1].copy()}
        self.load_weights(weights | turned | {"b_q": weights["b_q"][::-1].copy()})
        opposite = Vocab.from_idx_to_token(vocab.idx_to_token[::-1], vocab.token)
        text = predict(self, prefix, num_preds, opposite)
        self.load_weights(weights)
        return text

    return wrong


def transposed_where_square(build):
    """W_hh is taken to be transposed where W_xh has its shape."""

    def wrong(experiment, variant, weights):
        alike = weights["W_xh"].shape == weights["W_hh"].shape
        W_hh = weights["W_hh"].T if alike else weights["W_hh"]
        return build(experiment, variant, weights | {"W_hh": W_hh})

    return wrong


def labels_not_transposed_where_square(method):
    """The labels in the order of the batch, where it has as many rows as steps."""

    def wrong(self, X, Y, state):
        return method(self, X, reordered(Y) if len(Y) == len(Y.T) else Y, state)

    return wrong


def logits_transposed_where_square(forward):
    """The logits are (V, N) where N is V."""

    def wrong(self, X, state):
        logits, state = forward(self, X, state)
        return logits.T if len(logits) == len(logits.T) else logits, state

    return wrong


def alphabetical(predict):
    """Indices are those of the vocabulary in alphabetical order."""

    def wrong(self, prefix, num_preds, vocab):
        in_order = Vocab.from_idx_to_token(sorted(vocab), vocab.token)
        return predict(self, prefix, num_preds, in_order)

    return wrong


def last_row_lost(method):
    """Of a minibatch that is cut into slices, the last row counts only if their sizes are equal."""

    def wrong(self, X, Y, state):
        if len(X) > 16 and len(X) % 2:
            X, Y = (np.concatenate([A[:-1], A[:1]]) for A in (X, Y))
        return method(self, X, Y, state)

    return wrong


def state_carried_into_the_next_epoch(_):
    """Every epoch goes on from the state at the end of the one before."""
    epochs = []

    def wrong(number=1, *given):
        epochs.append(Underway(number, *given))
        if len(epochs) > 1 and number > 1:
            epochs[-1].state = epochs[-2].state
        return epochs[-1]

    return wrong


def validation_from_a_carried_state(mean_loss):
    """Every batch of validation goes on from the state after the one before."""

    def wrong(model, batches):
        state = []

        class Carrying:
            def begin_state(self, batch_size):
                return state[0] if state else model.begin_state(batch_size)

            def forward(self, X, given):
                logits, after = model.forward(X, given)
                state[:] = [after]
                return logits, after

        return mean_loss(Carrying(), batches)

    return wrong
