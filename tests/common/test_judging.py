"""The verdict: what rounding does is not a fault, and a fault is none of what rounding does."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from common.after_training import judge_after_training
from common.experiment import Experiment
from common.judging import judge_before_training, small_weights
from common.parity import errors, first_step
from common.reference import Reference, Window
from common.reordered import Reordered
from common.vocab import Vocab
from common.weights import draw

VOCAB = Vocab("abcdefghij")


def batches(experiment, seed=0):
    shape = 4, experiment.batch_size, experiment.num_steps + 1
    tokens = np.random.default_rng(seed).integers(len(VOCAB), size=shape, dtype=np.uint8)
    return [(each[:, :-1], each[:, 1:]) for each in tokens]


def settings_of(**given):
    usual = {"num_hiddens": 24, "batch_size": 4, "num_steps": 12, "prefixes": ("abc",)}
    return Experiment(**usual | given)


def weights_of(experiment):
    shapes = experiment.shapes(len(VOCAB))
    return draw(shapes, "normal", experiment.sigma, experiment.seed)


def judged(model_of, experiment, weights=None):
    weights = weights_of(experiment) if weights is None else weights
    with np.errstate(all="ignore"):
        model = model_of(experiment, weights)
        return judge_before_training(model, weights, experiment, batches(experiment), VOCAB)


def sound(experiment, weights):
    """A network in float32 as good as any, its sums in an order that the judge never tries."""
    return Reordered(experiment, weights, experiment.dtype, seed=999)


networks = st.fixed_dictionaries(
    {
        "sigma": st.floats(0.01, 2),
        "activation": st.sampled_from(["tanh", "relu"]),
        "num_hiddens": st.sampled_from([16, 64]),
        "num_layers": st.integers(1, 3),
        "clip_theta": st.sampled_from([0, 0.01, 1.0]),
        "dtype": st.sampled_from(["float32", "float64"]),
        "seed": st.integers(0, 1000),
    }
)


CHAOTIC = {"sigma": 2.0, "activation": "tanh", "num_hiddens": 16, "dtype": "float32"}
"""Rounding moves its logits, or its weights, without end, and now and then their loss by little."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks)
@example(CHAOTIC | {"sigma": 1.9005400652668254, "num_layers": 1, "clip_theta": 0.01, "seed": 1})
@example(CHAOTIC | {"num_layers": 3, "clip_theta": 0, "seed": 835})
def test_sound_arithmetic_is_never_called_different(given):
    assert judged(sound, settings_of(**given)).verdict in ("equal", "ill-conditioned", "overflow")


def judged_at_the_end(model_of, experiment, weights):
    with np.errstate(all="ignore"):
        model = model_of(experiment, weights)
        return judge_after_training(model, experiment, batches(experiment)[:2], VOCAB)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks)
def test_sound_arithmetic_is_not_called_different_once_it_is_trained(given):
    experiment = settings_of(**given)
    found = judged_at_the_end(sound, experiment, weights_of(experiment))
    assert found.verdict in ("equal", "ill-conditioned", "overflow")
    assert not found.reason or found.reason.endswith(", at the end of training")


class BoundedWindow(Window):
    def _act(self, A):
        return np.minimum(super()._act(A), 6)

    def _act_derivative(self, H):
        return super()._act_derivative(H) * (H < 6)


class NaiveWindow(Window):
    def __init__(self, *given):
        super().__init__(*given)
        self.logits += 0 * np.exp(self.logits)


class Bounded(Reference):
    """Its ReLU ends at 6."""

    def _window(self, X, state):
        return BoundedWindow(self.params, self.experiment.activation, X, state)


class Naive(Reference):
    """Its softmax does without the maximum."""

    def _window(self, X, state):
        return NaiveWindow(self.params, self.experiment.activation, X, state)


class ByValue(Reference):
    """Its gradients are brought between -1 and 1, one by one, before their norm is."""

    def loss_and_grads(self, X, Y, state):
        loss, grads, state = super().loss_and_grads(X, Y, state)
        return loss, {name: np.clip(g, -1, 1) for name, g in grads.items()}, state


def grown(experiment):
    """Weights as they may become: a unit far above 6, and logits whose exponentials overflow."""
    weights = weights_of(experiment.model_copy(update={"sigma": 0.2}))
    weights["b_h"][0], weights["b_q"][0] = 8, 100
    return weights


@pytest.mark.parametrize("fault", [Bounded, Naive, ByValue])
def test_a_fault_that_small_weights_hide_shows_once_they_have_grown(fault):
    experiment = settings_of(activation="relu", lr=0.01)

    def model_of(experiment, weights):
        return fault(experiment, weights, "float32")

    assert judged(model_of, experiment).verdict == "equal"
    found = judged_at_the_end(model_of, experiment, grown(experiment))
    assert found.verdict == "different"
    assert found.reason.endswith(", at the end of training")


class LastOfMany(Reordered):
    """It writes the last of the tokens that are nearly the likeliest."""

    def predict(self, prefix, num_preds, vocab):
        tokens = vocab[vocab.split(prefix)]
        for _ in range(num_preds):
            (*_, logits), _ = self.forward(np.array([tokens]), self.begin_state(1))
            tokens.append(int(np.flatnonzero(logits > logits.max() - 0.2)[-1]))
        return vocab.join(tokens)


@pytest.mark.parametrize(("apart", "verdict"), [(1e-6, "equal"), (0.1, "different")])
def test_a_text_is_wrong_only_where_its_tokens_are_not_the_likeliest(apart, verdict):
    """Which of two is the likelier by less than the precision tells is not asked."""
    experiment = settings_of()
    weights = weights_of(experiment)
    weights["W_hq"][:, [1, 4]], weights["b_q"][[1, 4]] = 0, (5, 5 - apart)
    found = judged_at_the_end(lambda e, w: LastOfMany(e, w, e.dtype, 999), experiment, weights)
    assert found.verdict == verdict
    assert ("text off by" in found.reason) == (verdict == "different")


class Shrinks(Reordered):
    """Its clipped steps are a hundredth too short."""

    def train_step(self, X, Y, state):
        before = self.weights()
        loss, state = super().train_step(X, Y, state)
        self.params = {n: w + (before[n] - w) / 100 for n, w in self.params.items()}
        return loss, state


class Forgets(Reordered):
    """Its gradients leave out the last step of every window."""

    def loss_and_grads(self, X, Y, state):
        loss, _, new_state = super().loss_and_grads(X, Y, state)
        return loss, super().loss_and_grads(X[:, :-1], Y[:, :-1], state)[1], new_state


class Stutters(Reordered):
    """Its text repeats the last token of the prefix."""

    def predict(self, prefix, num_preds, vocab):
        return super().predict(prefix + prefix[-1], num_preds - 1, vocab)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks, st.sampled_from([Shrinks, Forgets]))
def test_a_fault_is_called_different_wherever_it_stands(given, fault):
    found = judged(lambda e, w: fault(e, w, e.dtype, 999), settings_of(**given))
    assume(found.verdict != "overflow")
    assert found.verdict == "different"
    assert found.reason.startswith("not the reference network: ")


@pytest.mark.parametrize("sigma", [0.01, 1.0])
def test_a_fault_of_the_text_is_called_different(sigma):
    """From nine of ten seeds at least: a short text may be the same by chance."""
    verdicts = [
        judged(lambda e, w: Stutters(e, w, e.dtype, 999), settings_of(sigma=sigma, seed=seed))
        for seed in range(10)
    ]
    assert sum("text off by" in found.reason for found in verdicts) >= 9


def test_the_first_quantity_that_is_wrong_is_named():
    found = judged(lambda e, w: Forgets(e, w, e.dtype, 999), settings_of())
    assert "gradient W_xh off by" in found.reason
    assert "where 1e-05 is allowed, and" in found.reason


@pytest.mark.parametrize(
    ("given", "verdict", "reason"),
    [
        ({}, "equal", ""),
        ({"sigma": 1.5, "num_hiddens": 64}, "ill-conditioned", "rounding alone moves the"),
        ({"sigma": 1e-30}, "ill-conditioned", "cannot be judged here in float32"),
        ({"sigma": 1e9}, "ill-conditioned", "the gradient W_xh is larger than float32 can hold"),
        ({"clip_theta": 1e-30}, "equal", "of the weights, less than float32 can add to them"),
        ({"lr": 1e-7}, "ill-conditioned", "less than float32 can add"),
        ({"sigma": 1e9, "activation": "relu"}, "overflow", "larger than float32 can hold"),
        ({"sigma": 30, "activation": "relu", "num_steps": 60}, "overflow", "the state is larger"),
        ({"lr": 1e9, "clip_theta": 0}, "ill-conditioned", "larger than float32 can hold"),
    ],
    ids=str,
)
def test_true_words(given, verdict, reason):
    found = judged(sound, settings_of(**given))
    assert (found.verdict, found.trains) == (verdict, verdict in ("equal", "ill-conditioned"))
    assert reason in found.reason
    assert found.reason or not reason


def test_weights_that_are_not_finite_have_diverged():
    experiment = settings_of()
    weights = weights_of(experiment)
    weights["W_hh"][0, 0] = np.nan
    found = judged(sound, experiment, weights)
    assert (found.verdict, found.reason) == ("diverged", "its weights are not finite numbers")
    assert found.summary()["parity"] is None


def test_a_little_more_than_the_floor_is_equal_where_rounding_does_it():
    """As of a trained checkpoint, near an optimum in which gradients cancel."""
    found = judged(sound, settings_of(sigma=0.2, num_hiddens=64))
    assert (found.verdict, found.reason) == ("equal", "")
    over = [quantity for quantity, error in found.errors.items() if error > 1e-5]
    assert over
    assert all(1e-5 < found.tolerances[quantity] <= 1e-2 for quantity in over)


def test_the_order_of_sums_changes_nothing_but_the_last_bits():
    for extra in ({}, {"num_layers": 2, "input": "embedding", "keep_graph": True}):
        experiment = settings_of(**extra)
        weights, data = weights_of(experiment), batches(experiment)
        expected = first_step(Reference(experiment, weights), data)
        found = first_step(Reordered(experiment, weights, "float64", 1), data)
        assert max(errors(found, expected).values()) < 1e-13
        assert max(errors(found, expected).values()) > 0
        model = Reordered(experiment, weights, "float32", 1)
        assert {
            g.dtype for g in model.loss_and_grads(*data[0], model.begin_state(4))[1].values()
        } == {np.dtype("float32")}


def test_every_part_of_the_network_shows_in_the_small_weights():
    experiment = settings_of(num_layers=2, input="embedding", embed_size=6)
    small = small_weights(experiment, 50)
    assert {name: w.shape for name, w in small.items()} == experiment.shapes(50)
    assert all(w.any() for w in small.values())
    assert np.abs(np.linalg.eigvals(small["W_hh"])).max() < 0.8
