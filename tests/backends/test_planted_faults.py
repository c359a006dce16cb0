"""Faults planted in a backend, one at a time: the contract suite's comparison must catch each."""

import numpy as np
import pytest

import backends
from common.experiment import Experiment
from common.parity import TOLERANCES, drift, one_step
from common.weights import draw_weights

# Small, in float64, with clipping that binds, weights and biases that matter, a carried state.
SETTINGS = Experiment(
    num_hiddens=8, batch_size=3, num_steps=4, dtype="float64", clip_theta=0.1, lr=0.5
)
WEIGHTS = draw_weights(7, 8, sigma=0.5) | {"b_h": np.full(8, 0.3), "b_q": np.linspace(0, 1, 7)}


def caught(backend):
    tokens = np.random.default_rng(1).integers(7, size=(5, 3, 5), dtype=np.uint8)
    batches = [(each[:, :-1], each[:, 1:]) for each in tokens]
    models = [backends.load(backend).build(SETTINGS, "scratch", WEIGHTS) for _ in range(2)]
    step, far = TOLERANCES["float64"]
    errors = one_step(models[0], WEIGHTS, SETTINGS, batches)
    drifted = drift(models[1], WEIGHTS, SETTINGS, batches)
    return {n for n, e in errors.items() if not e <= step} | {
        n for n, e in drifted.items() if not e <= far
    }


def labels_in_the_wrong_order(module):
    """The label-order bug of d2l-en issue 1349: Y flattened without its transpose."""

    def wrongly(method):
        def wrong(self, X, Y, state):
            batch, steps = Y.shape
            return method(self, X, Y.reshape(-1).reshape(steps, batch).T, state)

        return wrong

    for name in ("train_step", "loss_and_grads"):
        yield module.Model, name, wrongly(getattr(module.Model, name))


def an_unclipped_step(module):
    yield module.scratch, "grad_clipping", lambda model_or_grads, theta: model_or_grads


def a_dropped_state(module):
    right = module.scratch.rnn

    def wrong(inputs, state, params, **named):
        return right(inputs, tuple(H * 0 for H in state), params, **named)

    yield module.scratch, "rnn", wrong


def a_missing_bias(module):
    right = module.scratch.rnn

    def wrong(inputs, state, params, **named):
        W_xh, W_hh, b_h, W_hq, b_q = params
        return right(inputs, state, [W_xh, W_hh, b_h * 0, W_hq, b_q], **named)

    yield module.scratch, "rnn", wrong


@pytest.fixture
def plant(backend, monkeypatch):
    module = backends.load(backend)

    def forget_what_was_compiled():
        if backend == "jax":
            import jax

            jax.clear_caches()

    def into(fault):
        forget_what_was_compiled()
        for place, name, wrong in list(fault(module)):
            monkeypatch.setattr(place, name, wrong)
            if name == "rnn" and hasattr(module, "FORWARDS"):
                monkeypatch.setitem(module.FORWARDS, SETTINGS.activation, wrong)

    yield into
    forget_what_was_compiled()


def test_without_a_fault_nothing_is_caught(backend):
    assert caught(backend) == set()


@pytest.mark.parametrize(
    ("fault", "catchers"),
    [
        (labels_in_the_wrong_order, {"loss", "gradient W_hq", "weights"}),
        (an_unclipped_step, {"clipped norm", "weights", "drift of weights"}),
        (a_dropped_state, {"logits", "loss", "gradient W_hh", "carried state"}),
        (a_missing_bias, {"state", "logits", "gradient b_h"}),
    ],
)
def test_a_planted_fault_is_caught(backend, plant, fault, catchers):
    plant(fault)
    assert catchers <= caught(backend)
