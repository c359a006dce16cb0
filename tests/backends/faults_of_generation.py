"""Faults of generation: each takes the `Writer` of a backend, or what drives it, and gives a wrong.

A writer that is given other parameters is one whose loop leaves a part of the network out.
"""

import numpy as np


def with_params(change):
    """Write with other parameters, which are those of the chapter's network."""
    return lambda writer: lambda params, experiment: writer(change(*params), experiment)


@with_params
def state_not_carried(W_xh, W_hh, *others):
    """A token follows from the one before it alone."""
    return W_xh, W_hh * 0, *others


@with_params
def no_hidden_bias(W_xh, W_hh, b_h, *others):
    """b_h is left out."""
    return W_xh, W_hh, b_h * 0, *others


@with_params
def no_output_bias(*params):
    """b_q is left out."""
    return *params[:-1], params[-1] * 0


@with_params
def least_likely(*params):
    """The least likely token is written."""
    *below, W_hq, b_q = params
    return *below, W_hq * -1, b_q * -1


def in_calls(change):
    """Make other calls of the writer: change(write, tokens, count, draws)."""

    def plant(written):
        def wrong(write, *others):
            return written(lambda *call: change(write, *call), *others)

        return wrong

    return plant


def state_begins_anew(writer):
    """The state is zero at the start of every call."""

    def wrong(*settings):
        return lambda *call: writer(*settings)(*call)

    return wrong


@in_calls
def last_token_twice(write, tokens, count, draws):
    """The last token of the prefix, or of a chunk, is read twice."""
    return write(np.append(tokens, tokens[-1:]), count, draws)


@in_calls
def prefix_not_read(write, tokens, count, draws):
    """The state is not warmed up on the prefix."""
    return write(tokens[-1:], count, draws)


@in_calls
def draws_of_each_chunk_alike(write, tokens, count, draws):
    """The draws begin anew for every chunk."""
    return write(tokens, count, np.random.default_rng(0).random(count))


def with_settings(change):
    """Write with other settings."""

    def plant(writer):
        return lambda params, e: writer(params, e.model_copy(update=change(e)))

    return plant


@with_settings
def temperature_inverted(experiment):
    """The logits are multiplied by the temperature."""
    return {"temperature": 1 / experiment.temperature}


@with_settings
def alpha_left_out(experiment):
    """Drawn from P, whatever alpha is."""
    return {"alpha": 1.0}


def not_seeded(written):
    """Drawn without regard to the seed."""

    def wrong(*given):
        *others, experiment = given
        return written(*others, experiment.model_copy(update={"seed": experiment.seed + 1}))

    return wrong


def drawn_on(written):
    """The draws of a text go on from those of the text before."""
    draws = np.random.default_rng(0)

    def wrong(write, *others):
        def drawing(tokens, count, _):
            return write(tokens, count, draws.random(count))

        return written(drawing, *others)

    return wrong


DRAWN = {"decode": "sample", "alpha": 1.5, "temperature": 0.7}
FAULTS = {
    "state not carried": ({"generate.Writer": state_not_carried}, {}),
    "state not carried from call to call": ({"generate.Writer": state_begins_anew}, DRAWN),
    "no hidden bias": ({"generate.Writer": no_hidden_bias}, {}),
    "no output bias": ({"generate.Writer": no_output_bias}, {}),
    "least likely": ({"generate.Writer": least_likely}, {}),
    "last token read twice": ({"backend.written": last_token_twice}, {}),
    "prefix not read": ({"backend.written": prefix_not_read}, {}),
    "draws of each chunk alike": ({"backend.written": draws_of_each_chunk_alike}, DRAWN),
    "temperature inverted": ({"generate.Writer": temperature_inverted}, DRAWN),
    "alpha left out": ({"generate.Writer": alpha_left_out}, DRAWN),
    "draws not seeded": ({"backend.written": not_seeded}, DRAWN),
}
"""By name: what is planted, and the settings in which it shows."""
