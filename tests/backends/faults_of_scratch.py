"""Faults of the chapter: each takes a right function of ``scratch`` and gives a wrong one.

They are written once for every backend: what they take has the same shape in all of them, but that
gradients are values in some and live in ``param.grad`` in others.
"""

import inspect
import sys
from functools import cache
from types import SimpleNamespace


def in_rnn(change):
    """Compute with another state and other parameters."""

    def plant(rnn):
        def wrong(inputs, state, params, **named):
            H, *params = change(*state, *params)
            return rnn(inputs, (H,), params, **named)

        return wrong

    return plant


def constant(x):
    """The value of x, through which no gradient flows."""
    if hasattr(x, "detach"):
        return x.detach()
    framework = sys.modules[type(x).__module__.split(".")[0]]
    return getattr(framework, "lax", framework).stop_gradient(x)


def rounded(x, dropped_bits):
    """The value of x without the last bits of its mantissa (Veltkamp's splitting)."""
    large = x * (2**dropped_bits + 1)
    return large - (large - x)


@in_rnn
def state_dropped(H, *params):
    """Every batch starts from zeros, whatever state it is given."""
    return H * 0, *params


@in_rnn
def state_not_constant(H, W_xh, W_hh, b_h, W_hq, b_q):
    """A gradient flows into the state that is given, as into one that a bias was just added to."""
    return H + (b_h - constant(b_h)), W_xh, W_hh, b_h, W_hq, b_q


@in_rnn
def no_hidden_bias(H, W_xh, W_hh, b_h, W_hq, b_q):
    """b_h is left out."""
    return H, W_xh, W_hh, b_h * 0, W_hq, b_q


@in_rnn
def no_output_bias(H, W_xh, W_hh, b_h, W_hq, b_q):
    """b_q is left out."""
    return H, W_xh, W_hh, b_h, W_hq, b_q * 0


@in_rnn
def state_in_float32(H, *params):
    """The state is kept in float32 where float64 was asked for."""
    return rounded(H, 53 - 24), *params


@in_rnn
def products_in_tf32(H, W_xh, W_hh, b_h, W_hq, b_q):
    """The weights are rounded to TF32 before they are multiplied, where float32 was asked for."""
    return H, rounded(W_xh, 24 - 11), rounded(W_hh, 24 - 11), b_h, rounded(W_hq, 24 - 11), b_q


def state_of_ones(init_rnn_state):
    """The state before the first token is one."""
    return lambda *sizes: tuple(H + 1 for H in init_rnn_state(*sizes))


def another_derivative(rnn):
    """The right activation, with the derivative 1 - a² of its argument for 1 - h² of its value."""
    right = inspect.signature(rnn).parameters["activation"].default

    def wrong(inputs, state, params, activation=right):
        def act(A):
            integral = A - A * A * A / 3
            return integral + constant(activation(A) - integral)

        return rnn(inputs, state, params, activation=act)

    return wrong


def summed_loss(loss_and_grads):
    """The sum over the tokens for the mean."""

    @cache  # one function, so one compilation
    def summed(loss):
        return lambda y_hat, y: loss(y_hat, y) * y.shape[0]

    def wrong(*args):
        *others, loss = args
        return loss_and_grads(*others, summed(loss))

    return wrong


def no_clip(grad_clipping):
    """The gradients are left as they are."""
    return lambda model_or_grads, theta: model_or_grads


def clip_each(grad_clipping):
    """Every gradient is clipped by its own norm."""

    def wrong(model_or_grads, theta):
        if isinstance(model_or_grads, list):
            return [grad_clipping([grad], theta)[0] for grad in model_or_grads]
        for param in model_or_grads.params:
            grad_clipping(SimpleNamespace(params=[param]), theta)
        return None

    return wrong


def always_scaled(grad_clipping):
    """Gradients within theta are scaled up to it."""

    def wrong(model_or_grads, theta):
        if isinstance(model_or_grads, list):
            return grad_clipping([grad * 1e6 for grad in model_or_grads], theta)
        for param in model_or_grads.params:
            param.grad[:] *= 1e6
        return grad_clipping(model_or_grads, theta)

    return wrong


def another_theta(grad_clipping):
    """Theta is a tenth too large."""
    return lambda model_or_grads, theta: grad_clipping(model_or_grads, theta * 1.1)


def first_theta(train_step):
    """Theta is what it was when the step was first run: compiled, and not looked up by it."""
    first = []

    def wrong(net, X, Y, state, loss, updater, theta):
        first.append(theta)
        return train_step(net, X, Y, state, loss, updater, first[0])

    return wrong


def in_sgd(change):
    """Update with another lr and batch_size."""

    def plant(sgd):
        signature = inspect.signature(sgd)

        def wrong(*args, **named):
            call = signature.bind(*args, **named).arguments
            call["lr"], call["batch_size"] = change(call["lr"], call["batch_size"])
            return sgd(**call)

        return wrong

    return plant


@in_sgd
def lr_twice(lr, batch_size):
    """The learning rate is applied twice."""
    return lr * lr, batch_size


@in_sgd
def uphill(lr, batch_size):
    """The gradient is added."""
    return -lr, batch_size


@in_sgd
def divided_twice(lr, batch_size):
    """The gradient of a mean is divided by the batch size."""
    return lr, batch_size * 3


def never_updated(i):
    """The parameter of this index stays as it is."""

    def plant(sgd):
        signature = inspect.signature(sgd)

        def wrong(*args, **named):
            call = signature.bind(*args, **named).arguments
            kept = call["params"][i]
            for name in {"params", "grads"} & call.keys():
                call[name] = [*call[name][:i], *call[name][i + 1 :]]
            updated = sgd(**call)
            return updated and [*updated[:i], kept, *updated[i:]]

        return wrong

    return plant
