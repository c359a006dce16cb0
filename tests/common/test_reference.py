"""The reference is held against finite differences: nothing else here could vouch for it."""

import numpy as np
import pytest

from common.experiment import Experiment
from common.metrics import cross_entropy
from common.reference import Reference, clip
from common.weights import draw_weights


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("batch", "steps"), [(3, 4), (1, 1)])
def test_gradients_are_those_of_finite_differences(activation, batch, steps):
    rng = np.random.default_rng(0)
    experiment = Experiment(activation=activation, num_hiddens=5)
    weights = draw_weights(6, 5, sigma=0.7)
    weights |= {name: rng.standard_normal(weights[name].shape) * 0.5 for name in ("b_h", "b_q")}
    X, Y = rng.integers(6, size=(2, batch, steps))
    state = rng.standard_normal((batch, 5))
    loss, grads, _ = Reference(experiment, weights).loss_and_grads(X, Y, state)

    def loss_at(name, index, value):
        moved = {n: w.copy() for n, w in weights.items()}
        moved[name][index] = value
        logits, _ = Reference(experiment, moved).forward(X, state)
        return cross_entropy(logits, Y.T.reshape(-1))

    assert loss == pytest.approx(loss_at("b_q", 0, weights["b_q"][0]), rel=1e-14)
    eps = 1e-6
    for name, w in weights.items():
        numeric = np.empty_like(w)
        for index in np.ndindex(w.shape):
            up, down = (loss_at(name, index, w[index] + sign * eps) for sign in (1, -1))
            numeric[index] = (up - down) / (2 * eps)
        np.testing.assert_allclose(grads[name], numeric, rtol=1e-5, atol=1e-8, err_msg=name)


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
