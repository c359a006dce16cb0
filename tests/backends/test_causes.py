"""Faults that are planted in a backend: seen through a step function, the true cause is named."""

import pytest

import backends
from common.causes import NAMED, parity_of
from common.experiment import Experiment
from tests.backends.test_mutants import FAULTS


@pytest.fixture
def step(backend):
    """A step function of the backend, as anybody's port is one."""
    if backend in ("jax", "tensorflow"):
        pytest.skip("every fault is compiled anew")

    def step(weights, X, Y, state, lr, theta):
        settings = {"lr": lr, "clip_theta": theta, "dtype": "float64", "device": "cpu"}
        settings |= {"num_hiddens": state.shape[1]}
        model = backends.load(backend).build(Experiment.of(settings), "scratch", weights)
        H = model.write_state(state[None])
        logits, _ = model.forward(X, H)
        _, grads, _ = model.loss_and_grads(X, Y, H)
        loss, new = model.train_step(X, Y, H)
        given = {"logits": logits, "loss": float(loss), "gradients": grads}
        return given | {"weights": model.weights(), "state": model.read_state(new)}

    return step


CAUSES = {
    "state dropped": "state that is given is ignored",
    "no hidden bias": "b_h is left out",
    "no output bias": "b_q is left out",
    "relu for tanh": "the activation is ReLU",
    "W_hh transposed": "W_hh is transposed",
    "one-hot shifted": "the one-hot counts from one",
    "X not transposed": "the inputs are in the order of the batch",
    "logits not time-major": "the outputs are in the order of the batch",
    "labels not transposed": "the labels are in the order of the batch",
    "sum for mean": "the loss is a sum over all tokens",
    "another derivative": "the derivative of tanh",
    "state not constant": "detach the state that is given",
    "gradients given clipped": "the gradients are given after clipping",
    "gradients asked for, weights updated": "the update is made twice",
    "no clip": "the gradients are not clipped",
    "clipped one by one": "clipped by its own norm",
    "another theta": "theta is another",
    "scaled within theta": "gradients shorter than theta are scaled up",
    "theta compiled in": "theta stays that of the first minibatch",
    "lr applied twice": "the learning rate is applied twice",
    "uphill": "the gradient is added",
    "divided by the batch size": "the update divides by the batch size",
    "W_xh not updated": "W_xh is not updated",
    "b_q not updated": "b_q is not updated",
    "old state after the step": "the state of before the minibatch is given back",
    "loss after the update": "the loss is that after the update",
    "state in float32": "computed in float32",
}
"""Words of the true cause, of every planted fault that a step of the chapter's network shows."""

MISSED = {"state not constant", "gradients given clipped", "theta compiled in"}
"""Nothing is named for these: they are like no fault that is known."""


def test_without_a_fault_nothing_is_named(step):
    assert parity_of(step).equal


@pytest.mark.parametrize("fault", CAUSES)
def test_the_true_cause_is_among_the_first_three_named(step, plant, fault):
    plant(FAULTS[fault].planted)
    result = parity_of(step)
    assert not result.equal
    named = [cause.cause for cause in result.causes[:NAMED]]
    assert any(CAUSES[fault] in each for each in named) != (fault in MISSED), named
