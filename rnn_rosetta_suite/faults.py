"""Faults of the contract and of the loop that drives it: a right function in, a wrong one out.

NumPy crosses the contract, so each serves every backend.
"""

from contextlib import suppress

import numpy as np

from common.reference import clip
from common.training import warm_up


def reordered(A):
    """(batch, steps), reshaped where it should be transposed."""
    return A.reshape(A.shape[::-1]).T


def labels_not_transposed(method):
    """The labels in the order of the batch, as in d2l-en issue 1349."""
    return lambda self, X, Y, state: method(self, X, reordered(Y), state)


def inputs_not_transposed(method):
    """The inputs in the order of the batch."""
    return lambda self, X, *rest: method(self, reordered(X), *rest)


def shifted_one_hot(method):
    """The index counts from one."""
    return lambda self, X, *rest: method(self, (X + 1) % (X.max() + 1), *rest)


def logits_of_the_batch(forward):
    """The logits in the order of the batch rather than of time."""

    def wrong(self, X, state):
        logits, state = forward(self, X, state)
        return logits.reshape(*X.T.shape, -1).swapaxes(0, 1).reshape(logits.shape), state

    return wrong


def old_state(method):
    """The state that was given is given back."""
    return lambda self, X, Y, state: (*method(self, X, Y, state)[:-1], state)


def loss_after_the_update(train_step):
    """The loss of the weights after the update."""

    def wrong(self, X, Y, state):
        _, new_state = train_step(self, X, Y, state)
        return self.loss_and_grads(X, Y, state)[0], new_state

    return wrong


def loss_over_a_full_batch(train_step):
    """The sum over the tokens of a batch, divided by those of the first, full one."""
    sizes = []

    def wrong(self, X, Y, state):
        sizes.append(Y.size)
        loss, state = train_step(self, X, Y, state)
        return float(loss) * Y.size / sizes[0], state

    return wrong


def clipped_gradients(loss_and_grads):
    """The gradients are given after clipping."""

    def wrong(self, X, Y, state):
        loss, grads, state = loss_and_grads(self, X, Y, state)
        return loss, clip(grads, 0.1), state

    return wrong


def accumulated_gradients(loss_and_grads):
    """The gradients are added to those of the call before."""

    def wrong(self, X, Y, state):
        loss, grads, state = loss_and_grads(self, X, Y, state)
        before = self.__dict__.get("before", dict.fromkeys(grads, 0))
        self.before = {name: g + before[name] for name, g in grads.items()}
        return loss, self.before, state

    return wrong


def trains_unasked(loss_and_grads):
    """Asking for the gradients updates the weights."""

    def wrong(self, X, Y, state):
        found = loss_and_grads(self, X, Y, state)
        self.train_step(X, Y, state)
        return found

    return wrong


def loads_nothing(load_weights):
    """The weights stay as they are once there are some, so that warming up trains."""

    def wrong(self, weights):
        there = None
        with suppress(Exception):  # it is just being made
            there = self.weights()
        if not there:
            load_weights(self, weights)

    return wrong


def views(weights):
    """The weights are given as views, which change with them."""

    def wrong(self):
        seen = self.__dict__.setdefault("seen", {})
        for name, w in weights(self).items():
            seen.setdefault(name, w.copy())[...] = w
        return seen

    return wrong


def prefix_not_finished(predict):
    """The last token of the prefix is written but not read."""

    def wrong(self, prefix, num_preds, vocab):
        return prefix + predict(self, prefix[:-1], num_preds, vocab)[len(prefix) - 1 :]

    return wrong


def prefix_not_read(predict):
    """The state is not warmed up on the prefix."""
    return lambda self, prefix, *rest: prefix[:-1] + predict(self, prefix[-1:], *rest)


def last_token_twice(predict):
    """The last token of the prefix is read twice."""

    def wrong(self, prefix, num_preds, vocab):
        return prefix + predict(self, prefix + prefix[-1], num_preds, vocab)[len(prefix) + 1 :]

    return wrong


def built_with(**settings):
    """The model is built with other settings than those asked for."""
    return lambda build: (
        lambda experiment, *rest: build(experiment.model_copy(update=settings), *rest)
    )


def transposed_weights(build):
    """W_hh, which is square, is taken to be transposed."""
    return lambda experiment, variant, weights: build(
        experiment, variant, weights | {"W_hh": weights["W_hh"].T}
    )


def not_the_first(build):
    """No fault by itself: a model of another theta is built before, and run."""

    def wrong(experiment, *rest):
        other = experiment.model_copy(update={"clip_theta": experiment.clip_theta * 2})
        warm_up(build(other, *rest), [(1, 1)])
        return build(experiment, *rest)

    return wrong


def weights_compiled_in(build):
    """The forward pass keeps the weights with which it was compiled."""

    def wrong(*args):
        model = build(*args)
        model.forward = build(*args).forward
        return model

    return wrong


def batches_count_alike(run_epoch):
    """The loss is the mean over batches, whatever number of tokens they hold."""

    def wrong(begin_state, step, batches, use_random_iter):
        losses = []

        def noting(*args):
            loss, state = step(*args)
            losses.append(float(loss))
            return loss, state

        _, tokens = run_epoch(begin_state, noting, batches, use_random_iter)
        return np.mean(losses) * tokens, tokens

    return wrong


def state_never_carried(run_epoch):
    """Every batch begins a new state."""
    return lambda begin_state, step, batches, _: run_epoch(begin_state, step, batches, True)
