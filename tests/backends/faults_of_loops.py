"""Faults of the chapter's two loops: a line of the right one is changed, once for all backends.

`train_epoch_rnn` and `train_rnn` hold the same lines in each ``scratch.py``.
"""

import inspect


def changed(old, new):
    """The function with one piece of its text replaced, among the names of its own module."""

    def plant(function):
        source = inspect.getsource(function)
        assert source.count(old) == 1, old
        names = function.__globals__
        here = dict(names)
        exec(source.replace(old, new), here)
        wrong = here[function.__name__]
        # what is planted elsewhere in the module is seen by this function too
        return type(wrong)(wrong.__code__, names, wrong.__name__, wrong.__defaults__)

    return plant


UNDETACHED = ("state = detach(state)", "pass")

EPOCH = {
    "a new state for every batch": ("state is None or use_random_iter", "True"),
    "a new state for the first batch alone": ("state is None or use_random_iter", "state is None"),
    "carried where it should be new": (
        "state is None or use_random_iter",
        "state is None or not use_random_iter",
    ),
    "state reset after the step": ("losses.append(", "state = None; losses.append("),
    "state reset before the last batch": (
        "state is None or use_random_iter",
        "state is None or use_random_iter or len(losses) == 4",
    ),
    "first batch skipped": ("in train_iter:", "in list(train_iter)[1:]:"),
    "last batch skipped": ("in train_iter:", "in list(train_iter)[:-1]:"),
    "first batch twice": ("in train_iter:", "in [*list(train_iter)[:1], *train_iter]:"),
    "batches exchanged": ("in train_iter:", "in list(train_iter)[::-1]:"),
    "state not updated": ("l, state = train_step", "l, _ = train_step"),
    "batches count alike": ("math.prod(Y.shape)", "1"),
    "last loss alone": ("for l, n in losses)", "for l, n in losses[-1:])"),
    "never clipped": ("updater, theta)", "updater, 0)"),
}
"""By name, a piece of `train_epoch_rnn` and what takes its place."""

TRAIN = {
    "first epoch skipped": ("range(num_epochs)", "range(1, num_epochs)"),
    "an epoch too many": ("range(num_epochs)", "range(num_epochs + 1)"),
    "sampling not passed on": ("updater, use_random_iter, theta", "updater, False, theta"),
    "theta not passed on": ("updater, use_random_iter, theta", "updater, use_random_iter"),
    "one minibatch for an epoch": ("model, train_iter, cross", "model, [*train_iter][:1], cross"),
    "another lr": ("sgd_updater(model, lr)", "sgd_updater(model, lr / 2)"),
    "progress a period too late": ("(epoch + 1) % 10", "epoch % 10"),
    "one prefix alone": ("in prefixes:", "in prefixes[:1]:"),
}
"""By name, a piece of `train_rnn` and what takes its place."""
