"""Section 9.1: the reference's gradients, and where every example and prediction belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import regression
from common.errors import RequestError
from common.sequence import (
    MODELS,
    SequenceExperiment,
    draw_series,
    first_weights,
    fit,
    forecasts,
    minibatches,
    rmse,
    windows,
)

SMALL = {"num_points": 60, "num_train": 37, "tau": 3, "num_steps": 5, "num_hiddens": 4}
SMALL |= {"batch_size": 8, "num_epochs": 2, "steps_ahead": (1, 2, 7), "lr": 0.05}

lengths = st.fixed_dictionaries(
    {
        "tau": st.integers(1, 6),
        "num_steps": st.integers(1, 6),
        "num_train": st.integers(6, 20),
        "num_points": st.integers(27, 40),
        "steps_ahead": st.lists(st.integers(1, 21), min_size=1, max_size=3, unique=True),
        "batch_size": st.integers(1, 9),
        "seed": st.integers(0, 9),
    }
)


def trained(settings, model, x):
    regressor = regression.build(settings, model, first_weights(settings, model))
    return regressor, list(fit(regressor, settings, model, x))


@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_those_of_finite_differences(model):
    settings = SequenceExperiment(tau=5, num_steps=5, num_hiddens=3)
    rng = np.random.default_rng(0)
    weights = {n: rng.standard_normal(w.shape) for n, w in first_weights(settings, model).items()}
    X = rng.standard_normal((2, 5))
    Y = rng.standard_normal((2, 1 if model == "linreg" else 5))
    loss, grads = regression.build(settings, model, weights).loss_and_grads(X, Y)

    def loss_at(name, index, value):
        moved = {n: w.copy() for n, w in weights.items()}
        moved[name][index] = value
        return regression.build(settings, model, moved).loss_and_grads(X, Y)[0]

    if model == "linreg":  # the loss itself, in one line
        assert loss == pytest.approx(((X @ weights["W"] + weights["b"] - Y) ** 2).mean())
    assert grads.keys() == weights.keys()
    for name, w in weights.items():
        numeric = np.empty_like(w)
        for index in np.ndindex(w.shape):
            up, down = (loss_at(name, index, w[index] + sign * 1e-6) for sign in (1, -1))
            numeric[index] = (up - down) / 2e-6
        np.testing.assert_allclose(grads[name], numeric, rtol=1e-6, atol=1e-8, err_msg=name)


def test_the_rnn_is_trained_on_what_it_predicts_after_every_input():
    settings = SequenceExperiment(**SMALL)
    rnn, _ = trained(settings, "rnn", draw_series(settings).x)
    X, Y = np.random.default_rng(1).standard_normal((2, 3, 5))
    outputs = np.hstack([rnn.predict(X[:, : t + 1], 1) for t in range(5)])
    assert rnn.loss_and_grads(X, Y)[0] == pytest.approx(((outputs - Y) ** 2).mean())
    preds = rnn.predict(X, 3)
    for t in (1, 2):  # a prediction that is fed back is an input like any other
        longer = rnn.predict(np.hstack([X, preds[:, :t]]), 1)
        np.testing.assert_allclose(longer, preds[:, t : t + 1], rtol=1e-12)


class Line:
    """Knows that the series rises by one a step."""

    def predict(self, X, num_preds):
        return X[:, -1:] + np.arange(1, num_preds + 1)


@given(lengths)
def test_every_prediction_stands_at_the_point_that_it_predicts(given):
    settings = SequenceExperiment.of(given)
    x = np.arange(settings.num_points, dtype=float)
    for model in MODELS:
        one, multi, *ahead = forecasts(Line(), settings, model, x)
        lags = settings.lags(model)
        for each in (one, multi, *ahead):
            np.testing.assert_array_equal(each.values, x[each.first :])
        assert one.first == lags
        assert multi.first == settings.num_train + settings.tau
        assert [each.first for each in ahead] == [lags + k - 1 for k in settings.steps_ahead]


@given(lengths)
def test_one_step_is_k_step_of_one_and_multi_step_begins_with_it(given):
    settings = SequenceExperiment.of(
        {**given, "num_epochs": 1, "num_hiddens": 2, "steps_ahead": (1, 3)}
    )
    x = draw_series(settings).x
    for model in MODELS:
        regressor, _ = trained(settings, model, x)
        one, multi, first, third = forecasts(regressor, settings, model, x)
        np.testing.assert_array_equal(first.values, one.values)
        unseen = settings.first_unseen
        for each, values in ((one, multi.values[0]), (third, multi.values[2:3])):
            ahead = unseen + each.k - 1 - each.first
            np.testing.assert_allclose(each.values[ahead : ahead + 1], values, rtol=1e-12)


def test_k_step_is_the_books_loop():
    settings = SequenceExperiment(**SMALL)
    x = draw_series(settings).x
    regressor, _ = trained(settings, "linreg", x)
    W, b = regressor.weights().values()
    features = [x[i : i + len(x) - settings.tau] for i in range(settings.tau)]
    for i in range(7):
        features.append((np.stack(features[i : i + settings.tau], 1) @ W + b)[:, 0])
    *_, seventh = forecasts(regressor, settings, "linreg", x)
    np.testing.assert_allclose(seventh.values, features[-1][: len(seventh.values)], rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_learned_from_what_comes_after_the_training_part(model):
    settings = SequenceExperiment(**SMALL)
    x = draw_series(settings).x
    other = x.copy()
    other[settings.first_unseen :] += 100
    regressor, epochs = trained(settings, model, x)
    again, epochs_again = trained(settings, model, other)
    assert [each.loss for each in epochs] == [each.loss for each in epochs_again]
    (_, multi, *_), (_, multi_again, *_) = (
        forecasts(each, settings, model, series)
        for each, series in ((regressor, x), (again, other))
    )
    np.testing.assert_array_equal(multi.values, multi_again.values)
    other[settings.first_unseen - 1] += 100  # and the training part does matter
    *_, last = trained(settings, model, other)[1]
    assert last.loss != epochs[-1].loss


@given(lengths)
def test_an_epoch_holds_every_example_once_and_its_next_value(given):
    settings = SequenceExperiment.of(given)
    x = np.arange(settings.num_points, dtype=float)
    for model in MODELS:
        lags = settings.lags(model)
        batches = list(minibatches(settings, model, x, 1))
        X, Y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        expected = windows(x[: settings.first_unseen - 1], lags)
        np.testing.assert_array_equal(X[X[:, 0].argsort()], expected)
        np.testing.assert_array_equal(Y, X[:, -1:] + 1 if model == "linreg" else X + 1)
        assert {len(X) for X, _ in batches[:-1]} <= {settings.batch_size}
        if model == "linreg":
            assert len(X) == settings.num_train
    orders = [
        np.concatenate([X for X, _ in minibatches(SequenceExperiment(), "linreg", x, e)])
        for e in (1, 2)
    ]
    assert not np.array_equal(*orders)


def test_the_error_is_that_of_the_points_after_the_training_part():
    settings = SequenceExperiment(**SMALL, noise=0)
    series = draw_series(settings)
    np.testing.assert_array_equal(series.x, np.sin(0.01 * np.arange(1, 61)))
    one, *_ = forecasts(Line(), settings, "linreg", series.x)
    expected = np.sqrt(np.mean((series.x[39:-1] + 1 - series.x[40:]) ** 2))
    assert rmse(one, series.x, 40) == (20, pytest.approx(expected))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tau": 1000}, "--tau 1000: a series of --num-points 1000 has too few .* at most 998"),
        ({"tau": 999}, "--tau 999"),
        ({"num_train": 996}, "--num-train 996: .* 996 examples of --tau 4.*: at most 995"),
        ({"num_train": 5}, "--num-steps 16: the training part has 9 points: at most 8"),
        ({"steps_ahead": [1, 985]}, "--steps-ahead 985: .* ends before: at most 984"),
        ({"tau": 20, "steps_ahead": [981]}, "--steps-ahead 981: .* at most 980"),
        ({"steps_ahead": [0]}, "--steps-ahead 0: input should be greater"),
        ({"noise": -1}, "--noise -1: input should be greater"),
        ({"lr": 0}, "--lr 0: input should be greater"),
        ({"noise": float("nan")}, "--noise nan"),
    ],
)
def test_what_does_not_fit_the_series_is_refused(given, message):
    with pytest.raises(RequestError, match=message):
        SequenceExperiment.of(given)


@pytest.mark.parametrize(
    "given", [{"tau": 998, "num_train": 1, "steps_ahead": [1]}, {"steps_ahead": [984]}]
)
def test_what_just_fits_is_not(given):
    settings = SequenceExperiment.of(given)
    series = draw_series(settings)
    for each in forecasts(Line(), settings, "linreg", series.x):
        assert rmse(each, series.x, settings.first_unseen)[0] >= 1
