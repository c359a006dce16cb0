"""Section 9.1 in every backend, against the reference; and faults that must be caught."""

import numpy as np
import pytest

from common.sequence import (
    MODELS,
    TOLERANCES,
    SequenceExperiment,
    draw_series,
    first_weights,
    fit,
    forecasts,
)
from harness.sequence.measure import Outcome, errors, expected
from rnn_rosetta_suite import fixtures
from rnn_rosetta_suite.haste import in_haste, in_haste_if_exact

# Noise so large that clipping binds; the last minibatch of both models is partial.
SMALL = {"num_points": 60, "num_train": 37, "tau": 3, "num_steps": 5, "num_hiddens": 4}
SMALL |= {"batch_size": 8, "num_epochs": 2, "steps_ahead": (1, 2, 7), "noise": 3.0, "lr": 0.02}


def compared(backend, model, settings):
    """The errors of one model of a backend."""
    section = fixtures.section(backend, "sequence")
    x = draw_series(settings).x
    regressor = section.Model(settings, model, first_weights(settings, model))
    epochs = list(fit(regressor, settings, model, x))
    found = Outcome(epochs, forecasts(regressor, settings, model, x))
    return errors(found, expected(settings)[model])


def over(found, dtype="float64"):
    """The quantities that are too far off."""
    return {name for name, error in found.items() if not error <= TOLERANCES[dtype]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", MODELS)
def test_equals_the_reference(backend, model, dtype):
    with in_haste_if_exact(backend, dtype):
        found = compared(backend, model, SequenceExperiment(**SMALL, dtype=dtype))
    assert found.keys() == {"parameters", "loss", "one-step", "multi-step", "k-step"}
    assert over(found, dtype) == set()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("model", MODELS)
def test_a_window_of_one(backend, model):
    assert (
        over(compared(backend, model, SequenceExperiment(**SMALL | {"tau": 1, "num_steps": 1})))
        == set()
    )


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("model", MODELS)
def test_computes_in_the_precision_that_was_asked_for(backend, model):
    section = fixtures.section(backend, "sequence")
    for dtype in ("float32", "float64"):
        settings = SequenceExperiment(**SMALL, dtype=dtype)
        regressor = section.Model(settings, model, first_weights(settings, model))
        lags = settings.lags(model)
        kept = regressor.weights()
        before = {name: w.copy() for name, w in kept.items()}
        regressor.train_step(np.ones((2, lags)), np.ones((2, 1 if model == "linreg" else lags)))
        preds = regressor.predict(np.ones((2, lags)), 3)
        assert (preds.shape, preds.dtype) == ((2, 3), dtype)
        for name, w in kept.items():
            assert w.dtype == dtype
            np.testing.assert_array_equal(w, before[name])  # what was read stays


def shifted_labels(train_step):
    return lambda self, X, Y: train_step(self, X, np.roll(Y, 1, axis=0))


def no_partial_minibatch(train_step):
    return lambda self, X, Y: train_step(self, X, Y) if len(X) == SMALL["batch_size"] else 0.0


def off_by_one(predict):
    return lambda self, X, num_preds: predict(self, X, num_preds + 1)[:, 1:]


def data_fed_back(predict):
    """Every prediction is made from the first window: none is fed back."""
    return lambda self, X, num_preds: np.tile(predict(self, X, 1), num_preds)


def batch_major(train_step):
    """The labels in the order of the batch rather than of time."""
    return lambda self, X, Y: train_step(self, X, Y.reshape(Y.shape[::-1]).T)


def unclipped(train_step):
    def wrong(self, X, Y):
        self.theta = 0
        return train_step(self, X, Y)

    return wrong


LEARNING = {"parameters", "loss", "one-step", "multi-step", "k-step"}

FAULTS = {
    "labels shifted by one": (shifted_labels, "train_step", MODELS, LEARNING),
    "partial minibatch dropped": (no_partial_minibatch, "train_step", MODELS, LEARNING),
    "k-step off by one": (
        off_by_one,
        "predict",
        MODELS,
        {"one-step", "multi-step", "k-step"},
    ),
    "nothing fed back": (data_fed_back, "predict", MODELS, {"multi-step", "k-step"}),
    "labels not transposed": (batch_major, "train_step", ["rnn"], LEARNING),
    "not clipped": (unclipped, "train_step", ["rnn"], LEARNING),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught(backend, fault, monkeypatch):
    wrong, name, models, caught = FAULTS[fault]
    section = fixtures.section(backend, "sequence")
    monkeypatch.setattr(section.Model, name, wrong(getattr(section.Model, name)))
    with in_haste(backend):
        for model in models:
            assert over(compared(backend, model, SequenceExperiment(**SMALL))) == caught
