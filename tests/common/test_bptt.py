"""Backpropagation through time by hand: links, truncation, chance, and what counts as an error."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import bptt
from common.experiment import Experiment
from common.parity import over_tolerance
from common.reference import Reference
from common.truncation import ALL, cost, costs_of_draws, student_t, vectors
from common.weights import NAMES, draw_weights

B, T, H, V = 3, 5, 4, 6


def network(seed=0, sigma=0.6):
    """Weights, X, Y and a state, at random."""
    rng = np.random.default_rng(seed)
    weights = draw_weights(V, H, sigma=sigma, seed=seed)
    weights |= {name: rng.standard_normal(weights[name].shape) * 0.3 for name in ("b_h", "b_q")}
    X, Y = rng.integers(V, size=(2, B, T))
    return weights, X, Y, rng.standard_normal((B, H))


def loss_with_probes(weights, X, Y, state, probes, loss_weights, activation):
    """The loss alone, written once more and without any gradient."""
    loss, h = 0.0, state
    for t in range(X.shape[1]):
        A = weights["W_xh"][X[:, t]] + h @ weights["W_hh"] + weights["b_h"]
        h = (np.tanh(A) if activation == "tanh" else np.maximum(A, 0)) + probes[t]
        O = h @ weights["W_hq"] + weights["b_q"]
        p = np.exp(O) / np.exp(O).sum(axis=1, keepdims=True)
        loss -= loss_weights[t] * np.log(p[np.arange(len(X)), Y[:, t]]).mean()
    return loss


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_full_gradients_are_those_of_finite_differences(activation):
    weights, X, Y, state = network()
    loss_weights = np.random.default_rng(1).random(T)
    given = dict(weights) | {"dH": np.zeros((T, B, H))}

    def loss_at(values):
        moved = {name: values[name] for name in NAMES}
        return loss_with_probes(moved, X, Y, state, values["dH"], loss_weights, activation)

    loss, grads, dH = bptt.gradients(
        weights, X, Y, state, bptt.full_links(T), loss_weights, activation
    )
    assert loss == pytest.approx(loss_at(given), rel=1e-13)
    eps = 1e-6
    for name, found in [*grads.items(), ("dH", dH)]:
        numeric = np.empty_like(found)
        for index in np.ndindex(found.shape):
            sides = []
            for sign in (1, -1):
                moved = given[name].copy()
                moved[index] += sign * eps
                sides.append(loss_at(given | {name: moved}))
            numeric[index] = (sides[0] - sides[1]) / (2 * eps)
        np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_full_links_give_the_gradient_of_the_reference(activation):
    weights, X, Y, state = network()
    reference = Reference(Experiment(activation=activation, num_hiddens=H), weights)
    loss, grads, _ = reference.loss_and_grads(X, Y, (state,))
    found = bptt.gradients(weights, X, Y, state, bptt.full_links(T), bptt.all_steps(T), activation)
    assert over_tolerance(bptt.errors(found, (loss, grads, found[2])), "float64") == {}


@given(links=st.lists(st.floats(-3, 3), min_size=4, max_size=4), w=st.floats(0.1, 1.5))
def test_a_gradient_is_multiplied_by_every_link_it_passes(links, w):
    """One unit whose activation passes everything on: dl/dH_{t} = dl/dH_T * (w links) ... ."""
    weights = {"W_xh": np.ones((2, 1)), "W_hh": np.array([[w]]), "b_h": np.ones(1)}
    weights |= {"W_hq": np.array([[1.0, -1.0]]), "b_q": np.zeros(2)}
    X, Y = np.zeros((1, 4), int), np.ones((1, 4), int)
    _, grads, dH = bptt.gradients(
        weights, X, Y, np.zeros((1, 1)), np.array(links), bptt.last_step(4), "relu"
    )
    last = dH[3, 0, 0]
    expected = [last * np.prod([w * xi for xi in links[t + 1 :]]) for t in range(4)]
    np.testing.assert_allclose(dH[:, 0, 0], expected, rtol=1e-12, atol=1e-300)
    assert grads["b_h"][0] == pytest.approx(sum(expected), rel=1e-12)
    states = [0.0]
    for _ in range(3):
        states.append(2 + w * states[-1])
    assert grads["W_hh"][0, 0] == pytest.approx(np.dot(states, expected), rel=1e-12)


@pytest.mark.parametrize("tau", [1, 2, 3, 5])
def test_a_truncated_gradient_is_the_sum_over_the_pieces(tau):
    weights, X, Y, state = network()
    links = bptt.truncated_links(T, tau)
    found = bptt.gradients(weights, X, Y, state, links, bptt.all_steps(T), "tanh")
    total = {name: np.zeros_like(w) for name, w in weights.items()}
    reference = Reference(Experiment(num_hiddens=H), weights)
    for start in range(0, T, tau):
        window = X[:, start : start + tau], Y[:, start : start + tau]
        _, grads, (state,) = reference.loss_and_grads(*window, (state,))
        for name, g in grads.items():
            total[name] += g * window[0].shape[1] / T
    for name in NAMES:
        np.testing.assert_allclose(found[1][name], total[name], rtol=1e-12, err_msg=name)


@settings(max_examples=10)
@given(pi=st.floats(0.05, 1), seed=st.integers(0, 99))
def test_the_expected_randomized_gradient_is_the_full_one_exactly(pi, seed):
    """Over all 2^(T-1) cuts of a window, each by its probability."""
    weights, X, Y, state = network(seed)

    def vector(links):
        found = bptt.gradients(weights, X, Y, state, links, bptt.all_steps(T), "tanh")
        return vectors(found[1])[ALL]

    full = vector(bptt.full_links(T))
    mean, biased = np.zeros_like(full), np.zeros_like(full)
    for kept in product((0, 1), repeat=T - 1):
        links = np.array([1.0, *kept])
        chance = pi ** sum(kept) * (1 - pi) ** (T - 1 - sum(kept))
        mean += chance * vector(links / pi)
        biased += chance * vector(links)
    np.testing.assert_allclose(mean, full, rtol=1e-9, atol=1e-11)
    if pi < 0.9:
        assert cost(ALL, biased, full).error > 1e-4


def draws_of(draw, count=200, pi=0.5):
    """Draws of the gradient of a network that remembers; the full one; what came by links."""
    weights, X, Y, state = network(sigma=0.5)

    def vector(links):
        found = bptt.gradients(weights, X, Y, state, links, bptt.all_steps(T), "tanh")
        return vectors(found[1])[ALL]

    full = vector(bptt.full_links(T))
    links = draw(T, pi, count, np.random.default_rng(3))
    draws = np.stack([vector(each) for each in links])
    return draws, full, full - vector(bptt.truncated_links(T, 1))


def too_often(num_steps, pi, draws, rng):
    """A bias of a half: links are kept a little too often for what they are multiplied by."""
    return bptt.kept_links(num_steps, 1.5 * pi, draws, rng) / pi


def all_at_once(num_steps, pi, draws, rng):
    """Links of mean 1 that are not independent: one coin for all of them."""
    coin = rng.random((draws, 1)) < pi
    return np.repeat(coin / pi, num_steps, axis=1)


@pytest.mark.parametrize(
    ("draw", "verdict"),
    [
        (bptt.random_links, "unbiased"),
        (bptt.kept_links, "biased"),
        (too_often, "biased"),
        (all_at_once, "biased"),
    ],
)
def test_a_biased_scheme_is_told_from_an_unbiased_one(draw, verdict):
    costs = costs_of_draws(ALL, *draws_of(draw, 400))
    assert [each.draws for each in costs] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 400]
    assert costs[-1].verdict == verdict, costs[-1]
    assert costs[0].verdict == costs[4].verdict == ""


def test_the_mean_of_draws_approaches_like_the_root_of_their_number():
    draws, full, through = draws_of(bptt.random_links, 1024)
    costs = costs_of_draws(ALL, draws, full, through)
    ratios = [each.error / each.standard_error for each in costs]
    assert all(0.1 < ratio < 3 for ratio in ratios), ratios
    assert costs[-1].standard_error == pytest.approx(costs[0].standard_error / 32)
    assert costs[-1].cosine > 0.99


def test_what_does_not_vary_has_no_t():
    draws, full, through = draws_of(bptt.random_links, 40, pi=1.0)
    (*_, last) = costs_of_draws(ALL, draws, full, through)
    assert last.error < 1e-14
    assert last.variance < 1e-28
    assert last.verdict == ""
    assert np.isnan(student_t(np.ones(5)))


def test_links():
    np.testing.assert_array_equal(bptt.truncated_links(7, 3), [1, 1, 1, 0, 1, 1, 0])
    np.testing.assert_array_equal(bptt.truncated_links(7, 7), bptt.full_links(7))
    rng = np.random.default_rng(0)
    links = bptt.random_links(100, 0.25, 1000, rng)
    assert set(np.unique(links)) == {0.0, 4.0}
    assert links.mean() == pytest.approx(1, abs=0.03)
    assert bptt.kept_links(100, 0.25, 1000, rng).mean() == pytest.approx(0.25, abs=0.01)


def test_an_error_far_back_counts_as_much_as_a_near_one():
    weights, X, Y, state = network(sigma=1e-3)
    given = weights, X, Y, state, bptt.full_links(T), bptt.last_step(T), "tanh"
    expected = bptt.gradients(*given)
    assert np.linalg.norm(expected[2][0]) < 1e-9
    loss, grads, dH = bptt.gradients(*given)
    dH[0] *= 1 + 1e-8
    assert over_tolerance(bptt.errors((loss, grads, dH), expected), "float64").keys() == {"dl/dH"}
    dH[0] = np.nan
    assert bptt.errors((loss, grads, dH), expected)["dl/dH"] == np.inf


def test_the_last_bit_is_forgiven_only_where_it_decides():
    """Saturated, 1 - H^2 has few digits: another rounding of H is another gradient."""
    weights, X, Y, state = network(sigma=1.0)
    weights = weights | {"b_h": weights["b_h"] + 9}
    given = weights, X, Y, state, bptt.full_links(T), bptt.last_step(T), "tanh"
    expected, perturbed = bptt.gradients(*given), bptt.gradients(*given, last_bit=True)
    saturated = expected[2].copy()
    saturated[0] *= 1 + 3 * np.linalg.norm(perturbed[2][0] - saturated[0]) / np.linalg.norm(
        saturated[0]
    )
    found = *expected[:2], saturated
    assert over_tolerance(bptt.errors(found, expected), "float64").keys() == {"dl/dH"}
    assert over_tolerance(bptt.errors(found, expected, perturbed), "float64") == {}
    saturated[0] *= 1 + 1e-3
    assert over_tolerance(bptt.errors(found, expected, perturbed), "float64").keys() == {"dl/dH"}


def test_a_gradient_that_has_underflowed_is_nothing():
    zeros = {name: np.zeros(1) for name in NAMES}
    tiny, nothing = np.full((1, 1, 1), 1e-310), np.zeros((1, 1, 1))
    found, expected = (0.0, zeros, nothing), (0.0, zeros, tiny)
    assert over_tolerance(bptt.errors(found, expected), "float64") == {}


def test_norms_and_spectral_radius():
    dH = np.arange(1.0, 4).reshape(3, 1, 1) * np.ones((1, 2, 2))
    np.testing.assert_allclose(bptt.norms_by_distance(dH), [6, 4, 2])
    turn = 0.7 * np.array([[0.0, -1.0], [1.0, 0.0]])
    assert bptt.spectral_radius(turn) == pytest.approx(0.7)
    assert np.isnan(bptt.spectral_radius(np.full((2, 2), np.nan)))
