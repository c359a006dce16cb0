"""Training goes on from any step of any epoch, in every backend and variant: to the same bits."""

from dataclasses import replace

import numpy as np
import pytest

import backends
from common.batches import SeqDataLoader
from common.experiment import Experiment
from common.inputs import first_weights
from common.training import Epoch, Underway, train_on
from common.variants import unsupported
from rnn_rosetta_suite.fixtures import able
from rnn_rosetta_suite.haste import in_haste

VOCAB_SIZE = 11
CORPUS = np.random.default_rng(5).integers(VOCAB_SIZE, size=150, dtype=np.uint8)

CASES = {
    "carried, float64": {"dtype": "float64"},
    "carried, float32": {"dtype": "float32"},
    "carried at random": {"sampling": "random", "state": "carry"},
    "sliding": {"sampling": "sliding", "batch_size": 64},
    "deep, embedded": {"num_layers": 2, "input": "embedding", "embed_size": 5},
}

COMPILED = ("carried, float32", "deep, embedded")
"""Cases enough where each model is compiled anew: what is kept and read back is the same in all."""


def setup(backend, **settings):
    experiment = Experiment(
        **{"num_hiddens": 16, "batch_size": 4, "num_steps": 6, "num_epochs": 3}
        | {"sigma": 0.3, "lr": 0.5, "clip_theta": 0.5}
        | able(backend, **settings)
    )
    shape = experiment.batch_size, experiment.num_steps
    return experiment, SeqDataLoader(CORPUS, *shape, experiment.sampling, seed=3)


def figures(epoch):
    return replace(epoch, seconds=0.0)


def trained(model, loader, experiment, underway, stop=None):
    """The epochs; and the place after so many steps with copies of all that is needed to go on."""
    epochs, place, steps = [], None, 0
    for event in train_on(model, loader, experiment, underway, pause=0):
        if isinstance(event, Epoch):
            epochs.append(figures(event))
            continue
        steps += 1
        if steps == stop:
            state = model.read_state(event.state).copy()
            place = event.number, state, event.read_losses(), [*event.tokens], model.weights()
    return epochs, place


@pytest.mark.variants("scratch", "fused", "concise", "object")
@pytest.mark.parametrize("case", CASES)
def test_stopped_at_any_step_it_ends_at_the_same_bits(backend, variant, case):
    experiment, loader = setup(backend, **CASES[case])
    if unsupported(experiment, variant):
        pytest.skip("the chapter's network alone")
    with in_haste(backend, compiled=case in COMPILED):
        check_going_on(backend, variant, experiment, loader)


def check_going_on(backend, variant, experiment, loader):
    first = first_weights(experiment, VOCAB_SIZE)
    module = backends.load(backend)
    whole = module.build(experiment, variant, first)
    steps = len([*loader.epoch(1)])
    expected, (number, state, losses, tokens, weights) = trained(
        whole, loader, experiment, Underway(), stop=steps + steps // 2
    )
    assert (number, len(losses)) == (2, steps // 2)

    other = module.build(experiment, variant, first)
    other.load_weights(weights)
    underway = Underway(number, other.write_state(state), [*losses], tokens)
    found, _ = trained(other, loader, experiment, underway)
    assert found == expected[1:]
    for name, w in whole.weights().items():
        np.testing.assert_array_equal(other.weights()[name], w, err_msg=name)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_state_that_was_read_is_written_as_it_was(backend, variant, dtype):
    experiment, loader = setup(backend, dtype=dtype)
    model = backends.load(backend).build(experiment, variant, first_weights(experiment, VOCAB_SIZE))
    state = model.begin_state(4)
    for X, Y in loader.epoch(1):
        _, state = model.train_step(X, Y, state)
    H = model.read_state(state)
    assert np.abs(H).min() > 0
    again = model.read_state(model.write_state(H))
    assert again.dtype == H.dtype
    np.testing.assert_array_equal(again, H)
