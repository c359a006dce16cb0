"""The reference is checked against finite differences: nothing else here could vouch for it."""

import numpy as np
import pytest

from common.experiment import Experiment
from common.metrics import cross_entropy
from common.reference import Reference, clip
from common.weights import draw, draw_weights

LAYERS, EMBEDDING = {"num_layers": 3}, {"input": "embedding", "embed_size": 4}


def networks(experiment, count):
    """The weights of some networks; no bias is zero."""
    shapes = experiment.shapes(6)
    biases = {n: s for n, s in shapes.items() if n.startswith("b")}
    for seed in range(count):
        rng = np.random.default_rng(seed)
        weights = draw(shapes, "normal", 0.7, seed)
        yield weights | {name: rng.standard_normal(shape) * 0.5 for name, shape in biases.items()}


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("batch", "steps"), [(3, 4), (1, 1)])
@pytest.mark.parametrize("settings", [{}, LAYERS, EMBEDDING, LAYERS | EMBEDDING], ids=str)
@pytest.mark.parametrize("windows", [1, 3])
def test_gradients_are_those_of_finite_differences(activation, batch, steps, settings, windows):
    """Of the last window's loss; through earlier ones, which met other weights, if they are kept.

    To move a weight in every window at once gives the sum of what each window's weight does.
    """
    rng = np.random.default_rng(0)
    experiment = Experiment(
        activation=activation, num_hiddens=5, keep_graph=windows > 1, **settings
    )
    met = list(networks(experiment, windows))
    batches = rng.integers(6, size=(windows, 2, batch, steps))
    first = tuple(rng.standard_normal((experiment.num_layers, batch, 5)))

    reference, state = Reference(experiment, met[0]), first
    for weights, (X, Y) in zip(met, batches, strict=True):
        reference.load_weights(weights)
        loss, grads, state = reference.loss_and_grads(X, Y, state)

    def loss_at(name, index, moved):
        state = first
        for weights, (X, _) in zip(met, batches, strict=True):
            weights = {n: w.copy() for n, w in weights.items()}
            weights[name][index] += moved
            logits, state = Reference(experiment, weights).forward(X, state)
        return cross_entropy(logits, batches[-1][1].T.reshape(-1))

    assert loss == pytest.approx(loss_at("b_q", 0, 0), rel=1e-14)
    assert grads.keys() == met[0].keys()
    eps = 1e-6
    for name, w in met[0].items():
        numeric = np.empty_like(w)
        for index in np.ndindex(w.shape):
            up, down = (loss_at(name, index, sign * eps) for sign in (1, -1))
            numeric[index] = (up - down) / (2 * eps)
        np.testing.assert_allclose(grads[name], numeric, rtol=1e-5, atol=1e-8, err_msg=name)


def test_a_state_that_began_anew_keeps_nothing():
    experiment = Experiment(num_hiddens=5, keep_graph=True)
    (weights,) = networks(experiment, 1)
    kept, chapter = Reference(experiment, weights), Reference(Experiment(num_hiddens=5), weights)
    (X0, Y0), (X, Y) = np.random.default_rng(1).integers(6, size=(2, 2, 3, 4))
    _, _, state = kept.loss_and_grads(X0, Y0, kept.begin_state(3))
    through = kept.loss_and_grads(X, Y, state)[1]["W_hh"]
    cut = chapter.loss_and_grads(X, Y, tuple(state))[1]["W_hh"]
    assert np.abs(through - cut).max() > 1e-3
    _, forward = kept.forward(X0, kept.begin_state(3))
    np.testing.assert_array_equal(kept.loss_and_grads(X, Y, forward)[1]["W_hh"], cut)


def test_clipping_projects_onto_the_ball_and_no_further():
    grads = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped = clip(grads, 1.0)
    np.testing.assert_allclose(clipped["a"], [0.6, 0])
    np.testing.assert_allclose(clipped["b"], [[0.8]])
    assert clip(grads, 5.0) is grads
    assert clip(grads, 0) is grads


def test_untrained_loss_is_that_of_a_guess_among_all_tokens():
    experiment = Experiment(num_hiddens=8)
    X = np.zeros((2, 3), int)
    reference = Reference(experiment, draw_weights(50, 8, sigma=1e-9))
    loss, _ = reference.train_step(X, X, reference.begin_state(2))
    assert loss == pytest.approx(np.log(50))
